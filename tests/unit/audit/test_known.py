"""Gaps and findings that a person accepts, and the file that names them."""

from dataclasses import replace
from pathlib import Path

import pytest

from factory.audit.answer import Answer, Status
from factory.audit.known import Known, KnownFinding, KnownGap
from factory.audit.known_file import read_known
from factory.audit.selection import Selection
from factory.audit.verdict import Accepted, AcceptedThing, Outcome, ProvenanceState, Verdict
from factory.core.digests import Sha256
from factory.core.errors import UsageError
from factory.core.model import Finding, Severity
from factory.core.tags import CodexTag
from factory.verify.waivers import Waiver
from tests.statements import IDENTICAL, NOT_REBUILT, report

RELEASE = CodexTag.parse("0.163.0")
OTHER = CodexTag.parse("0.162.0")
ONE_RELEASE = Selection(tags=(RELEASE,))
EVERYTHING = Selection(tags=None)
VOICE = "codex_cli_bin/codex-resources/voice"
FOUND = Finding(check="elf-musl", severity=Severity.ERROR, place=f"{VOICE}/a", evidence="seen", remedy="do")
FAULTY = replace(
    IDENTICAL,
    status=Status.FAITHFUL_WITH_ERRORS,
    answer=Answer.WITH_ERRORS,
    findings=(FOUND, replace(FOUND, place=f"{VOICE}/b"), replace(FOUND, severity=Severity.NOTE, place="c")),
)
GAP = KnownGap(release=RELEASE, platform="win_amd64", reason="not on this channel")
FINDING = KnownFinding(
    sha256=IDENTICAL.sha256,
    waiver=Waiver(check="elf-musl", pattern=f"{VOICE}/*", reason="reported"),
)
ALL = Known(gaps=(GAP,), findings=(FINDING,))


def accepted(verdict: Verdict, known: Known = ALL) -> Verdict:
    (result,) = known.accept_in(report(verdict)).verdicts
    return result


def test_a_known_gap_ends_with_0_and_is_still_no_yes() -> None:
    verdict = accepted(NOT_REBUILT)

    assert verdict.accepted == (
        Accepted(thing=AcceptedThing.GAP, place="win_amd64", reason="not on this channel"),
    )
    assert (verdict.status, verdict.answer) == (Status.NOTHING_TO_COMPARE, Answer.UNDECIDED)
    assert (verdict.exit_status, NOT_REBUILT.exit_status) == (0, 12)
    assert report(verdict).exit_status == 0


def test_each_accepted_thing_is_named_once() -> None:
    known = replace(ALL, gaps=(GAP, replace(GAP, platform="*", reason="not on any channel")))
    verdict = accepted(replace(NOT_REBUILT, sha256=IDENTICAL.sha256, findings=(FOUND,)), known)

    assert [(one.thing, one.place, one.reason) for one in verdict.accepted] == [
        (AcceptedThing.GAP, "win_amd64", "not on this channel"),
        (AcceptedThing.FINDING, f"{VOICE}/a", "reported"),
    ]


def test_known_findings_end_with_0_and_the_wheel_still_has_errors() -> None:
    verdict = accepted(FAULTY)

    assert [(one.check, one.place, one.reason) for one in verdict.accepted] == [
        ("elf-musl", f"{VOICE}/a", "reported"),
        ("elf-musl", f"{VOICE}/b", "reported"),
    ]
    assert (verdict.status, verdict.answer) == (Status.FAITHFUL_WITH_ERRORS, Answer.WITH_ERRORS)
    assert (verdict.exit_status, FAULTY.exit_status) == (0, 24)


OTHERS: dict[str, tuple[Verdict, Known, int]] = {
    "another error": (
        replace(FAULTY, findings=(*FAULTY.findings, replace(FOUND, place="bin/codex"))),
        ALL,
        24,
    ),
    "another check": (
        replace(FAULTY, findings=(*FAULTY.findings, replace(FOUND, check="elf-x"))),
        ALL,
        24,
    ),
    "other bytes": (replace(FAULTY, sha256=Sha256("3" * 64)), ALL, 24),
    "a provenance that is not valid": (
        replace(FAULTY, provenance=replace(FAULTY.provenance, state=ProvenanceState.NOT_VALID)),
        ALL,
        24,
    ),
    "no error at all": (replace(FAULTY, findings=()), ALL, 24),
    "another release": (replace(NOT_REBUILT, tag="rust-v0.162.0"), ALL, 12),
    "another platform": (replace(NOT_REBUILT, platform="win_arm64"), ALL, 12),
    "every platform": (
        replace(NOT_REBUILT, platform="win_arm64"),
        Known(gaps=(replace(GAP, platform="*"),)),
        0,
    ),
    "a wheel that could not be read": (replace(NOT_REBUILT, status=Status.NOT_DECIDED), ALL, 11),
    "a different wheel": (
        replace(FAULTY, outcome=Outcome.DIFFERENT, status=Status.DIFFERENT, answer=Answer.NO),
        ALL,
        10,
    ),
}


