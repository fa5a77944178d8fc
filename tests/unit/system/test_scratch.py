"""A scratch directory goes with its process, or with the next one."""

from pathlib import Path

import pytest
from filelock import FileLock

from factory.system.files import CannotWrite
from factory.system.scratch import scratch_directory


def test_it_is_made_and_goes(tmp_path: Path) -> None:
    parent = tmp_path / "cache"
    with scratch_directory(parent, "work-") as directory:
        assert directory.parent == parent
        assert directory.name.startswith("work-")
        (directory / "file").touch()
    assert list(parent.iterdir()) == []


def test_what_a_killed_process_left_goes_and_what_a_living_one_has_stays(tmp_path: Path) -> None:
    for name in ("work-dead", "work-living", "other-dead"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "wheel").touch()
    with FileLock(tmp_path / "work-living.lock"), scratch_directory(tmp_path, "work-") as directory:
        assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == {
            directory.name,
            "work-living",
            "other-dead",
        }


def test_two_at_once_do_not_meet(tmp_path: Path) -> None:
    with scratch_directory(tmp_path, "work-") as one, scratch_directory(tmp_path, "work-") as other:
        assert one != other
        assert one.is_dir()


def test_a_parent_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CannotWrite), scratch_directory(tmp_path / "file", "work-"):
        pass
