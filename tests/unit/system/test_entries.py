import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from factory.system.entries import (
    files_below,
    is_entry,
    open_entry,
    open_own_file,
    put_entry,
    read_entry,
    remove_entry,
)
from factory.system.files import CannotRead, CannotWrite


def make_directory(path: Path) -> None:
    path.mkdir()
    (path / "file").touch()


def make_link(path: Path) -> None:
    path.with_name("outside").write_bytes(b"precious")
    path.symlink_to(path.with_name("outside"))


def make_fifo(path: Path) -> None:
    os.mkfifo(path)


UNUSABLE = pytest.mark.parametrize("make", [make_directory, make_link, make_fifo])


@UNUSABLE
def test_what_is_not_a_regular_file_is_no_entry(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "entry")
    assert open_entry(tmp_path / "entry") is None
    assert read_entry(tmp_path / "entry") is None
    assert not is_entry(tmp_path / "entry")


@UNUSABLE
def test_an_entry_replaces_what_is_not_one(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "entry")
    (tmp_path / "temporary").write_bytes(b"new")
    put_entry(tmp_path / "temporary", tmp_path / "entry")
    assert read_entry(tmp_path / "entry") == b"new"
    assert not (tmp_path / "outside").exists() or (tmp_path / "outside").read_bytes() == b"precious"


@UNUSABLE
def test_a_file_of_this_process_is_not_written_through_a_link(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    make(tmp_path / "own")
    with open_own_file(tmp_path / "own") as file:
        file.write(b"new")
    assert (tmp_path / "own").read_bytes() == b"new"
    assert (tmp_path / "own").stat().st_mode & 0o777 == 0o600
    assert not (tmp_path / "outside").exists() or (tmp_path / "outside").read_bytes() == b"precious"


def test_a_file_of_this_process_is_continued(tmp_path: Path) -> None:
    (tmp_path / "own").write_bytes(b"ab")
    with open_own_file(tmp_path / "own") as file:
        file.write(b"c")
    assert (tmp_path / "own").read_bytes() == b"abc"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
def test_a_file_of_a_third_user_is_no_entry(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "entry").write_bytes(b"content")
    os.chown(shared / "entry", 4711, -1)
    assert not is_entry(shared / "entry")
    os.chown(shared, 4711, -1)
    assert read_entry(shared / "entry") == b"content"


def test_a_missing_file_is_no_entry_and_is_removed_without_an_error(tmp_path: Path) -> None:
    assert open_entry(tmp_path / "missing") is None
    remove_entry(tmp_path / "missing")


@UNUSABLE
def test_anything_at_the_path_is_removed(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "entry")
    remove_entry(tmp_path / "entry")
    assert not os.path.lexists(tmp_path / "entry")


def test_a_path_that_no_disk_can_have_is_reported(tmp_path: Path) -> None:
    with pytest.raises(CannotRead, match="File name too long"):
        open_entry(tmp_path / ("x" * 300))
    (tmp_path / "temporary").touch()
    with pytest.raises(CannotWrite, match="File name too long"):
        put_entry(tmp_path / "temporary", tmp_path / ("x" * 300))


def test_a_directory_that_disappears_is_left_out_of_a_list(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "a")
    listed = files_below(tmp_path)
    found = [next(listed)]
    for name in ("a", "b"):
        shutil.rmtree(tmp_path / name)
    found.extend(listed)
    assert sorted(path.name for path in found) == ["file", "link"]
