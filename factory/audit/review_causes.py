"""Turn the reviews of members into causes, and combine them with the differences from a rebuild.

A review says what a member is, a difference how it differs from the rebuild. Where both are about
one member they become one cause.
"""

from collections.abc import Iterator, Sequence
from operator import attrgetter

from factory.audit.verdict import Cause
from factory.core.trust_level import Level, TrustAssessment
from factory.verify.baseline.member_kinds import MemberKind, MemberReview
from factory.verify.reading.contents import WheelContents

_EXECUTABLE_IDS = {
    MemberKind.PAYLOAD_MOVED: "executable-moved",
    MemberKind.PAYLOAD_OF_OTHER_TARGET: "executable-of-another-target",
    MemberKind.PAYLOAD_OF_OTHER_RELEASE: "executable-of-another-release",
    MemberKind.PAYLOAD_UNKNOWN: "executable-not-upstream",
}
_EXECUTABLE_DIFFERENCES = {"executable-not-upstream", "executable-re-signed"}
_SEPARATE = {"mode"}
"""Differences that say something else than what the member is."""
_LESS_EXACT = {"member-added", "member-missing"}
_OF_BACKEND_FILES = {
    "METADATA": ("metadata", "METADATA is not that of reviewed wheels: installers and people read it."),
    "WHEEL": (
        "wheel-file",
        "WHEEL is not as in reviewed wheels: it controls how installers unpack the wheel.",
    ),
    "RECORD": (
        "record",
        "RECORD does not describe the members: installers use it to verify files and to uninstall them.",
    ),
}


def combined_causes(
    reviews: Sequence[MemberReview], differences: Sequence[Cause], contents: WheelContents
) -> tuple[Cause, ...]:
    """Return one cause for each member that is not known, then the other differences.

    Args:
        reviews: What each member is.
        differences: How the wheel differs from its rebuild.
        contents: The wheel.
    """
    odd = {review.name: review for review in reviews if not review.kind.is_known}
    combined = [
        _combined(
            review,
            [one for one in differences if one.place == review.name and one.id not in _SEPARATE],
            contents,
        )
        for review in odd.values()
    ]
    left = [cause for cause in differences if cause.place not in odd or cause.id in _SEPARATE]
    return (*combined, *left)


def _combined(review: MemberReview, differences: Sequence[Cause], contents: WheelContents) -> Cause:
    id_, sentence = _named(review, differences, contents)
    evidence = [review.evidence, *(one.evidence for one in differences if one.id not in _LESS_EXACT)]
    signed = _signed_by(review.name, contents.assessments)
    severities = (review.kind.severity, *(one.severity for one in differences))
    return Cause(
        id=id_,
        severity=min(severities, key=attrgetter("position")),
        place=review.name,
        sentence=sentence,
        evidence="; ".join(filter(None, [*evidence, *signed])),
    )


def _named(review: MemberReview, differences: Sequence[Cause], contents: WheelContents) -> tuple[str, str]:
    """Return the id and the sentence: those of the review, or of a difference that is more exact."""
    kind, member = review.kind, contents.member(review.name)
    exact = next((one for one in differences if one.id not in _LESS_EXACT), None)
    is_re_signed = exact is not None and exact.id == "executable-re-signed"
    if exact is not None and (
        kind is MemberKind.FOREIGN or (is_re_signed and kind is MemberKind.PAYLOAD_UNKNOWN)
    ):
        return exact.id, exact.sentence
    folder, _, base = review.name.rpartition("/")
    if kind is MemberKind.FOREIGN and folder.endswith(".dist-info") and base in _OF_BACKEND_FILES:
        return _OF_BACKEND_FILES[base]
    is_executable = (member is not None and member.kind.is_executable_image) or (
        exact is not None and exact.id in _EXECUTABLE_DIFFERENCES
    )
    return (_EXECUTABLE_IDS.get(kind, kind.value) if is_executable else kind.value), kind.sentence


def _signed_by(place: str, assessments: Sequence[TrustAssessment]) -> Iterator[str]:
    """Yield who signed an executable, if the signature is valid."""
    for assessment in assessments:
        signature = assessment.signature
        if assessment.place != place or assessment.level is not Level.AUTHORSHIP_VERIFIED:
            continue
        if signature is not None and signature.signer is not None:
            day = "" if signature.signed_at is None else f" on {signature.signed_at:%Y-%m-%d}"
            yield f"signed by {signature.signer.name}{day}"
