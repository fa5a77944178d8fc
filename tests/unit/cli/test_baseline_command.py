import json
from pathlib import Path

from factory.verify.baseline.baseline_file import BASELINE_PATH
from tests.packages import release_directory
from tests.unit.audit.codex.test_baseline_proposal import verdict, write
from tests.unit.cli.conftest import Factory
from tests.wheels import good_wheel, own_wheel


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


def test_a_proposal_is_a_diff_that_a_person_reviews(factory: Factory, tmp_path: Path) -> None:
    before = BASELINE_PATH.read_bytes()
    results = write(tmp_path, verdict("0.164.0", init="new"))
    ended = factory("baseline", "propose", results)
    assert ended.status == 0
    assert ended.out.startswith("--- a/factory/verify/baseline/baseline.json\n")
    assert '+{"name": "hatchling 1", "first": "rust-v0.164.0"' in ended.out
    assert ended.err == "1 rebuilt wheels, review the change\n"
    assert BASELINE_PATH.read_bytes() == before


def test_without_anything_new_there_is_no_proposal(factory: Factory) -> None:
    ended = factory("baseline", "propose")
    assert (ended.status, ended.out, ended.err) == (0, "", "0 rebuilt wheels, no change\n")


def test_a_wheel_with_another_module_is_not_proposed(factory: Factory, tmp_path: Path) -> None:
    one = verdict("0.164.0", causes=[{"id": "importable-file"}])
    ended = factory("baseline", "propose", write(tmp_path, one))
    assert (ended.status, ended.out) == (0, "")
    assert ended.err == f"not proposed: {one['name']} (importable-file)\n0 rebuilt wheels, no change\n"


def test_own_metadata_is_taken_from_a_wheel_of_ours_only(factory: Factory, tmp_path: Path) -> None:
    published = good_wheel().write(tmp_path)
    ended = factory("baseline", "propose", "--own-wheel", published)
    assert ended.status == 20
    assert ended.complaint == (
        f"factory: {published} is no wheel of ours: it has no bill of materials\n"
        "hint: Name a wheel that 'factory wheels' built.\n"
    )
    own = own_wheel().with_info("sboms/openai-codex-cli-bin.cdx.json", "{}").write(tmp_path)
    assert factory("baseline", "propose", "--own-wheel", own).out == ""


def test_the_history_is_judged_by_itself(factory: Factory, tmp_path: Path) -> None:
    results = write(tmp_path, verdict("0.163.0"), verdict("0.164.0", init="new"))
    ended = factory("baseline", "leave-one-out", results)
    assert (ended.status, ended.err) == (0, "")
    assert "| 0.164.0 | `text-not-seen-before` | `codex_cli_bin/__init__.py` |" in ended.out


def test_a_history_without_rebuilt_wheels_is_refused(factory: Factory, tmp_path: Path) -> None:
    ended = factory("baseline", "leave-one-out", write(tmp_path, verdict("0.163.0", rebuilt=None)))
    assert ended.status == 20
    assert "no wheel in these results was rebuilt byte for byte" in ended.complaint
