from pathlib import Path

import pytest
from filelock import FileLock

from factory.system.files import CannotWrite
from factory.system.scratch import scratch_directory


def test_a_scratch_directory_is_created_and_removed(tmp_path: Path) -> None:
    parent = tmp_path / "cache"
    with scratch_directory(parent, "work-") as directory:
        assert directory.parent == parent
        assert directory.name.startswith("work-")
        (directory / "file").touch()
    assert list(parent.iterdir()) == []


def test_directories_of_dead_processes_are_removed_and_those_in_use_stay(tmp_path: Path) -> None:
    for name in ("work-dead", "work-living", "other-dead"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "wheel").touch()
    with FileLock(tmp_path / "work-living.lock"), scratch_directory(tmp_path, "work-") as directory:
        assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == {
            directory.name,
            "work-living",
            "other-dead",
        }


def test_two_scratch_directories_are_independent(tmp_path: Path) -> None:
    with scratch_directory(tmp_path, "work-") as one, scratch_directory(tmp_path, "work-") as other:
        assert one != other
        assert one.is_dir()


def test_a_parent_that_is_a_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CannotWrite), scratch_directory(tmp_path / "file", "work-"):
        pass
