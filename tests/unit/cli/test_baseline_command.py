import json
from pathlib import Path

from tests.packages import release_directory
from tests.unit.cli.conftest import Factory


def test_executables_of_a_release_are_added_to_a_file_once(factory: Factory, tmp_path: Path) -> None:
    packages = release_directory(tmp_path / "packages")
    index = tmp_path / "known.json"
    words = ("baseline", "executables", "0.163.0", "--file", index)
    channel = ("--channel", "directory", "--directory", packages)
    ended = factory(*words, *channel)
    assert (ended.status, ended.out) == (0, "")
    assert "rust-v0.163.0: 24 executables" in ended.err
    document = json.loads(index.read_text())
    assert list(document["releases"]) == ["0.163.0"]
    assert len(document["releases"]["0.163.0"]) == 6
    again = factory(*words, *channel)
    assert (again.status, again.err) == (0, "")


def test_a_call_without_releases_is_refused(factory: Factory, tmp_path: Path) -> None:
    ended = factory("baseline", "executables", "--file", tmp_path / "known.json")
    assert ended.status == 20
    assert ended.complaint == "factory: no release given\nhint: Name releases, or give --all.\n"


def test_all_releases_need_a_channel_that_lists_them(factory: Factory, tmp_path: Path) -> None:
    packages = release_directory(tmp_path / "packages")
    words = ("baseline", "executables", "--all", "--file", tmp_path / "known.json")
    ended = factory(*words, "--channel", "directory", "--directory", packages)
    assert ended.status == 20
    assert "--all needs the channel npm" in ended.complaint
