"""Runs in one cache: what one uses, the others do not remove; what a dead one left, they remove."""

import sys
from pathlib import Path

import pytest

from factory.core.digests import Digest
from factory.system.cache import Cache
from factory.system.cache_entries import Namespace
from factory.system.lease import Lease
from tests.children import ROOT, Child

ABC = Digest.parse("sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")

KILLED = """\
import os, sys
from pathlib import Path
from factory.core.digests import Digest
from factory.system.cache import Cache
cache = Cache(Path(sys.argv[1]))
cache.lease.hold([cache.root / "deflate" / "held"])
cache.lease.new_path("temporary").write_bytes(b"12345")
with cache.receive(Digest.parse(sys.argv[2]), name="blob") as blob:
    blob.write(b"ab")
    blob._file.flush()
    os._exit(9)
"""


def entry(root: Path, name: str) -> Path:
    path = root / Namespace.DEFLATE / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * 10)
    return path


def kill_a_run(root: Path) -> None:
    argv = [sys.executable, "-c", KILLED, str(root), str(ABC)]
    assert Child(argv=argv, cwd=ROOT).run().status == 9


def test_entries_in_use_are_not_removed(tmp_path: Path) -> None:
    held, other = entry(tmp_path, "held"), entry(tmp_path, "other")
    run, tool = Cache(tmp_path), Cache(tmp_path)
    run.lease.hold([held])
    assert [removed.path for removed in tool.trim(Namespace.DEFLATE, max_bytes=0)] == [other]
    other = entry(tmp_path, "other")
    assert [removed.path for removed in tool.prune(max_bytes=0, older_than_s=0, now_s=1e12)] == [other]
    assert tool.clear() == ()
    run.close()
    assert [removed.path for removed in tool.clear()] == [held]


def test_a_run_may_remove_what_only_it_has_used(tmp_path: Path) -> None:
    run, other = Cache(tmp_path), Cache(tmp_path)
    mine, shared = entry(tmp_path, "mine"), entry(tmp_path, "shared")
    run.lease.hold([mine, shared])
    other.lease.hold([shared])
    assert [removed.path for removed in run.trim(Namespace.DEFLATE, max_bytes=0)] == [mine]


def test_an_asset_that_a_run_looked_for_stays(tmp_path: Path) -> None:
    run, tool = Cache(tmp_path), Cache(tmp_path)
    with run.receive(ABC, name="blob") as blob:
        blob.write(b"abc")
        path = blob.commit()
    assert run.has(ABC)
    tool.discard(ABC)
    assert tool.clear() == ()
    assert path.exists()
    run.discard(ABC)
    assert not path.exists()


def test_the_temporary_files_of_a_living_run_are_listed_and_stay(tmp_path: Path) -> None:
    run, tool = Cache(tmp_path), Cache(tmp_path)
    run.lease.new_path().write_bytes(b"12345")
    listed = [(found.namespace, found.size_bytes) for found in tool.entries()]
    assert listed == [(Namespace.TEMPORARY, 5)]
    assert tool.clear() == ()
    run.close()
    assert tool.entries() == ()


def test_the_next_run_removes_the_files_of_a_killed_one_and_resumes_its_download(tmp_path: Path) -> None:
    held = entry(tmp_path, "held")
    kill_a_run(tmp_path)
    assert sum(found.size_bytes for found in Cache(tmp_path).entries()) == 10 + 5 + 2
    with Cache(tmp_path).receive(ABC, name="blob") as blob:
        assert blob.size_bytes == 2
        listed = [(found.namespace, found.size_bytes) for found in Cache(tmp_path).entries()]
        assert sorted(listed) == [(Namespace.DEFLATE, 10), (Namespace.TEMPORARY, 2)]
    assert [found.path for found in Cache(tmp_path).clear() if found.namespace is Namespace.DEFLATE] == [held]


def test_clearing_and_pruning_remove_the_files_of_a_killed_run_at_once(tmp_path: Path) -> None:
    for remove in (Cache.clear, lambda cache: cache.prune(max_bytes=0, older_than_s=0, now_s=1e12)):
        kill_a_run(tmp_path)
        assert Namespace.TEMPORARY in [found.namespace for found in remove(Cache(tmp_path))]
        assert Cache(tmp_path).entries() == ()
        assert [path for path in tmp_path.rglob("*") if path.is_file() and path.stat().st_size] == []


