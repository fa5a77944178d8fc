"""The decision: each kind of evidence gives its outcome, and nothing else does."""

from dataclasses import replace

import pytest

from factory.audit.answer import Answer, Status
from factory.audit.audited import AuditedWheel, Failure, FailureKind, NotRebuilt
from factory.audit.compare import ComparedWheel, Comparison, ExaminedWheel
from factory.audit.decide import verdict_on
from factory.audit.evidence import PayloadEvidence, VerifyErrors
from factory.audit.evidence_of import evidence_of, payload_evidence
from factory.audit.verdict import (
    Accepted,
    AcceptedThing,
    Cause,
    ChainLink,
    Outcome,
    ProvenanceState,
    ServedProvenance,
    TrustedText,
)
from factory.core.digests import Sha256
from factory.core.model import Finding, Severity
from factory.verify.baseline.member_kinds import MemberKind, MemberReview
from factory.verify.inspection import Inspection, inspect
from tests.audits import INFERRED, audited_file
from tests.origins import listed
from tests.wheels import INFO, file_name, good_wheel

ONE, TWO = Sha256("1" * 64), Sha256("2" * 64)
LINUX = file_name("manylinux_2_17_x86_64")
CLAIMED = ChainLink(member="codex_cli_bin/bin/codex", sha256=ONE, asset="pkg:npm/x", path="bin/codex")
READ = replace(CLAIMED, sha256=TWO)
INIT = "codex_cli_bin/__init__.py"
ODD_TEXT = TrustedText(place="codex_cli_bin/x.py", use="the template", sha256=ONE, text="x")
KNOWN_TEXT = replace(ODD_TEXT, place=INIT)
WITH_TEXTS = replace(INFERRED, chain=(CLAIMED,), trust_base=(ODD_TEXT, KNOWN_TEXT))
PAYLOAD = MemberReview(name="codex_cli_bin/bin/codex", kind=MemberKind.PAYLOAD)
TEXT = MemberReview(name=INIT, kind=MemberKind.KNOWN_TEXT)
RECORD = MemberReview(name=f"{INFO}/RECORD", kind=MemberKind.DIST_INFO)
KNOWN = (PAYLOAD, TEXT, RECORD)
FINDING = Finding(check="a-check", severity=Severity.ERROR, place="x", evidence="seen", remedy="do")


def cause(severity: Severity) -> Cause:
    return Cause(id=f"a-{severity}", severity=severity, place="x", sentence="It differs.", evidence="seen")


NOTE, WARNING, ERROR = (cause(one) for one in (Severity.NOTE, Severity.WARNING, Severity.ERROR))


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> AuditedWheel:
    return audited_file(good_wheel().write(tmp_path_factory.mktemp("wheel")))


@pytest.fixture(scope="module")
def inspection(tmp_path_factory: pytest.TempPathFactory) -> Inspection:
    directory = tmp_path_factory.mktemp("inspected")
    return replace(inspect(good_wheel().write(directory), scratch=directory), findings=())


def compared(
    audited: AuditedWheel,
    inspection: Inspection,
    comparison: Comparison | None,
    *reviews: MemberReview,
) -> ComparedWheel:
    return ComparedWheel(
        audited=audited,
        inferred=INFERRED,
        rebuilt=TWO,
        inspection=inspection,
        reviews=reviews or KNOWN,
        chain=(READ,),
        comparison=comparison,
    )


