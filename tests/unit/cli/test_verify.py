import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from factory.cli import main
from tests.wheels import INFO, PACKAGE, Wheel, own_wheel

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = json.loads((ROOT / "docs/findings.schema.json").read_text())
CODEX = f"{PACKAGE}/bin/codex"
GOOD = own_wheel()
BROKEN = GOOD.edited(CODEX, lambda member: replace(member, mode=0o100644))


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Change to an empty directory, where no pyproject.toml has waivers."""
    directory = tmp_path / "here"
    directory.mkdir()
    monkeypatch.chdir(directory)


def verify(*arguments: str | Path) -> int:
    return main(["verify", "--no-stock-tools", "--jobs", "1", *map(str, arguments)])


Printed = Callable[[], tuple[str, str]]


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Printed:
    def read() -> tuple[str, str]:
        captured = capsys.readouterr()
        return captured.out, captured.err

    return read


def test_our_own_wheel_passes(tmp_path: Path, printed: Printed) -> None:
    assert verify(GOOD.write(tmp_path)) == 0
    out, err = printed()
    assert out == "wheel\tseverity\tcheck\tplace\tevidence\tremedy\treason\n"
    assert err.endswith("passed: 1 wheel, 0 errors, 0 warnings, 0 notes, 0 waived\n")


def test_an_error_is_reported_with_evidence_and_remedy(tmp_path: Path, printed: Printed) -> None:
    assert verify(BROKEN.write(tmp_path)) == 24
    out, err = printed()
    (line,) = out.splitlines()[1:]
    assert line.split("\t")[:4] == [BROKEN.name, "error", "member-not-executable", CODEX]
    assert "rejected: 1 wheel, 1 error, 0 warnings, 0 notes, 0 waived" in err


def test_a_waived_error_passes_and_is_shown_with_its_reason(tmp_path: Path, printed: Printed) -> None:
    wheel = BROKEN.write(tmp_path)
    assert verify(wheel, "--allow", "member-not-executable:*=an older era=s package") == 0
    out, err = printed()
    fields = out.splitlines()[1].split("\t")
    assert (fields[1], fields[2], fields[-1]) == ("waived", "member-not-executable", "an older era=s package")
    assert "0 errors, 0 warnings, 0 notes, 1 waived" in err


def test_an_unused_waiver_is_an_error(tmp_path: Path, printed: Printed) -> None:
    assert verify(GOOD.write(tmp_path), "--allow", "package-typed:*=known") == 20
    assert "no finding matches the waiver package-typed:*" in printed()[1]


def test_an_error_finding_and_an_unused_waiver_are_both_reported(tmp_path: Path, printed: Printed) -> None:
    assert verify(BROKEN.write(tmp_path), "--allow", "package-typed:*=known") == 24
    assert "no finding matches the waiver package-typed:*" in printed()[1]


@pytest.mark.parametrize(
    ("waiver", "sentence"),
    [
        ("no-such-check:*=why", "there is no check 'no-such-check'"),
        ("check-crashed:*=why", "findings of check-crashed cannot be waived"),
        ("package-typed:*", "the waiver 'package-typed:*' has no reason"),
    ],
)
def test_an_impossible_waiver_is_refused(
    tmp_path: Path, printed: Printed, waiver: str, sentence: str
) -> None:
    assert verify(GOOD.write(tmp_path), "--allow", waiver) == 20
    assert sentence in printed()[1]


def test_the_project_s_own_waivers_are_taken(tmp_path: Path) -> None:
    Path("pyproject.toml").write_text('[tool.factory.waivers.member-not-executable]\n"*" = "an older era"\n')
    assert verify(BROKEN.write(tmp_path)) == 0


def test_a_project_without_waivers_is_no_error(tmp_path: Path) -> None:
    Path("pyproject.toml").write_text('[project]\nname = "x"\n')
    assert verify(GOOD.write(tmp_path)) == 0


def test_a_named_file_must_have_waivers(tmp_path: Path, printed: Printed) -> None:
    (tmp_path / "w.toml").write_text("")
    assert verify(GOOD.write(tmp_path), "--waivers", tmp_path / "w.toml") == 20
    assert "w.toml: it has no waivers" in printed()[1]


def changed_metadata(wheel: Wheel) -> Wheel:
    return wheel.edited_text(f"{INFO}/METADATA", "Keywords: cli", "Keywords: command")


@pytest.mark.parametrize(
    "noted",
    [
        pytest.param(changed_metadata(own_wheel("macosx_11_0_arm64")), id="for another system than Linux"),
        pytest.param(changed_metadata(GOOD), id="for Linux", marks=pytest.mark.slow),  # makes an environment
    ],
)
def test_json_follows_its_schema(noted: Wheel, tmp_path: Path, printed: Printed) -> None:
    noted.write(tmp_path)
    assert verify(tmp_path, "--json", "--allow", "release-platforms:*=one of them", "--smoke") == 0
    document = json.loads(printed()[0])
    jsonschema.validate(document, SCHEMA)
    assert document["verdict"] == "passed"
    assert document["counts"] == {"error": 0, "warning": 1, "note": 0, "waived": 7}
    assert document["releases"][0]["waived"][0]["reason"] == "one of them"
    (wheel,) = document["wheels"]
    assert wheel["findings"][0]["check"] == "closed-world-dist-info"
    assert wheel["smoke"]["outcome"] in {"not-run", "failed", "ran"}
    assert "release-platforms" in document["releases"][0]["checks"]


def test_a_missing_wheel_is_inconclusive_and_the_others_are_checked(tmp_path: Path, printed: Printed) -> None:
    assert verify(tmp_path / "absent.whl", GOOD.write(tmp_path), "--json") == 11
    document = json.loads(printed()[0])
    jsonschema.validate(document, SCHEMA)
    assert document["verdict"] == "inconclusive"
    assert "No such file" in document["wheels"][0]["not_looked_at"]
    assert document["wheels"][1]["not_looked_at"] is None


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04" + b"\0" * 40])
def test_any_file_gets_findings(tmp_path: Path, content: bytes) -> None:
    (tmp_path / GOOD.name).write_bytes(content)
    assert verify(tmp_path / GOOD.name) == 24


@pytest.mark.parametrize("text", ["{}", "[", '{"schema_version": 1, "tag": "0.1.0", "channel": "tape"}'])
def test_a_malformed_manifest_is_refused_in_one_sentence(tmp_path: Path, printed: Printed, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    assert verify(tmp_path) == 22
    assert "manifest.json: " in printed()[1]


def test_only_the_checks_that_ran_are_listed(tmp_path: Path, printed: Printed) -> None:
    (tmp_path / GOOD.name).write_bytes(b"no zip")
    assert verify(tmp_path / GOOD.name, "--json") == 24
    checks = json.loads(printed()[0])["wheels"][0]["checks"]
    assert checks == ["archive-unreadable", "archive-directory", "archive-limit", "archive-bomb"]


def test_a_directory_named_as_a_wheel_gets_findings(tmp_path: Path) -> None:
    (tmp_path / GOOD.name).mkdir()
    assert verify(tmp_path / GOOD.name) == 24


def test_a_directory_without_wheels_is_refused(tmp_path: Path, printed: Printed) -> None:
    (tmp_path / "empty").mkdir()
    assert verify(tmp_path / "empty") == 20
    assert "there is no wheel in" in printed()[1]


def test_sarif_is_written_beside_the_other_output(tmp_path: Path, printed: Printed) -> None:
    path = tmp_path / "findings.sarif"
    assert verify(BROKEN.write(tmp_path), "--sarif", path, "--json") == 24
    assert json.loads(path.read_text())["version"] == "2.1.0"
    assert json.loads(printed()[0])["verdict"] == "rejected"


def test_a_page_is_written_also_for_rejected_wheels(tmp_path: Path, printed: Printed) -> None:
    path = tmp_path / "page.html"
    assert verify(BROKEN.write(tmp_path), "--format", "html", "--output", path) == 24
    assert '<span class="rejected">rejected</span>' in path.read_text()
    assert printed()[0] == ""


def test_sarif_can_be_printed_instead(tmp_path: Path, printed: Printed) -> None:
    assert verify(BROKEN.write(tmp_path), "--sarif", "-") == 24
    (run,) = json.loads(printed()[0])["runs"]
    assert [result["ruleId"] for result in run["results"]] == ["member-not-executable"]


def test_names_cannot_fake_output(tmp_path: Path, printed: Printed) -> None:
    wheel = Wheel(name="evil\x1b[2J\n.whl", archive=GOOD.archive)
    assert verify(wheel.write(tmp_path)) == 24
    out, err = printed()
    assert "\x1b" not in out + err
    assert len(out.splitlines()) == 1 + out.count("\terror\t")


def test_all_checks_are_listed_and_explained(printed: Printed) -> None:
    assert main(["checks", "--json"]) == 0
    entries = json.loads(printed()[0])
    ids = [entry["id"] for entry in entries]
    assert len(ids) == len(set(ids))
    assert {
        "record-hash",
        "release-platforms",
        "auditwheel-verdict",
        "smoke-start",
        "manifest-digest",
    } <= set(ids)
    assert [entry["id"] for entry in entries if not entry["is_waivable"]] == [
        "archive-unreadable",
        "archive-bomb",
        "check-crashed",
    ]
    assert main(["explain", "release-platforms"]) == 0
    assert printed()[0].startswith("release-platforms: Every platform has a wheel.\nseverity: error\n")


def test_several_checks_are_explained_by_either_name(printed: Printed) -> None:
    assert main(["show", "checks", "elf-musl", "record-hash"]) == 0
    explained = printed()[0]
    assert explained.startswith("elf-musl: ")
    assert "\n\nrecord-hash: " in explained
    assert main(["show", "check", "elf-musl", "record-hash"]) == 0
    assert printed()[0] == explained
    for name in ("check", "checks"):
        assert main(["show", name, "elf-musl", "record-hash", "--json"]) == 0
        assert [one["id"] for one in json.loads(printed()[0])] == ["elf-musl", "record-hash"]
    assert main(["show", "check", "elf-musl", "--json"]) == 0
    assert json.loads(printed()[0])["id"] == "elf-musl"
    assert main(["show", "checks", "elf-musl", "--format", "markdown"]) == 0
    assert len(printed()[0].splitlines()) == 3
    assert main(["show", "checks", "elf-musl", "nothing"]) == 20


@pytest.mark.parametrize("more", [(), ("--allow", "pe-machine:*=not needed")])
def test_a_part_of_a_release_is_incomplete(more: tuple[str, ...], tmp_path: Path, printed: Printed) -> None:
    GOOD.write(tmp_path)
    assert verify(tmp_path, *more) == 24
    assert printed()[1].endswith(
        "incomplete: 1 wheel, 7 errors, 0 warnings, 0 notes, 0 waived\n"
        "no file has an error, but the release lacks the wheels of 7 platforms\n"
        "hint: to accept a part, add --allow 'release-platforms:*=REASON'\n"
    )
    assert verify(tmp_path, "--allow", "release-platforms:*=a part", "--json") == 0
    assert json.loads(printed()[0])["verdict"] == "passed"


def test_a_terminal_names_a_place_once(
    tmp_path: Path, printed: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    GOOD.write(tmp_path)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert verify(tmp_path) == 24
    drawn = printed()[0]
    assert drawn.count("there is no wheel for ") == 7
    assert drawn.partition("release-platforms")[2].count(tmp_path.name) == 1


def test_a_terminal_gets_explanations_in_its_width(printed: Printed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert main(["show", "check", "elf-musl"]) == 0
    whole = printed()[0]
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert main(["show", "check", "elf-musl"]) == 0
    folded = printed()[0]
    assert max(map(len, folded.splitlines())) <= 60 < max(map(len, whole.splitlines()))
    assert folded.split() == whole.split()


def test_an_error_in_a_wheel_of_a_part_rejects_it(tmp_path: Path, printed: Printed) -> None:
    BROKEN.write(tmp_path)
    assert verify(tmp_path, "--json") == 24
    assert json.loads(printed()[0])["verdict"] == "rejected"


def test_an_unknown_check_cannot_be_explained(printed: Printed) -> None:
    assert main(["explain", "nothing"]) == 20
    assert "'factory show checks' lists them" in printed()[1]