@pytest.mark.parametrize("case", OTHERS)
def test_only_what_is_named_is_accepted(case: str) -> None:
    verdict, known, exit_status = OTHERS[case]

    assert accepted(verdict, known).exit_status == exit_status


UNUSED: dict[str, tuple[Verdict, Selection, list[str]]] = {
    "all are used, one each": (FAULTY, ONE_RELEASE, ["gap rust-v0.163.0 win_amd64"]),
    "the package is there now": (IDENTICAL, ONE_RELEASE, [str(GAP), str(FINDING)]),
    "another release is audited": (
        replace(IDENTICAL, tag="rust-v0.162.0", sha256=Sha256("3" * 64)),
        Selection(tags=(OTHER,)),
        [],
    ),
    "another platform is audited": (
        replace(IDENTICAL, platform="win_arm64", sha256=Sha256("3" * 64)),
        Selection(tags=(RELEASE,), platforms=("win_arm64",)),
        [],
    ),
    "later releases are audited": (
        replace(IDENTICAL, tag="rust-v0.164.0", sha256=Sha256("3" * 64)),
        Selection(tags=None, since=CodexTag.parse("0.164.0")),
        [],
    ),
    "the error is of another check": (
        replace(FAULTY, findings=(replace(FOUND, check="elf-x"),)),
        ONE_RELEASE,
        [str(GAP), str(FINDING)],
    ),
    "the check finds no error": (
        replace(FAULTY, findings=(replace(FOUND, severity=Severity.NOTE),)),
        ONE_RELEASE,
        [str(GAP), str(FINDING)],
    ),
    "everything is audited": (
        replace(IDENTICAL, sha256=Sha256("3" * 64)),
        EVERYTHING,
        [str(GAP), str(FINDING)],
    ),
}


@pytest.mark.parametrize("case", UNUSED)
def test_an_entry_that_matches_nothing_is_found_in_the_run_that_it_is_about(case: str) -> None:
    verdict, selection, unused = UNUSED[case]

    assert [str(entry) for entry in ALL.unused_in(report(verdict), selection)] == unused


def test_a_gap_on_all_platforms_is_unused_if_one_audited_platform_has_a_package() -> None:
    gap = replace(GAP, platform="*")
    selection = Selection(tags=(RELEASE,), platforms=("win_arm64",))
    audited = report(replace(IDENTICAL, platform="win_arm64"))

    assert Known(gaps=(gap,)).unused_in(audited, selection) == (gap,)


FILE = f"""\
[[gap]]
release = "rust-v0.163.0"
platform = "win_amd64"
reason = "not on this channel"

[[finding]]
sha256 = "{IDENTICAL.sha256}"
check = "elf-musl"
place = "{VOICE}/*"
reason = "reported"
"""


def test_the_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "known.toml"
    path.write_text(FILE)

    assert read_known(path) == ALL


def test_spaces_around_a_text_do_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "known.toml"
    path.write_text(
        FILE.replace('"reported"', '" reported "').replace('"0.163.0"', '" 0.163.0"'), encoding="utf-8"
    )
    assert read_known(path) == ALL


def test_an_empty_file_accepts_nothing(tmp_path: Path) -> None:
    path = tmp_path / "known.toml"
    path.write_text("")

    assert read_known(path) == Known()


MALFORMED: dict[str, tuple[str, str]] = {
    "no TOML": ("[[gap]\n", "not TOML"),
    "not UTF-8": ("\udcff", "not TOML"),
    "an unknown table": ("[[gaps]]\nrelease = 'x'\n", "unknown key 'gaps'; did you mean 'gap'"),
    "no list": ("gap = 'x'\n", r"'gap' should be written as \[\[gap\]\]"),
    "a missing key": (FILE.replace('reason = "reported"\n', ""), "finding 1: 'reason' should be a text"),
    "another key": (FILE + 'since = "0.1.0"\n', "finding 1: unknown key 'since'"),
    "no reason": (FILE.replace('"reported"', '" "'), "finding 1: 'reason' should be a text"),
    "a number": (FILE.replace('"reported"', "7"), "finding 1: 'reason' should be a text"),
    "no digest": (FILE.replace(str(IDENTICAL.sha256), "abc"), "abc"),
    "no release": (FILE.replace("rust-v0.163.0", "newest"), "newest"),
    "an unknown platform": (FILE.replace("win_amd64", "banana"), "banana"),
    "a check that cannot be accepted": (FILE.replace("elf-musl", "archive-bomb"), "cannot be waived"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_file_is_refused(tmp_path: Path, case: str) -> None:
    content, message = MALFORMED[case]
    path = tmp_path / "known.toml"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))

    with pytest.raises(UsageError, match=message) as refused:
        read_known(path)
    assert str(refused.value).startswith(str(path))
    assert refused.value.hint is not None
    assert refused.value.hint.startswith("Write [[gap]] entries with release, platform and reason")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused:
        read_known(tmp_path / "known.toml")
    assert str(refused.value) == f"{tmp_path / 'known.toml'}: No such file or directory"