@pytest.mark.parametrize(
    ("comparison", "outcome", "replayed"),
    [
        (None, Outcome.IDENTICAL, ()),
        (Comparison(members=(), container=(NOTE,), is_replayed=True), Outcome.REPLAYED, ("a-note",)),
        (Comparison(members=(), container=(NOTE, WARNING)), Outcome.EQUIVALENT, ()),
        (Comparison(members=(), container=()), Outcome.EQUIVALENT, ()),
        (Comparison(members=(), container=(NOTE, ERROR)), Outcome.DIFFERENT, ()),
        (Comparison(members=(NOTE,), container=()), Outcome.DIFFERENT, ()),
        (Comparison(members=(ERROR,), container=(NOTE,)), Outcome.DIFFERENT, ()),
    ],
)
def test_the_comparison_decides_the_outcome(
    audited: AuditedWheel,
    inspection: Inspection,
    comparison: Comparison | None,
    outcome: Outcome,
    replayed: tuple[str, ...],
) -> None:
    verdict = verdict_on(compared(audited, inspection, comparison))

    assert (verdict.outcome, verdict.replayed, verdict.reason) == (outcome, replayed, "")
    assert verdict.causes == (() if comparison is None else (*comparison.members, *comparison.container))
    assert verdict.chain == (READ,)
    assert verdict.rebuilt == TWO
    assert verdict.is_inspected


def test_a_verdict_describes_the_wheel_and_its_recipe(audited: AuditedWheel, inspection: Inspection) -> None:
    audited.fetched.size_bytes = 7
    verdict = verdict_on(replace(compared(audited, inspection, None), inferred=WITH_TEXTS))
    audited.fetched.size_bytes = 0

    assert (verdict.name, verdict.tag, verdict.platform) == (LINUX, "0.163.0", "manylinux_2_17_x86_64")
    assert (verdict.sha256, verdict.size_bytes) == (audited.wheel.sha256, audited.wheel.size_bytes)
    assert (verdict.origin, verdict.fetched_bytes) == (audited.wheel.origin, 7)
    assert verdict.inferred == INFERRED.facts
    assert verdict.trust_base == (ODD_TEXT, replace(KNOWN_TEXT, is_known=True))


UNSEEN = MemberReview(name=INIT, kind=MemberKind.UNSEEN_TEXT, evidence="SHA-256 1")
ACCEPTED = MemberReview(name=INIT, kind=MemberKind.ACCEPTED_TEXT, evidence="SHA-256 1: read")
MODULE = MemberReview(name="evil.py", kind=MemberKind.IMPORTABLE, evidence="SHA-256 2")
MOVED = MemberReview(name="codex_cli_bin/x", kind=MemberKind.PAYLOAD_MOVED, evidence="it is bin/codex")
DAMAGED = MemberReview(name=INIT, kind=MemberKind.UNREADABLE, evidence="it ends early")
UNREVIEWED = replace(NOTE, place=INIT)
OF_RECORD = replace(NOTE, place=f"{INFO}/RECORD")
OF_CODEX = replace(ERROR, place="codex_cli_bin/bin/codex")
DIFFERENCES: dict[str, tuple[tuple[Cause, ...], tuple[MemberReview, ...], Status]] = {
    "an unreviewed text": ((UNREVIEWED,), (PAYLOAD, UNSEEN, RECORD), Status.NOT_DECIDED),
    "and RECORD": ((UNREVIEWED, OF_RECORD), (PAYLOAD, UNSEEN, RECORD), Status.NOT_DECIDED),
    "and the mode of a released file": (
        (UNREVIEWED, OF_CODEX),
        (PAYLOAD, UNSEEN, RECORD),
        Status.DIFFERENT,
    ),
    "and RECORD, which does not fit": (
        (UNREVIEWED, OF_RECORD),
        (PAYLOAD, UNSEEN, replace(RECORD, kind=MemberKind.FOREIGN)),
        Status.DIFFERENT,
    ),
    "RECORD alone": ((OF_RECORD,), (PAYLOAD, UNSEEN, RECORD), Status.DIFFERENT),
}


@pytest.mark.parametrize("case", DIFFERENCES)
def test_a_difference_in_unreviewed_texts_alone_is_not_decided(
    audited: AuditedWheel, inspection: Inspection, case: str
) -> None:
    members, reviews, status = DIFFERENCES[case]
    comparison = Comparison(members=members, container=())

    assert verdict_on(compared(audited, inspection, comparison, *reviews)).status is status


