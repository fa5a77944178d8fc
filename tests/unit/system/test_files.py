import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from factory.core.digests import Digest
from factory.system.files import (
    TEMPORARY_PREFIX,
    CannotWrite,
    WrongDigest,
    atomic_directory,
    atomic_file,
    atomic_write,
    read_verified,
    require_room,
    sweep_temporaries,
    writing,
)

ABC = Digest.parse("sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")


@pytest.fixture
def umask_027() -> Iterator[None]:
    before = os.umask(0o027)
    yield
    os.umask(before)


def test_a_file_is_written_and_no_temporary_file_remains(tmp_path: Path) -> None:
    atomic_write(tmp_path / "new" / "file", b"one")
    atomic_write(tmp_path / "new" / "file", b"two")
    assert (tmp_path / "new" / "file").read_bytes() == b"two"
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["file"]


@pytest.mark.usefixtures("umask_027")
def test_the_mode_is_0644_less_the_umask(tmp_path: Path) -> None:
    atomic_write(tmp_path / "file", b"")
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o640


def test_a_failure_while_writing_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail_half_way() -> None:
        with atomic_file(path) as file:
            file.write(b"new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail_half_way()
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_a_new_directory_replaces_the_old_one(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "old").touch()
    with atomic_directory(tmp_path / "new") as draft:
        (draft / "file").write_bytes(b"new")
    assert {path.name: path.read_bytes() for path in (tmp_path / "new").iterdir()} == {"file": b"new"}
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_a_failure_while_filling_a_directory_keeps_the_old_one(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "old").touch()

    def fail_half_way() -> None:
        with atomic_directory(tmp_path / "new") as draft:
            (draft / "file").touch()
            raise OSError(errno.EIO, "disk")

    with pytest.raises(CannotWrite, match="disk"):
        fail_half_way()
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["old"]
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_a_file_in_place_of_a_directory_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CannotWrite, match=r"cannot write .*below: "):
        atomic_write(tmp_path / "file" / "below", b"")


@pytest.mark.parametrize(
    ("number", "hint"),
    [
        (errno.ENOSPC, "Free some space"),
        (errno.EDQUOT, "Free some space"),
        (errno.EROFS, "Choose a writable directory"),
        (errno.EACCES, "Choose a writable directory"),
        (errno.EPERM, "Choose a writable directory"),
        (errno.EIO, "Choose another directory"),
    ],
)
def test_an_os_error_becomes_an_error_with_a_hint(number: int, hint: str) -> None:
    with pytest.raises(CannotWrite) as caught, writing(Path("out")):
        raise OSError(number, os.strerror(number))
    assert caught.value.hint.startswith(hint)
    assert str(caught.value) == f"cannot write out: {os.strerror(number)}"


def test_sweeping_removes_only_old_temporary_files(tmp_path: Path) -> None:
    old, new, other = (tmp_path / name for name in (f"{TEMPORARY_PREFIX}a", f"{TEMPORARY_PREFIX}b", "c"))
    for path, time_s in ((old, 10), (new, 30), (other, 10)):
        path.touch()
        os.utime(path, (time_s, time_s))
    assert sweep_temporaries(tmp_path, before_s=20) == (old,)
    assert new.exists()
    assert other.exists()


def test_bytes_that_the_caller_did_not_read_are_checked(tmp_path: Path) -> None:
    path = tmp_path / "abc"
    path.write_bytes(b"abc")
    with read_verified(path, ABC) as file:
        assert file.read(1) == b"a"
    path.write_bytes(b"abX")
    with (
        pytest.raises(
            WrongDigest, match=r"package\.tgz has the wrong digest: expected sha256:ba78"
        ) as caught,
        read_verified(path, ABC, name="package.tgz") as file,
    ):
        assert file.read(1) == b"a"
    assert caught.value.expected == ABC
    assert caught.value.hint


def test_an_error_of_the_caller_is_raised_instead_of_a_wrong_digest(tmp_path: Path) -> None:
    path = tmp_path / "abc"
    path.write_bytes(b"other")
    with pytest.raises(ZeroDivisionError), read_verified(path, ABC):
        raise ZeroDivisionError


@pytest.mark.parametrize("free", [0, 65_535])
def test_a_full_disk_is_named_as_the_cause_of_another_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=free)
    monkeypatch.setattr("factory.system.files.shutil.disk_usage", lambda _: usage)
    with pytest.raises(CannotWrite, match="No space left on device"):
        require_room(tmp_path)


def test_a_disk_with_some_room_is_not_the_cause(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=65_536)
    monkeypatch.setattr("factory.system.files.shutil.disk_usage", lambda _: usage)
    require_room(tmp_path)