def test_two_runs_that_receive_one_blob_without_a_lock_do_not_mix_their_bytes(tmp_path: Path) -> None:
    one, other = Cache(tmp_path), Cache(tmp_path)
    with one.lock(ABC):
        (tmp_path / "locks" / f"sha256-{ABC.hex}.lock").unlink()
        with (
            other.lock(ABC),
            one.receive(ABC, name="blob") as first,
            other.receive(ABC, name="blob") as second,
        ):
            first.write(b"a")
            second.write(b"ab")
            first.write(b"bc")
            first.commit()
            second.write(b"c")
            second.commit()
    with one.open(ABC) as file:
        assert file.read() == b"abc"


def test_a_link_in_place_of_an_unfinished_download_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"precious")
    partial = tmp_path / "cache" / "partials" / f"sha256-{ABC.hex}"
    partial.parent.mkdir(parents=True)
    partial.symlink_to(outside)
    with Cache(tmp_path / "cache").receive(ABC, name="blob") as blob:
        assert blob.size_bytes == 0
        blob.write(b"abc")
        blob.commit()
    assert outside.read_bytes() == b"precious"


def test_the_directory_of_a_lease_is_removed_at_its_end(tmp_path: Path) -> None:
    lease = Lease(tmp_path)
    assert lease.directory is None
    lease.new_path().write_bytes(b"12345")
    lease.close()
    lease.close()
    assert list((tmp_path / "temporary").iterdir()) == []


def environment(root: Path, name: str) -> Path:
    path = root / "toolchains" / name
    (path / "bin").mkdir(parents=True)
    (path / "bin" / "python").write_bytes(b"x" * 5000)
    return path


def test_an_environment_of_tools_is_one_entry_and_stays_while_it_is_used(tmp_path: Path) -> None:
    used, other = environment(tmp_path, "hatchling-1"), environment(tmp_path, "hatchling-2")
    (tmp_path / "toolchains" / "hatchling-1.lock").touch()
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "build.log").write_bytes(b"failed")
    run, tool = Cache(tmp_path), Cache(tmp_path)
    run.lease.hold([used])
    listed = {(entry.namespace, entry.name): entry.size_bytes for entry in tool.entries()}
    assert set(listed) == {
        (Namespace.TOOLCHAINS, "hatchling-1"),
        (Namespace.TOOLCHAINS, "hatchling-2"),
        (Namespace.LOGS, "build.log"),
    }
    assert listed[Namespace.TOOLCHAINS, "hatchling-1"] >= 5000
    assert {entry.name for entry in tool.clear()} == {"hatchling-2", "build.log"}
    assert used.is_dir()
    assert not other.exists()
    run.close()
    assert [entry.name for entry in tool.clear()] == ["hatchling-1"]
    assert tool.entries() == ()


def test_environments_behind_a_link_are_not_of_this_cache(tmp_path: Path) -> None:
    environment(tmp_path / "shared", "hatchling-1")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "toolchains").symlink_to(tmp_path / "shared" / "toolchains")
    cache = Cache(tmp_path / "cache")
    assert cache.entries() == ()
    assert cache.clear() == ()
    assert (tmp_path / "shared" / "toolchains" / "hatchling-1").is_dir()


def test_a_scratch_directory_is_on_the_disk_of_the_cache_and_is_removed(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    with cache.lease.scratch("reproduce") as directory:
        assert directory.is_relative_to(tmp_path / "temporary")
        (directory / "wheel").touch()
    assert not directory.exists()


def test_a_removal_that_is_killed_is_finished_by_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kill_a_run(tmp_path)
    (run,) = (tmp_path / "temporary").glob("run-*")

    def be_killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("factory.system.lease.shutil.rmtree", be_killed)
        with pytest.raises(KeyboardInterrupt):
            Cache(tmp_path).clear()
    assert [path.name for path in run.iterdir()] == ["alive.lock"]
    Cache(tmp_path).clear()
    assert not run.exists()
