"""Decide the verdict on a wheel from what the earlier steps found; nothing is read here."""

from dataclasses import replace
from typing import assert_never

from factory.audit.audited import AuditedWheel, Failure, FailureKind, NotRebuilt
from factory.audit.compare import ComparedWheel, Comparison, ExaminedWheel
from factory.audit.decision_table import Decision, decide
from factory.audit.evidence import (
    Evidence,
    OtherMembers,
    PayloadEvidence,
    Reading,
    Rebuild,
    VerifyErrors,
    Voucher,
)
from factory.audit.index import PublishedWheel
from factory.audit.infer import Inferred
from factory.audit.no_recipe import recipe_unknown, texts_of
from factory.audit.origin import ListedOrigin
from factory.audit.verdict import Cause, Outcome, Verdict
from factory.core.digests import Sha256
from factory.core.model import Severity
from factory.verify.inspection import Inspection


def verdict_on(wheel: ComparedWheel | ExaminedWheel | NotRebuilt) -> Verdict:
    """Return the verdict on a wheel."""
    match wheel:
        case ComparedWheel():
            return _on_compared(wheel)
        case ExaminedWheel():
            return _on_examined(wheel)
        case NotRebuilt():
            decision = decide(_evidence(wheel.audited, reading=_reading(wheel.failure)))
            verdict = _verdict(decision, wheel.audited, wheel.inferred, wheel.rebuilt)
            return replace(verdict, reason=wheel.failure.reason)
        case _:
            assert_never(wheel)


def _on_compared(wheel: ComparedWheel) -> Verdict:
    comparison = wheel.comparison
    evidence = replace(
        _evidence(wheel.audited, inspection=wheel.inspection),
        payload=PayloadEvidence.AS_RELEASED,
        others=OtherMembers.KNOWN,
        rebuild=_rebuild(comparison),
    )
    decision = decide(evidence)
    verdict = _verdict(decision, wheel.audited, wheel.inferred, wheel.rebuilt)
    causes = () if comparison is None else comparison.causes
    return replace(
        _with_inspection(verdict, wheel.inspection),
        causes=(*verdict.causes, *causes),
        replayed=tuple(cause.id for cause in causes) if decision.outcome is Outcome.REPLAYED else (),
        chain=wheel.chain,
    )


def _rebuild(comparison: Comparison | None) -> Rebuild:
    if comparison is None:
        return Rebuild.IDENTICAL
    if comparison.is_replayed:
        return Rebuild.REPLAYED
    return Rebuild.EQUIVALENT if comparison.is_harmless else Rebuild.DIFFERENT


def _on_examined(wheel: ExaminedWheel) -> Verdict:
    audited, reason = wheel.wheel.audited, wheel.wheel.failure.reason
    is_proved = wheel.outcome is not Outcome.NOT_REBUILT
    evidence = replace(
        _evidence(audited, inspection=wheel.inspection, reading=_reading(wheel.wheel.failure)),
        payload=PayloadEvidence.AS_RELEASED if is_proved else PayloadEvidence.NOT_SEEN,
        others=OtherMembers.KNOWN if is_proved else OtherMembers.NOT_SEEN,
        rebuild=Rebuild.NO_RECIPE if is_proved else Rebuild.NOT_DONE,
    )
    verdict = _verdict(decide(evidence), audited, wheel.wheel.inferred, wheel.wheel.rebuilt)
    return replace(
        _with_inspection(verdict, wheel.inspection),
        reason="" if is_proved else reason,
        causes=(recipe_unknown(audited.wheel.name, reason),) if is_proved else wheel.unexplained,
        chain=wheel.chain,
        trust_base=texts_of(wheel.inspection.contents),
    )


def _reading(failure: Failure) -> Reading:
    """Return whether the failure of a step means that something was not read."""
    match failure.kind:
        case FailureKind.NO_PAYLOAD:
            return Reading.NO_PAYLOAD
        case FailureKind.OUTSIDE | FailureKind.UNREADABLE:
            return Reading.FAILED
        case FailureKind.NO_RECIPE:
            return Reading.DONE
        case _:
            assert_never(failure.kind)


def _evidence(
    audited: AuditedWheel, *, inspection: Inspection | None = None, reading: Reading = Reading.DONE
) -> Evidence:
    """Return the evidence on a wheel whose members were not compared."""
    if inspection is None:
        errors = VerifyErrors.NOT_RUN
    else:
        errors = VerifyErrors.SOME if inspection.errors else VerifyErrors.NONE
    return Evidence(
        reading=reading,
        payload=PayloadEvidence.NOT_SEEN,
        others=OtherMembers.NOT_SEEN,
        rebuild=Rebuild.NOT_DONE,
        errors=errors,
        voucher=_voucher(audited.wheel),
    )


def _voucher(wheel: PublishedWheel) -> Voucher:
    origin = wheel.origin
    is_listed = isinstance(origin, ListedOrigin) and origin.sha256 == wheel.sha256
    return Voucher.INDEX if is_listed else Voucher.NO_INDEX


def _verdict(
    decision: Decision, audited: AuditedWheel, inferred: Inferred | None, rebuilt: Sha256 | None
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
        outcome=decision.outcome,
        status=decision.status,
        answer=decision.answer,
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
