"""Trust assessments in JSON: one form for `factory trust`, the manifest and the audit report."""

from datetime import UTC, datetime

from factory.core.digests import Sha256
from factory.core.json_reader import JsonObject
from factory.core.trust_level import Level, Scheme, Signature, Signer, TrustAssessment


def assessment_to_json(assessment: TrustAssessment) -> dict[str, object]:
    """Return an assessment with its place and digest."""
    return {"place": assessment.place, "sha256": str(assessment.sha256), **evidence_to_json(assessment)}


def evidence_to_json(assessment: TrustAssessment) -> dict[str, object]:
    """Return level, reason and signature, for JSON that has the place and digest already."""
    signature = assessment.signature
    return {
        "level": assessment.level.value,
        "reason": assessment.reason,
        "signature": None if signature is None else _signature_to_json(signature),
    }


def assessment_from_json(data: JsonObject, *, place: str, sha256: Sha256) -> TrustAssessment:
    """Read what `evidence_to_json` wrote.

    Raises:
        MalformedJson: A member is missing or of another kind.
        ValueError: A level, a scheme or a time is not valid.
    """
    signature = data.child_or_none("signature")
    return TrustAssessment(
        place=place,
        sha256=sha256,
        level=Level(data.text("level")),
        reason=data.text("reason"),
        signature=None if signature is None else _signature_from_json(signature),
    )


def _signature_to_json(signature: Signature) -> dict[str, object]:
    signer = signature.signer
    return {
        "scheme": signature.scheme.value,
        "signer": None
        if signer is None
        else {
            "name": signer.name,
            "organization": signer.organization,
            "identifier": signer.identifier,
            "root": signer.root,
        },
        "signed_at": None if signature.signed_at is None else format_utc(signature.signed_at),
        "details": list(signature.details),
    }


def _signature_from_json(data: JsonObject) -> Signature:
    signer = data.child_or_none("signer")
    signed_at = data.text_or_none("signed_at")
    return Signature(
        scheme=Scheme(data.text("scheme")),
        signer=None
        if signer is None
        else Signer(
            name=signer.text("name"),
            organization=signer.text_or_none("organization"),
            identifier=signer.text_or_none("identifier"),
            root=signer.text("root"),
        ),
        signed_at=None if signed_at is None else datetime.fromisoformat(signed_at),
        details=data.texts("details"),
    )


def format_utc(moment: datetime) -> str:
    """Write a moment in UTC to the second, ``2026-10-15T20:18:40Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
