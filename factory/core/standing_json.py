"""Standings in JSON: one form for the command, the manifest and the audit's report."""

from datetime import UTC, datetime

from factory.core.digests import Sha256
from factory.core.json_reader import JsonObject
from factory.core.trust_level import Level, Scheme, Signature, Signer, Standing


def standing_to_json(standing: Standing) -> dict[str, object]:
    """Return a standing with its place and digest."""
    return {"place": standing.place, "sha256": str(standing.sha256), **rung_to_json(standing)}


def rung_to_json(standing: Standing) -> dict[str, object]:
    """Return what a standing says, for where place and digest stand already."""
    signature = standing.signature
    return {
        "level": standing.level.value,
        "reason": standing.reason,
        "signature": None if signature is None else _signature_to_json(signature),
    }


def rung_from_json(data: JsonObject, *, place: str, sha256: Sha256) -> Standing:
    """Read what `rung_to_json` wrote.

    Raises:
        MalformedJson: A member is missing or of another kind.
        ValueError: A level, a scheme or a time is none.
    """
    signature = data.child_or_none("signature")
    return Standing(
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
        "signed_at": None if signature.signed_at is None else told_time(signature.signed_at),
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


def told_time(moment: datetime) -> str:
    """Write a moment in UTC to the second, ``2026-10-15T20:18:40Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
