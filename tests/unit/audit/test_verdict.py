"""What follows from the values of verdicts and reports."""

from dataclasses import replace

import pytest

from factory.audit.answer import Answer, Status
from factory.audit.origin import LocalOrigin
from factory.audit.verdict import (
    Accepted,
    AcceptedThing,
    AuditReport,
    Outcome,
    ProvenanceState,
    UnexpectedFile,
    Verdict,
    first_breaks,
)
from factory.core.model import Severity
from tests.origins import listed
from tests.statements import DIFFERENT, IDENTICAL, NOT_REBUILT, WRONG, report

FAULTY = replace(
    IDENTICAL,
    status=Status.FAITHFUL_WITH_ERRORS,
    answer=Answer.WITH_ERRORS,
    findings=(WRONG, replace(WRONG, severity=Severity.WARNING, place="x")),
)
UNDECIDED = replace(IDENTICAL, status=Status.NOT_DECIDED, answer=Answer.UNDECIDED)
ACCEPTED_ERROR = Accepted(
    thing=AcceptedThing.FINDING, check="elf-musl", place="bin/codex.exe", reason="known"
)
ACCEPTED_GAP = Accepted(thing=AcceptedThing.GAP, place="win_amd64", reason="known")


def test_each_outcome_has_a_sentence_and_two_have_the_same_bytes() -> None:
    assert [(one, one.is_same_bytes, one.meaning[:21]) for one in Outcome] == [
        (Outcome.IDENTICAL, True, "The rebuilt wheel has"),
        (Outcome.REPLAYED, True, "The rebuilt wheel has"),
        (Outcome.EQUIVALENT, False, "Every member is as re"),
        (Outcome.DIFFERENT, False, "Members differ; each "),
        (Outcome.NOT_REBUILT, False, "The wheel was not reb"),
    ]


def test_each_status_has_an_exit_status_and_a_sentence() -> None:
    assert [(one, one.exit_status, one.meaning[:25]) for one in Status] == [
        (Status.FAITHFUL, 0, "The wheel contains the re"),
        (Status.FAITHFUL_WITH_ERRORS, 24, "The wheel is what was rel"),
        (Status.NOTHING_TO_COMPARE, 12, "The channel has no releas"),
        (Status.NOT_DECIDED, 11, "The audit could not look "),
        (Status.DIFFERENT, 10, "The wheel contains someth"),
    ]


def test_five_answers_are_a_yes() -> None:
    assert [one for one in Answer if one.is_yes] == [
        Answer.PASSED,
        Answer.REPLAYED,
        Answer.THIS_FILE,
        Answer.ACCEPTED,
        Answer.PAYLOAD_ONLY,
    ]


NOT_VALID = replace(IDENTICAL.provenance, state=ProvenanceState.NOT_VALID)
STATUSES: dict[str, tuple[Verdict, int]] = {
    "a faithful wheel": (IDENTICAL, 0),
    "a different wheel": (DIFFERENT, 10),
    "a wheel with an error": (FAULTY, 24),
    "an accepted error": (replace(FAULTY, accepted=(ACCEPTED_ERROR,)), 0),
    "an error at another place": (
        replace(FAULTY, accepted=(replace(ACCEPTED_ERROR, place="bin/rg.exe"),)),
        24,
    ),
    "an error of another check": (replace(FAULTY, accepted=(replace(ACCEPTED_ERROR, check="elf-x"),)), 24),
    "an accepted text": (
        replace(FAULTY, accepted=(replace(ACCEPTED_ERROR, thing=AcceptedThing.TEXT),)),
        24,
    ),
    "an accepted error that is not there": (
        replace(FAULTY, findings=(), accepted=(ACCEPTED_ERROR,)),
        24,
    ),
    "an accepted error and a provenance that is not valid": (
        replace(FAULTY, accepted=(ACCEPTED_ERROR,), provenance=NOT_VALID),
        24,
    ),
    "a gap": (NOT_REBUILT, 12),
    "an accepted gap": (replace(NOT_REBUILT, accepted=(ACCEPTED_GAP,)), 0),
    "a gap with an accepted finding": (replace(NOT_REBUILT, accepted=(ACCEPTED_ERROR,)), 12),
    "an undecided wheel with an accepted gap": (replace(UNDECIDED, accepted=(ACCEPTED_GAP,)), 11),
}


@pytest.mark.parametrize("case", STATUSES)
def test_what_is_accepted_decides_the_exit_status(case: str) -> None:
    verdict, exit_status = STATUSES[case]
    assert verdict.exit_status == exit_status
    assert report(verdict).exit_status == exit_status


def test_the_errors_are_the_findings_that_are_errors() -> None:
    assert FAULTY.errors == (WRONG,)


@pytest.mark.parametrize(
    ("verdict", "is_yanked"),
    [
        (IDENTICAL, False),
        (replace(IDENTICAL, origin=listed(IDENTICAL.sha256, yanked="")), True),
        (replace(IDENTICAL, origin=LocalOrigin(name="x.whl")), False),
    ],
)
def test_only_an_index_can_yank(verdict: Verdict, *, is_yanked: bool) -> None:
    assert verdict.is_yanked is is_yanked


def test_a_whole_chain_has_an_asset_for_each_executable() -> None:
    (known,), (unknown,) = IDENTICAL.chain, DIFFERENT.chain
    assert IDENTICAL.has_whole_chain
    assert not replace(IDENTICAL, chain=(known, unknown)).has_whole_chain
    assert not replace(IDENTICAL, chain=()).has_whole_chain


@pytest.mark.parametrize(
    ("audited", "exit_status"),
    [
        (report(), 11),
        (report(IDENTICAL, replace(NOT_REBUILT, platform="x")), 12),
        (report(NOT_REBUILT, FAULTY), 24),
        (report(FAULTY, UNDECIDED), 11),
        (report(UNDECIDED, DIFFERENT), 10),
        (replace(report(IDENTICAL), unexpected=(UnexpectedFile(name="x", reason="y"),)), 11),
        (replace(report(IDENTICAL), absent=("the index has no wheel of rust-v0.1.0",)), 11),
        (replace(report(DIFFERENT), absent=("the index has no wheel of rust-v0.1.0",)), 10),
    ],
)
def test_the_worst_wheel_decides_the_exit_status_of_an_audit(audited: AuditReport, exit_status: int) -> None:
    assert audited.exit_status == exit_status


def test_a_break_is_a_wheel_that_differs_after_an_identical_one_for_its_platform() -> None:
    other = replace(IDENTICAL, platform="win_arm64")
    equivalent = replace(IDENTICAL, outcome=Outcome.EQUIVALENT)
    assert first_breaks([DIFFERENT, IDENTICAL, NOT_REBUILT, equivalent, DIFFERENT]) == (equivalent, DIFFERENT)
    assert first_breaks([other, DIFFERENT]) == ()