REVIEWED: dict[str, tuple[MemberReview, Outcome, Status, Answer]] = {
    "an unseen text": (UNSEEN, Outcome.IDENTICAL, Status.NOT_DECIDED, Answer.UNDECIDED),
    "an accepted text": (ACCEPTED, Outcome.IDENTICAL, Status.FAITHFUL, Answer.ACCEPTED),
    "a module": (MODULE, Outcome.DIFFERENT, Status.DIFFERENT, Answer.NO),
    "a moved executable": (MOVED, Outcome.DIFFERENT, Status.DIFFERENT, Answer.NO),
    "a damaged member": (DAMAGED, Outcome.NOT_REBUILT, Status.NOT_DECIDED, Answer.NONE),
}


@pytest.mark.parametrize("case", REVIEWED)
def test_the_reviews_decide_even_if_the_bytes_are_equal(
    audited: AuditedWheel, inspection: Inspection, case: str
) -> None:
    review, *expected = REVIEWED[case]
    verdict = verdict_on(compared(listed_by_index(audited), inspection, None, *KNOWN, review))

    assert [verdict.outcome, verdict.status, verdict.answer] == expected
    assert [(one.id, one.place) for one in verdict.causes] == [(review.kind.value, review.name)]


def test_an_accepted_text_is_recorded(audited: AuditedWheel, inspection: Inspection) -> None:
    verdict = verdict_on(compared(audited, inspection, None, *KNOWN, ACCEPTED))

    assert verdict.accepted == (Accepted(thing=AcceptedThing.TEXT, place=INIT, reason="SHA-256 1: read"),)


def listed_by_index(audited: AuditedWheel) -> AuditedWheel:
    wheel = replace(audited.wheel, origin=listed(audited.wheel.sha256))
    return replace(audited, wheel=wheel, reference=wheel)


def test_the_origin_decides_what_a_statement_may_say(audited: AuditedWheel, inspection: Inspection) -> None:
    by_index = listed_by_index(audited)
    other = replace(by_index, wheel=replace(by_index.wheel, origin=listed(ONE)))

    answers = [verdict_on(compared(wheel, inspection, None)).answer for wheel in (by_index, audited, other)]

    assert answers == [Answer.PASSED, Answer.THIS_FILE, Answer.THIS_FILE]


def test_errors_of_the_checks_leave_a_wheel_faithful(audited: AuditedWheel, inspection: Inspection) -> None:
    wrong = replace(inspection, findings=(FINDING,))
    warned = replace(inspection, findings=(replace(FINDING, severity=Severity.WARNING),))

    assert verdict_on(compared(audited, wrong, None)).status is Status.FAITHFUL_WITH_ERRORS
    assert verdict_on(compared(audited, warned, None)).status is Status.FAITHFUL


DIFFERENT_TEXT = replace(ERROR, place=INIT)
DIFFERENT_RECORD = replace(ERROR, place=f"{INFO}/RECORD")
UNPROVED: dict[str, tuple[Comparison, tuple[MemberReview, ...], Status]] = {
    "only an unseen text differs, and RECORD": (
        Comparison(members=(DIFFERENT_TEXT, DIFFERENT_RECORD), container=(NOTE,)),
        (PAYLOAD, UNSEEN, RECORD),
        Status.NOT_DECIDED,
    ),
    "a known text differs": (
        Comparison(members=(DIFFERENT_TEXT, DIFFERENT_RECORD), container=()),
        KNOWN,
        Status.DIFFERENT,
    ),
    "only RECORD differs, beside an unseen text": (
        Comparison(members=(DIFFERENT_RECORD,), container=()),
        (PAYLOAD, UNSEEN, RECORD),
        Status.DIFFERENT,
    ),
    "something else differs, too": (
        Comparison(members=(DIFFERENT_TEXT, ERROR), container=()),
        (PAYLOAD, UNSEEN, RECORD),
        Status.DIFFERENT,
    ),
    "bytes are hidden, too": (
        Comparison(members=(DIFFERENT_TEXT,), container=(ERROR,)),
        (PAYLOAD, UNSEEN, RECORD),
        Status.DIFFERENT,
    ),
}


