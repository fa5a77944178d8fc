"""The decision: each kind of evidence gives its outcome, and nothing else does."""

from dataclasses import replace

import pytest

from factory.audit.audited import AuditedWheel, Failure, FailureKind, NotRebuilt
from factory.audit.compare import ComparedWheel, Comparison, ExaminedWheel
from factory.audit.decide import verdict_on
from factory.audit.verdict import Cause, ChainLink, Outcome, TrustedText
from factory.core.digests import Sha256
from factory.core.model import Finding, Severity
from factory.verify.inspection import Inspection, inspect
from tests.audits import INFERRED, audited_file
from tests.wheels import INFO, file_name, good_wheel

ONE, TWO = Sha256("1" * 64), Sha256("2" * 64)
LINUX = file_name("manylinux_2_17_x86_64")
CLAIMED = ChainLink(member="codex_cli_bin/bin/codex", sha256=ONE, asset="pkg:npm/x", path="bin/codex")
READ = replace(CLAIMED, sha256=TWO)
UNUSUAL = TrustedText(place="codex_cli_bin/x.py", use="the template", sha256=ONE, text="x", is_usual=False)
USUAL = replace(UNUSUAL, place="codex_cli_bin/__init__.py", is_usual=True)
WITH_TEXTS = replace(INFERRED, chain=(CLAIMED,), trust_base=(UNUSUAL, USUAL))
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
    return inspect(good_wheel().write(directory), scratch=directory)


def compared(audited: AuditedWheel, inspection: Inspection, comparison: Comparison | None) -> ComparedWheel:
    return ComparedWheel(
        audited=audited,
        inferred=INFERRED,
        rebuilt=TWO,
        inspection=inspection,
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

    assert (verdict.name, verdict.tag, verdict.platform) == (LINUX, "rust-v0.163.0", "manylinux_2_17_x86_64")
    assert (verdict.sha256, verdict.size_bytes) == (audited.wheel.sha256, audited.wheel.size_bytes)
    assert (verdict.origin, verdict.fetched_bytes) == (audited.wheel.origin, 7)
    assert verdict.inferred == INFERRED.facts
    assert verdict.trust_base == (UNUSUAL, USUAL)


def test_a_version_of_another_project_has_no_tag(audited: AuditedWheel, inspection: Inspection) -> None:
    other = replace(audited, wheel=replace(audited.wheel, version="2026.1.post1"))

    assert verdict_on(compared(other, inspection, None)).tag == ""


def test_unusual_texts_come_before_the_differences(audited: AuditedWheel, inspection: Inspection) -> None:
    wheel = compared(audited, inspection, Comparison(members=(ERROR,), container=()))
    verdict = verdict_on(replace(wheel, inferred=WITH_TEXTS))

    assert [(one.id, one.place) for one in verdict.causes] == [
        ("unusual-text", UNUSUAL.place),
        ("a-error", "x"),
    ]
    assert verdict.causes[0].severity is Severity.WARNING
    assert verdict.causes[0].evidence == f"SHA-256 {ONE}"


def test_findings_about_the_whole_file_name_the_published_wheel(
    audited: AuditedWheel, inspection: Inspection
) -> None:
    findings = (replace(FINDING, place="rebuilt.whl"), FINDING)
    verdict = verdict_on(compared(audited, replace(inspection, findings=findings), None))

    assert [finding.place for finding in verdict.findings] == [LINUX, "x"]
    assert verdict.assessments == inspection.contents.assessments


@pytest.mark.parametrize("kind", FailureKind)
def test_a_failure_is_not_rebuilt_and_keeps_what_is_known(audited: AuditedWheel, kind: FailureKind) -> None:
    failure = Failure(reason="no network", kind=kind)
    verdict = verdict_on(NotRebuilt(audited=audited, failure=failure, inferred=WITH_TEXTS, rebuilt=ONE))

    assert (verdict.outcome, verdict.reason) == (Outcome.NOT_REBUILT, "no network")
    assert (verdict.rebuilt, verdict.chain, verdict.inferred) == (ONE, (CLAIMED,), INFERRED.facts)
    assert not verdict.is_inspected


def test_a_failure_before_the_inference_has_no_recipe(audited: AuditedWheel) -> None:
    verdict = verdict_on(NotRebuilt(audited=audited, failure=Failure(reason="no payload")))

    assert (verdict.inferred, verdict.rebuilt, verdict.chain, verdict.trust_base) == (None, None, (), ())


def examined(
    audited: AuditedWheel, inspection: Inspection, outcome: Outcome, *unexplained: Cause
) -> ExaminedWheel:
    failure = Failure(reason="unknown generator", kind=FailureKind.NO_RECIPE)
    return ExaminedWheel(
        wheel=NotRebuilt(audited=audited, failure=failure),
        inspection=inspection,
        chain=(READ,),
        unexplained=unexplained,
        outcome=outcome,
    )


@pytest.mark.parametrize("outcome", [Outcome.REPLAYED, Outcome.EQUIVALENT])
def test_contents_that_prove_the_members_replace_the_reason_by_a_cause(
    audited: AuditedWheel, inspection: Inspection, outcome: Outcome
) -> None:
    verdict = verdict_on(examined(audited, inspection, outcome))

    assert (verdict.outcome, verdict.reason, verdict.replayed) == (Outcome.EQUIVALENT, "", ())
    assert [(one.id, one.severity, one.evidence) for one in verdict.causes] == [
        ("recipe-unknown", Severity.WARNING, "unknown generator")
    ]
    assert verdict.is_inspected
    assert (verdict.chain, verdict.inferred) == ((READ,), None)
    places = {text.place for text in verdict.trust_base}
    assert f"{INFO}/WHEEL" in places
    assert "codex_cli_bin/bin/codex" not in places


def test_contents_that_prove_nothing_keep_the_reason(audited: AuditedWheel, inspection: Inspection) -> None:
    verdict = verdict_on(examined(audited, inspection, Outcome.NOT_REBUILT, ERROR))

    assert (verdict.outcome, verdict.reason) == (Outcome.NOT_REBUILT, "unknown generator")
    assert (verdict.causes, verdict.replayed) == ((ERROR,), ())
    assert verdict.is_inspected
