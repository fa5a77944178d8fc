import hashlib
import multiprocessing
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from factory.core.digests import Digest
from factory.core.errors import IntegrityError
from factory.system.cache import Cache
from factory.system.cache_entries import CacheEntry, Namespace
from factory.system.files import TEMPORARY_PREFIX, CannotWrite, WrongDigest
from factory.system.parallel import Stopped

ABC = Digest.parse("sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
BIG = b"0123456789abcdef" * (1 << 16)
BIG_DIGEST = Digest.parse(f"sha512:{hashlib.sha512(BIG).hexdigest()}")


def add(cache: Cache, digest: Digest, content: bytes) -> Path:
    with cache.lock(digest), cache.receive(digest, name="blob") as blob:
        blob.write(content)
        return blob.commit()


def test_a_blob_is_found_under_its_digest(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    assert not cache.has(ABC)
    path = add(cache, ABC, b"abc")
    assert cache.has(ABC)
    assert path == cache.path(ABC) == tmp_path / "assets" / f"sha256-{ABC.hex}"
    with cache.open(ABC) as file:
        assert file.read() == b"abc"
    assert [(entry.namespace, entry.path) for entry in cache.entries()] == [(Namespace.ASSETS, path)]


def test_the_directories_of_a_cache_are_made_when_they_are_needed(tmp_path: Path) -> None:
    locked, received = tmp_path / "a" / "locked", tmp_path / "b" / "received"
    with Cache(locked).lock(ABC):
        assert (locked / "locks" / f"sha256-{ABC.hex}.lock").is_file()
    for digest, content in ((ABC, b"abc"), (BIG_DIGEST, BIG)):
        with Cache(received).receive(digest, name="blob") as blob:
            blob.write(content)
            blob.commit()
    assert len(Cache(received).entries()) == 2


def test_bytes_with_the_wrong_digest_are_discarded(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    with pytest.raises(WrongDigest, match="blob has the wrong digest: expected sha256:ba78") as caught:
        add(cache, ABC, b"abd")
    assert caught.value.actual == Digest.parse(f"sha256:{hashlib.sha256(b'abd').hexdigest()}")
    assert cache.entries() == ()


def test_an_unwritable_cache_is_reported_with_the_path(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    cache = Cache(tmp_path / "file")
    with pytest.raises(CannotWrite, match="file/locks/sha256-ba7"), cache.lock(ABC):
        pytest.fail("the directory cannot exist")
    with pytest.raises(CannotWrite, match="file/temporary"), cache.receive(ABC, name="blob"):
        pytest.fail("the directory cannot exist")


@contextmanager
def files_limited_to(size_bytes: int) -> Iterator[None]:
    """Let every write beyond a file size fail, as on a full disk."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_reported_with_the_path(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    partial = "temporary/run-[0-9a-f]+/partial-[0-9a-f]+-sha256-ba7"
    with cache.receive(ABC, name="blob") as blob:
        with files_limited_to(len(BIG)), pytest.raises(CannotWrite, match=partial):
            blob.write(BIG * 2)
        blob.restart()
        blob.write(b"buffered")
        with files_limited_to(1), pytest.raises(CannotWrite, match=partial):
            blob.restart()
        with files_limited_to(1), pytest.raises(CannotWrite, match=partial):
            blob.close()


def test_an_interrupted_download_is_kept_and_resumed(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    with cache.receive(ABC, name="blob") as blob:
        blob.write(b"ab")
    assert not cache.has(ABC)
    with cache.receive(ABC, name="blob") as blob:
        assert blob.size_bytes == 2
        blob.write(b"c")
        blob.commit()
    assert cache.path(ABC).read_bytes() == b"abc"


def test_the_bytes_of_an_interrupted_download_are_counted(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    with cache.receive(BIG_DIGEST, name="blob") as blob:
        blob.write(BIG)
    with cache.receive(BIG_DIGEST, name="blob") as blob:
        assert blob.size_bytes == len(BIG)
        assert blob.is_complete


def test_restarting_discards_the_bytes_received(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    with cache.receive(ABC, name="blob") as blob:
        blob.write(b"xy")
        blob.write(b"z")
        assert blob.size_bytes == 3
        blob.restart()
        assert blob.size_bytes == 0
        blob.write(b"abc")
        blob.commit()
    assert cache.path(ABC).read_bytes() == b"abc"


def test_a_damaged_blob_is_reported_and_removed(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    add(cache, ABC, b"abc").write_bytes(b"abX")
    with pytest.raises(IntegrityError, match="was damaged and has been removed") as caught:
        cache.verify(ABC)
    assert "Run the same command again" in caught.value.hint
    assert not cache.has(ABC)
    with pytest.raises(IntegrityError, match="is not in the cache"):
        cache.verify(ABC)


def test_a_record_is_found_only_under_its_own_key(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.write_record("release", "npm a", {"n": 1})
    cache.write_record("release", "npm b", {"n": 2})
    assert cache.read_record("release", "npm a") == {"n": 1}
    assert cache.read_record("other", "npm a") is None
    assert cache.read_record("release", "npm c") is None


@pytest.mark.parametrize("damage", [b"", b"[]", b'{"key": "else", "value": 1}', b"\xff"])
def test_a_damaged_record_counts_as_missing(tmp_path: Path, damage: bytes) -> None:
    cache = Cache(tmp_path)
    cache.write_record("release", "key", {"n": 1})
    (entry,) = cache.entries()
    entry.path.write_bytes(damage)
    assert cache.read_record("release", "key") is None


@pytest.mark.parametrize("before_after", [("12", "13"), ("key", "kez")])
def test_a_record_that_was_changed_counts_as_missing(tmp_path: Path, before_after: tuple[str, str]) -> None:
    cache = Cache(tmp_path)
    cache.write_record("release", "key", {"n": 12})
    (entry,) = cache.entries()
    entry.path.write_text(entry.path.read_text().replace(*before_after))
    assert cache.read_record("release", "key") is None


def test_other_users_can_read_a_blob_and_not_a_record(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        cache = Cache(tmp_path)
        blob = add(cache, ABC, b"abc")
        cache.write_record("release", "key", {"n": 1})
    finally:
        os.umask(before)
    (record,) = (entry.path for entry in cache.entries() if entry.namespace is Namespace.RECORDS)
    assert [path.stat().st_mode & 0o777 for path in (blob, record)] == [0o644, 0o600]


def filled(root: Path) -> Cache:
    """Return a cache with three entries of 3, 2 and 5 bytes, last used at 100, 200 and 300 s."""
    cache = Cache(root)
    add(cache, ABC, b"abc")
    with cache.receive(BIG_DIGEST, name="big") as blob:
        blob.write(b"01")
    derived = root / "deflate" / "x" / "y"
    derived.parent.mkdir(parents=True)
    derived.write_bytes(b"12345")
    for entry in cache.entries():
        time_s = {Namespace.ASSETS: 100, Namespace.PARTIALS: 200, Namespace.DEFLATE: 300}[entry.namespace]
        os.utime(entry.path, (time_s, time_s))
    return cache


def test_entries_are_listed_least_recently_used_first(tmp_path: Path) -> None:
    listed = [(e.namespace, e.name[:10], e.size_bytes, e.last_used_s) for e in filled(tmp_path).entries()]
    assert listed == [
        (Namespace.ASSETS, "sha256-ba7", 3, 100.0),
        (Namespace.PARTIALS, "sha512-" + BIG_DIGEST.hex[:3], 2, 200.0),
        (Namespace.DEFLATE, "x/y", 5, 300.0),
    ]


def test_pruning_removes_the_least_recently_used_until_the_rest_fits(tmp_path: Path) -> None:
    cache = filled(tmp_path)
    removed = cache.prune(max_bytes=7, older_than_s=1e9, now_s=400)
    assert [entry.namespace for entry in removed] == [Namespace.ASSETS]
    assert [entry.size_bytes for entry in cache.entries()] == [2, 5]


def test_pruning_removes_an_entry_for_one_byte_too_many(tmp_path: Path) -> None:
    cache = filled(tmp_path)
    assert cache.prune(max_bytes=10, older_than_s=300, now_s=400) == ()
    assert [entry.size_bytes for entry in cache.prune(max_bytes=9, older_than_s=300, now_s=400)] == [3]


def test_pruning_removes_old_entries_even_if_they_fit(tmp_path: Path) -> None:
    cache = filled(tmp_path)
    removed = cache.prune(max_bytes=1 << 40, older_than_s=150, now_s=400)
    assert [entry.namespace for entry in removed] == [Namespace.ASSETS, Namespace.PARTIALS]


def test_a_blob_used_recently_is_not_pruned_first(tmp_path: Path) -> None:
    cache = filled(tmp_path)
    cache.touch(ABC)
    assert [entry.namespace for entry in cache.prune(max_bytes=8, older_than_s=1e12, now_s=400)] == [
        Namespace.PARTIALS
    ]


def test_clearing_keeps_a_blob_that_is_being_received(tmp_path: Path) -> None:
    cache = filled(tmp_path)
    with cache.lock(BIG_DIGEST):
        assert len(cache.clear()) == 2
        assert [entry.namespace for entry in cache.entries()] == [Namespace.PARTIALS]
    assert len(cache.clear()) == 1
    assert cache.entries() == ()


def test_an_entry_that_another_process_removed_counts_as_removed(tmp_path: Path) -> None:
    listed = filled(tmp_path).entries()

    class Overtaken(Cache):
        def entries(self) -> tuple[CacheEntry, ...]:
            return listed

    for entry in listed:
        entry.path.unlink()
    assert Overtaken(tmp_path).clear() == listed


def test_an_entry_that_cannot_be_removed_is_reported(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    add(cache, ABC, b"abc")
    (entry,) = cache.entries()
    (tmp_path / "file").touch()
    elsewhere = replace(entry, path=tmp_path / "file" / "sha256-ba7")

    class Stale(Cache):
        def entries(self) -> tuple[CacheEntry, ...]:
            return (elsewhere,)

    with pytest.raises(CannotWrite, match="file/sha256-ba7"):
        Stale(tmp_path).clear()


def test_temporary_files_of_older_versions_are_listed_and_removed(tmp_path: Path) -> None:
    cache = filled(tmp_path)
    leftover = tmp_path / "deflate" / f"{TEMPORARY_PREFIX}0"
    leftover.write_bytes(b"1234")
    os.utime(leftover, (0, 0))
    recent = tmp_path / "assets" / f"{TEMPORARY_PREFIX}1"
    recent.touch()
    listed = [(e.namespace, e.name) for e in cache.entries() if e.namespace is Namespace.TEMPORARY]
    assert listed == [
        (Namespace.TEMPORARY, f"deflate/{TEMPORARY_PREFIX}0"),
        (Namespace.TEMPORARY, f"assets/{TEMPORARY_PREFIX}1"),
    ]
    removed = cache.prune(max_bytes=100, older_than_s=1e10, now_s=time.time())
    assert [(entry.path, entry.size_bytes) for entry in removed] == [(leftover, 4)]
    assert not leftover.exists()
    assert recent.exists()
    assert recent in [entry.path for entry in cache.clear()]
    assert cache.entries() == ()


def test_waiting_for_a_lock_can_be_stopped(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    stop = threading.Event()
    with cache.lock(ABC):
        stop.set()
        with pytest.raises(Stopped), cache.lock(ABC, is_stopped=stop.is_set):
            pytest.fail("held twice")


def receive_slowly(root: Path) -> str:
    cache = Cache(root)
    with cache.lock(BIG_DIGEST):
        if cache.has(BIG_DIGEST):
            return "found"
        with cache.receive(BIG_DIGEST, name="big") as blob:
            for start in range(0, len(BIG), 4096):
                blob.write(BIG[start : start + 4096])
            blob.commit()
    return "received"


def test_several_processes_receive_a_blob_once(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        outcomes = pool.map(receive_slowly, [tmp_path] * 3)
    assert sorted(outcomes) == ["found", "found", "received"]
    Cache(tmp_path).verify(BIG_DIGEST)


def test_trimming_one_namespace_keeps_the_others(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    asset = add(cache, ABC, b"abc")
    for age, name in enumerate(("new", "middle", "old")):
        path = tmp_path / "deflate" / "encoder" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * 10)
        os.utime(path, (1000 - age, 1000 - age))
    os.utime(asset, (1, 1))

    assert [entry.name for entry in cache.trim(Namespace.DEFLATE, max_bytes=15)] == [
        "encoder/old",
        "encoder/middle",
    ]
    assert [entry.name for entry in cache.entries()] == [asset.name, "encoder/new"]
    assert cache.trim(Namespace.DEFLATE, max_bytes=15) == ()


def test_a_log_beside_the_environments_of_tools_has_its_own_size(tmp_path: Path) -> None:
    directory = tmp_path / "toolchains"
    (directory / "hatchling-1").mkdir(parents=True)
    (directory / "hatchling-1" / "python").write_bytes(b"12345")
    (directory / "hatchling-1.txt").write_bytes(b"123")
    sizes = {entry.name: entry.size_bytes for entry in Cache(tmp_path).entries()}
    assert sizes == {"hatchling-1": 5, "hatchling-1.txt": 3}