@pytest.mark.parametrize("case", UNPROVED)
def test_a_difference_in_an_unseen_text_alone_is_for_a_person_to_decide(
    audited: AuditedWheel, inspection: Inspection, case: str
) -> None:
    comparison, reviews, status = UNPROVED[case]

    assert verdict_on(compared(audited, inspection, comparison, *reviews)).status is status


def test_a_local_file_that_differs_from_the_listed_one_is_different(
    audited: AuditedWheel, inspection: Inspection
) -> None:
    comparison, reviews, _ = UNPROVED["only an unseen text differs, and RECORD"]
    local = replace(audited, reference=replace(audited.wheel, sha256=ONE))

    verdict = verdict_on(compared(local, inspection, comparison, *reviews))

    assert verdict.status is Status.DIFFERENT


def test_findings_about_the_whole_file_name_the_published_wheel(
    audited: AuditedWheel, inspection: Inspection
) -> None:
    findings = (replace(FINDING, place="rebuilt.whl"), FINDING)
    verdict = verdict_on(compared(audited, replace(inspection, findings=findings), None))

    assert [finding.place for finding in verdict.findings] == [LINUX, "x"]
    assert verdict.assessments == inspection.contents.assessments


FAILED = {
    FailureKind.OUTSIDE: Status.NOT_DECIDED,
    FailureKind.BUILD: Status.NOT_DECIDED,
    FailureKind.UNREADABLE: Status.NOT_DECIDED,
    FailureKind.NO_RECIPE: Status.NOT_DECIDED,
    FailureKind.NO_PAYLOAD: Status.NOTHING_TO_COMPARE,
}


@pytest.mark.parametrize("kind", FailureKind)
def test_a_failure_is_not_rebuilt_and_keeps_what_is_known(audited: AuditedWheel, kind: FailureKind) -> None:
    failure = Failure(reason="no network", kind=kind)
    verdict = verdict_on(NotRebuilt(audited=audited, failure=failure, inferred=WITH_TEXTS, rebuilt=ONE))

    assert (verdict.outcome, verdict.status) == (Outcome.NOT_REBUILT, FAILED[kind])
    assert verdict.reason == "no network"
    assert (verdict.rebuilt, verdict.chain, verdict.inferred) == (ONE, (CLAIMED,), INFERRED.facts)
    assert not verdict.is_inspected


def test_a_failure_before_the_inference_has_no_recipe(audited: AuditedWheel) -> None:
    verdict = verdict_on(NotRebuilt(audited=audited, failure=Failure(reason="no payload")))

    assert (verdict.inferred, verdict.rebuilt, verdict.chain, verdict.trust_base) == (None, None, (), ())


def examined(
    audited: AuditedWheel,
    inspection: Inspection,
    kind: FailureKind,
    *reviews: MemberReview,
    ambiguous: tuple[Cause, ...] = (),
) -> ExaminedWheel:
    failure = Failure(reason="unknown generator", kind=kind)
    return ExaminedWheel(
        wheel=NotRebuilt(audited=audited, failure=failure),
        inspection=inspection,
        reviews=reviews,
        chain=(READ,),
        ambiguous=ambiguous,
    )


def test_known_members_without_a_recipe_are_equivalent(audited: AuditedWheel, inspection: Inspection) -> None:
    verdict = verdict_on(examined(audited, inspection, FailureKind.NO_RECIPE, *KNOWN))

    assert (verdict.outcome, verdict.answer) == (Outcome.EQUIVALENT, Answer.PAYLOAD_ONLY)
    assert (verdict.reason, verdict.replayed) == ("", ())
    assert [(one.id, one.severity, one.evidence) for one in verdict.causes] == [
        ("recipe-unknown", Severity.WARNING, "unknown generator")
    ]
    assert verdict.is_inspected
    assert (verdict.chain, verdict.inferred) == ((READ,), None)
    places = {text.place for text in verdict.trust_base}
    assert f"{INFO}/WHEEL" in places
    assert "codex_cli_bin/bin/codex" not in places


