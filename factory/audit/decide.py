"""Make the verdict on a wheel from what the earlier steps found; nothing is read here."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import assert_never

from factory.audit.audited import AuditedWheel, Inferred, NotRebuilt
from factory.audit.compare import ComparedWheel, ExaminedWheel
from factory.audit.decision_table import Decision, decide
from factory.audit.evidence import Rebuild
from factory.audit.evidence_of import evidence_of
from factory.audit.provenance import provenance_causes
from factory.audit.review_causes import combined_causes
from factory.audit.verdict import (
    NOT_LOOKED_UP,
    Accepted,
    AcceptedThing,
    Cause,
    Outcome,
    ServedProvenance,
    TrustedText,
    Verdict,
)
from factory.core.digests import Sha256
from factory.core.model import Severity
from factory.verify.baseline.member_kinds import MemberClass, MemberReview
from factory.verify.inspection import Inspection
from factory.verify.reading.contents import WheelContents


def verdict_on(
    wheel: ComparedWheel | ExaminedWheel | NotRebuilt, provenance: ServedProvenance = NOT_LOOKED_UP
) -> Verdict:
    """Return the verdict on a wheel.

    Args:
        wheel: What the steps of the audit found.
        provenance: Who published the wheel, as the index states it.
    """
    evidence = evidence_of(wheel, provenance)
    decision = decide(evidence)
    match wheel:
        case ComparedWheel():
            verdict = _on_compared(wheel, decision, evidence.rebuild)
        case ExaminedWheel():
            verdict = _on_examined(wheel, decision)
        case NotRebuilt():
            verdict = base_verdict(decision, wheel.audited, wheel.inferred, wheel.rebuilt)
            verdict = replace(verdict, reason=wheel.failure.reason)
        case _:
            assert_never(wheel)
    causes = (*verdict.causes, *provenance_causes(verdict.name, provenance))
    return replace(verdict, provenance=provenance, causes=causes)


def _on_compared(wheel: ComparedWheel, decision: Decision, rebuild: Rebuild) -> Verdict:
    differences = () if wheel.comparison is None else wheel.comparison.causes
    if rebuild is Rebuild.NO_RECIPE:  # RECORD fits the members, so its difference follows from theirs
        differences = tuple(cause for cause in differences if not cause.place.endswith("/RECORD"))
    verdict = base_verdict(decision, wheel.audited, wheel.inferred, wheel.rebuilt)
    return replace(
        with_contents(verdict, wheel.inspection, wheel.reviews),
        causes=combined_causes(wheel.reviews, differences, wheel.inspection.contents),
        replayed=tuple(cause.id for cause in differences) if decision.outcome is Outcome.REPLAYED else (),
        chain=wheel.chain,
    )


def _on_examined(wheel: ExaminedWheel, decision: Decision) -> Verdict:
    audited, reason = wheel.wheel.audited, wheel.wheel.failure.reason
    verdict = base_verdict(decision, audited, wheel.wheel.inferred, wheel.wheel.rebuilt)
    causes = combined_causes(wheel.reviews, wheel.ambiguous, wheel.inspection.contents)
    return replace(
        with_contents(verdict, wheel.inspection, wheel.reviews),
        reason=reason if decision.outcome is Outcome.NOT_REBUILT else "",
        causes=(*causes, _not_rebuilt(audited.wheel.name, reason)),
        chain=wheel.chain,
    )


def base_verdict(
    decision: Decision, audited: AuditedWheel, inferred: Inferred | None, rebuilt: Sha256 | None
) -> Verdict:
    """Return a verdict with what every verdict has."""
    wheel = audited.wheel
    return Verdict(
        name=wheel.name,
        tag=wheel.version,
        platform=wheel.platform,
        size_bytes=wheel.size_bytes,
        sha256=wheel.sha256,
        origin=wheel.origin,
        outcome=decision.outcome,
        status=decision.status,
        answer=decision.answer,
        rebuilt=rebuilt,
        chain=() if inferred is None else inferred.chain,
        trust_base=() if inferred is None else inferred.trust_base,
        inferred=None if inferred is None else inferred.facts,
        fetched_bytes=audited.fetched.size_bytes,
    )


def with_contents(verdict: Verdict, inspection: Inspection, reviews: Sequence[MemberReview]) -> Verdict:
    """Add what the whole contents show; a finding on the whole file names the published wheel."""
    known = {review.name for review in reviews if review.kind.is_known}
    texts = verdict.trust_base or tuple(_texts_of(inspection.contents))
    return replace(
        verdict,
        findings=tuple(
            replace(finding, place=verdict.name) if finding.place.endswith(".whl") else finding
            for finding in inspection.findings
        ),
        assessments=inspection.contents.assessments,
        is_inspected=True,
        trust_base=tuple(replace(text, is_known=text.place in known) for text in texts),
        accepted=tuple(_accepted_texts(reviews)),
    )


def _texts_of(wheel: WheelContents) -> Iterator[TrustedText]:
    """Yield all members except executables as texts for the report."""
    for member in wheel.members:
        if not member.kind.is_executable_image and member.data is not None and member.sha256 is not None:
            yield TrustedText(
                place=member.name,
                use="read, not rebuilt",
                sha256=member.sha256,
                text=member.data.decode("utf-8", "backslashreplace"),
            )


def _accepted_texts(reviews: Sequence[MemberReview]) -> Iterator[Accepted]:
    for review in reviews:
        if review.kind.member_class is MemberClass.ACCEPTED:
            yield Accepted(thing=AcceptedThing.TEXT, place=review.name, reason=review.evidence)


def _not_rebuilt(place: str, reason: str) -> Cause:
    return Cause(
        id="recipe-unknown",
        severity=Severity.WARNING,
        place=place,
        sentence="The wheel was not rebuilt, so its members were only read.",
        evidence=reason,
    )
