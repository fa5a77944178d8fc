"""Decide the verdict on a wheel from what the earlier steps found; nothing is read here."""

from dataclasses import replace
from typing import assert_never

from factory.audit.audited import AuditedWheel, NotRebuilt
from factory.audit.compare import ComparedWheel, ExaminedWheel
from factory.audit.infer import Inferred
from factory.audit.no_recipe import REPLAYED, recipe_unknown, texts_of
from factory.audit.verdict import Cause, Outcome, Verdict
from factory.core.digests import Sha256
from factory.core.model import Severity
from factory.verify.inspection import Inspection


def decide(wheel: ComparedWheel | ExaminedWheel | NotRebuilt) -> Verdict:
    """Return the verdict on a wheel."""
    match wheel:
        case ComparedWheel():
            return _on_compared(wheel)
        case ExaminedWheel():
            return _on_examined(wheel)
        case NotRebuilt():
            verdict = _verdict(Outcome.NOT_REBUILT, wheel.audited, wheel.inferred, wheel.rebuilt)
            return replace(verdict, reason=wheel.failure.reason)
        case _:
            assert_never(wheel)


def _on_compared(wheel: ComparedWheel) -> Verdict:
    comparison = wheel.comparison
    if comparison is None:
        outcome = Outcome.IDENTICAL
    elif comparison.is_replayed:
        outcome = Outcome.REPLAYED
    elif comparison.is_harmless:
        outcome = Outcome.EQUIVALENT
    else:
        outcome = Outcome.DIFFERENT
    verdict = _verdict(outcome, wheel.audited, wheel.inferred, wheel.rebuilt)
    causes = () if comparison is None else comparison.causes
    return replace(
        _with_inspection(verdict, wheel.inspection),
        causes=(*verdict.causes, *causes),
        replayed=tuple(cause.id for cause in causes) if outcome is Outcome.REPLAYED else (),
        chain=wheel.chain,
    )


def _on_examined(wheel: ExaminedWheel) -> Verdict:
    audited, reason = wheel.wheel.audited, wheel.wheel.failure.reason
    is_proved = wheel.outcome is not Outcome.NOT_REBUILT
    verdict = _verdict(wheel.outcome, audited, wheel.wheel.inferred, wheel.wheel.rebuilt)
    return replace(
        _with_inspection(verdict, wheel.inspection),
        reason="" if is_proved else reason,
        causes=(recipe_unknown(audited.wheel.name, reason),) if is_proved else wheel.unexplained,
        replayed=REPLAYED if wheel.outcome is Outcome.REPLAYED else (),
        chain=wheel.chain,
        trust_base=texts_of(wheel.inspection.contents),
    )


def _verdict(
    outcome: Outcome, audited: AuditedWheel, inferred: Inferred | None, rebuilt: Sha256 | None
) -> Verdict:
    """Return a verdict with what every verdict has."""
    wheel = audited.wheel
    return Verdict(
        name=wheel.name,
        tag=str(wheel.tag or ""),
        platform=wheel.platform,
        size_bytes=wheel.size_bytes,
        sha256=wheel.sha256,
        origin=wheel.origin,
        outcome=outcome,
        rebuilt=rebuilt,
        causes=() if inferred is None else _unusual_texts(inferred),
        chain=() if inferred is None else inferred.chain,
        trust_base=() if inferred is None else inferred.trust_base,
        inferred=None if inferred is None else inferred.facts,
        fetched_bytes=audited.fetched.size_bytes,
    )


def _unusual_texts(inferred: Inferred) -> tuple[Cause, ...]:
    """Point out texts that the rebuild took from the wheel and that runtime wheels usually lack."""
    return tuple(
        Cause(
            id="unusual-text",
            severity=Severity.WARNING,
            place=text.place,
            sentence="The rebuild took this text from the wheel itself, and runtime wheels usually"
            " have no such member: read it.",
            evidence=f"SHA-256 {text.sha256}",
        )
        for text in inferred.trust_base
        if not text.is_usual
    )


def _with_inspection(verdict: Verdict, inspection: Inspection) -> Verdict:
    """Add the findings of ``factory verify``; a finding on the whole file names the published wheel."""
    return replace(
        verdict,
        findings=tuple(
            replace(finding, place=verdict.name) if finding.place.endswith(".whl") else finding
            for finding in inspection.findings
        ),
        assessments=inspection.contents.assessments,
        is_inspected=True,
    )
