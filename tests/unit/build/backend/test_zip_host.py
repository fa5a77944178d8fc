import zipfile
from pathlib import Path

import pytest

from factory.build.backend.zip_host import set_zip_host


def archive(path: Path) -> bytes:
    with zipfile.ZipFile(path, "w") as file:
        for name in ("a", "folder/b"):
            entry = zipfile.ZipInfo(name)
            entry.create_system = 3
            entry.comment = b"said"
            file.writestr(entry, b"content")
    return path.read_bytes()


def test_every_directory_entry_gets_the_host_and_nothing_else_changes(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    before = archive(path)
    set_zip_host(path, 0)
    after = path.read_bytes()
    changed = [at for at in range(len(before)) if before[at] != after[at]]
    entries = [at for at in range(len(before)) if before[at : at + 4] == b"PK\x01\x02"]
    assert changed == [at + 5 for at in entries]
    assert len(entries) == 2
    with zipfile.ZipFile(path) as file:
        assert [entry.create_system for entry in file.infolist()] == [0, 0]
        assert file.testzip() is None


def test_a_wheel_with_the_right_host_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    before = archive(path)
    path.chmod(0o444)
    set_zip_host(path, 3)
    assert path.read_bytes() == before


def test_a_file_that_is_not_an_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(b"no archive")
    with pytest.raises(zipfile.BadZipFile):
        set_zip_host(path, 0)
