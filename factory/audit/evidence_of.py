"""Reduce what the steps of an audit found about a wheel to evidence, the input of the decision."""

from collections.abc import Iterable

from factory.audit.audited import AuditedWheel, Failure, FailureKind, NotRebuilt
from factory.audit.compare import ComparedWheel, Comparison, ExaminedWheel
from factory.audit.evidence import (
    Evidence,
    OtherMembers,
    PayloadEvidence,
    Reading,
    Rebuild,
    VerifyErrors,
    Voucher,
)
from factory.audit.origin import ListedOrigin
from factory.audit.published import dist_info_of
from factory.audit.verdict import ProvenanceState, ServedProvenance
from factory.verify.baseline.member_kinds import MemberClass, MemberReview

_UNREVIEWED = {MemberClass.NOT_SEEN, MemberClass.ACCEPTED}


def evidence_of(wheel: ComparedWheel | ExaminedWheel | NotRebuilt, provenance: ServedProvenance) -> Evidence:
    """Return the evidence on a wheel; a provenance that is not valid counts as an error in it."""
    is_false = provenance.state is ProvenanceState.NOT_VALID
    match wheel:
        case ComparedWheel():
            return Evidence(
                reading=Reading.DONE,
                payload=payload_evidence(wheel.reviews),
                others=others_evidence(wheel.reviews),
                rebuild=_compared(wheel),
                errors=VerifyErrors.SOME if is_false or wheel.inspection.errors else VerifyErrors.NONE,
                voucher=voucher_of(wheel.audited),
            )
        case ExaminedWheel():
            return Evidence(
                reading=_reading(wheel.wheel.failure),
                payload=payload_evidence(wheel.reviews),
                others=others_evidence(wheel.reviews),
                rebuild=_examined(wheel),
                errors=VerifyErrors.SOME if is_false or wheel.inspection.errors else VerifyErrors.NONE,
                voucher=voucher_of(wheel.wheel.audited),
            )
        case NotRebuilt():
            return Evidence(
                reading=_reading(wheel.failure),
                payload=PayloadEvidence.NOT_SEEN,
                others=OtherMembers.NOT_SEEN,
                rebuild=Rebuild.NOT_DONE,
                errors=VerifyErrors.NOT_RUN,
                voucher=voucher_of(wheel.audited),
            )


def payload_evidence(reviews: Iterable[MemberReview]) -> PayloadEvidence:
    """Return the evidence on payload files."""
    classes = {review.kind.member_class for review in reviews}
    if MemberClass.WRONG_PAYLOAD in classes:
        return PayloadEvidence.WRONG
    is_seen = classes and MemberClass.UNREADABLE not in classes
    return PayloadEvidence.AS_RELEASED if is_seen else PayloadEvidence.NOT_SEEN


def others_evidence(reviews: Iterable[MemberReview]) -> OtherMembers:
    """Return the evidence on the other members: that of the worst one."""
    found = {_other(review.kind.member_class) for review in reviews}
    return max(found, key=list(OtherMembers).index, default=OtherMembers.NOT_SEEN)


def _other(member_class: MemberClass) -> OtherMembers:
    match member_class:
        case MemberClass.KNOWN | MemberClass.WRONG_PAYLOAD:
            return OtherMembers.KNOWN
        case MemberClass.ACCEPTED:
            return OtherMembers.ACCEPTED
        case MemberClass.UNREADABLE:
            return OtherMembers.NOT_SEEN
        case MemberClass.NOT_SEEN:
            return OtherMembers.UNSEEN_TEXT
        case MemberClass.OUTSIDE_BASELINE:
            return OtherMembers.FORBIDDEN


def _compared(wheel: ComparedWheel) -> Rebuild:
    comparison = wheel.comparison
    if comparison is None:
        return Rebuild.IDENTICAL
    if comparison.is_replayed:
        return Rebuild.REPLAYED
    if comparison.is_harmless:
        return Rebuild.EQUIVALENT
    return Rebuild.NO_RECIPE if _differs_in_unreviewed_texts_only(wheel, comparison) else Rebuild.DIFFERENT


def _differs_in_unreviewed_texts_only(wheel: ComparedWheel, comparison: Comparison) -> bool:
    """Whether only unreviewed texts differ, and RECORD, whose review says that it fits the members.

    Then the recipe is wrong, which is no better and no worse than no recipe: otherwise the generator
    that the wheel names would decide how strict the audit is. But a local file that differs from the
    listed one is different in any case.
    """
    audited = wheel.audited
    if audited.reference.sha256 != audited.wheel.sha256 or not comparison.has_sound_container:
        return False
    record = f"{dist_info_of(audited.wheel.name)}/RECORD"
    unreviewed = {review.name for review in wheel.reviews if review.kind.member_class in _UNREVIEWED}
    fitting = {review.name for review in wheel.reviews if review.name == record and review.kind.is_known}
    places = {cause.place for cause in comparison.members}
    return not places.isdisjoint(unreviewed) and places <= unreviewed | fitting


def _examined(wheel: ExaminedWheel) -> Rebuild:
    """Return what the bytes show without a rebuild: an ambiguous archive counts as a different one."""
    if wheel.wheel.failure.kind is not FailureKind.NO_RECIPE:
        return Rebuild.NOT_DONE
    return Rebuild.DIFFERENT if wheel.ambiguous else Rebuild.NO_RECIPE


def _reading(failure: Failure) -> Reading:
    match failure.kind:
        case FailureKind.NO_PAYLOAD:
            return Reading.NO_PAYLOAD
        case FailureKind.OUTSIDE | FailureKind.BUILD | FailureKind.UNREADABLE:
            return Reading.FAILED
        case FailureKind.NO_RECIPE:
            return Reading.DONE


def voucher_of(audited: AuditedWheel) -> Voucher:
    """Return whether an index lists the SHA-256 of a wheel."""
    origin = audited.wheel.origin
    is_listed = isinstance(origin, ListedOrigin) and origin.sha256 == audited.wheel.sha256
    return Voucher.INDEX if is_listed else Voucher.NO_INDEX