def test_a_text_that_is_not_utf_8_is_shown_with_escapes(
    audited: AuditedWheel, inspection: Inspection
) -> None:
    member = replace(inspection.contents.by_name[INIT], data=b"caf\xe9\n")
    odd = replace(inspection, contents=replace(inspection.contents, members=(member,)))
    verdict = verdict_on(examined(audited, odd, FailureKind.NO_RECIPE, *KNOWN))

    assert member.sha256 is not None
    assert verdict.trust_base == (
        TrustedText(
            place=INIT,
            use="read, not rebuilt",
            sha256=member.sha256,
            text="caf\\xe9\n",
            is_known=True,
        ),
    )


EXAMINED: dict[str, tuple[FailureKind, tuple[MemberReview, ...], tuple[Cause, ...], Status]] = {
    "an unseen text": (FailureKind.NO_RECIPE, (*KNOWN, UNSEEN), (), Status.NOT_DECIDED),
    "a module": (FailureKind.NO_RECIPE, (*KNOWN, MODULE), (), Status.DIFFERENT),
    "an ambiguous archive": (FailureKind.NO_RECIPE, KNOWN, (ERROR,), Status.DIFFERENT),
    "an archive that cannot be read": (FailureKind.UNREADABLE, KNOWN, (ERROR,), Status.NOT_DECIDED),
    "a module in such an archive": (FailureKind.UNREADABLE, (*KNOWN, MODULE), (ERROR,), Status.DIFFERENT),
    "a build that failed": (FailureKind.BUILD, KNOWN, (), Status.NOT_DECIDED),
    "a module, and a build that failed": (FailureKind.BUILD, (*KNOWN, MODULE), (), Status.DIFFERENT),
    "nothing that could be read": (FailureKind.UNREADABLE, (), (ERROR,), Status.NOT_DECIDED),
}


@pytest.mark.parametrize("case", EXAMINED)
def test_a_wheel_that_was_only_read_is_judged_by_what_was_seen(
    audited: AuditedWheel, inspection: Inspection, case: str
) -> None:
    kind, reviews, ambiguous, status = EXAMINED[case]
    verdict = verdict_on(examined(audited, inspection, kind, *reviews, ambiguous=ambiguous))

    assert verdict.status is status
    assert verdict.reason == ("unknown generator" if verdict.outcome is Outcome.NOT_REBUILT else "")


@pytest.mark.parametrize(
    ("reviews", "evidence"),
    [
        ((), PayloadEvidence.NOT_SEEN),
        ((PAYLOAD,), PayloadEvidence.AS_RELEASED),
        ((PAYLOAD, replace(PAYLOAD, kind=MemberKind.UNREADABLE)), PayloadEvidence.NOT_SEEN),
        ((PAYLOAD, replace(PAYLOAD, kind=MemberKind.PAYLOAD_MOVED)), PayloadEvidence.WRONG),
    ],
)
def test_a_payload_is_as_released_only_if_all_of_it_was_seen(
    reviews: tuple[MemberReview, ...], evidence: PayloadEvidence
) -> None:
    assert payload_evidence(reviews) is evidence


def test_errors_count_in_a_wheel_without_a_recipe(audited: AuditedWheel, inspection: Inspection) -> None:
    failed = NotRebuilt(audited=audited, failure=Failure(kind=FailureKind.NO_RECIPE, reason="unknown"))
    none = ServedProvenance(state=ProvenanceState.NONE, reason="the index names none")
    invalid = replace(none, state=ProvenanceState.NOT_VALID)
    wrong = replace(inspection, findings=(FINDING,))

    def errors(inspected: Inspection, provenance: ServedProvenance) -> VerifyErrors:
        wheel = ExaminedWheel(wheel=failed, inspection=inspected, reviews=KNOWN, chain=(READ,), ambiguous=())
        return evidence_of(wheel, provenance).errors

    assert errors(inspection, none) is VerifyErrors.NONE
    assert errors(inspection, invalid) is VerifyErrors.SOME
    assert errors(wrong, none) is VerifyErrors.SOME
