"""Signers' certificates that are known to be revoked, with sources.

Whether a certificate is revoked can only be asked of its issuer, and the answer changes. This list
has what is known without the network, so a certificate that is not in it can be revoked as well. A
revocation applies to everything that was signed with the certificate, whatever its signing time.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from factory.core.trust_level import Scheme, Signature


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokedCertificate:
    """A signer's certificate that its issuer revoked.

    Attributes:
        serial: Its serial number, ``0x`` and lower-case hex digits.
        team: The platform's identifier of the signer.
        signed: What was signed with it.
        known_since: The date of the first report; the revocation is not later.
        source: How the revocation is known.
    """

    scheme: Scheme
    serial: str
    team: str
    signed: str
    known_since: date
    source: str


REVOKED: tuple[RevokedCertificate, ...] = (
    RevokedCertificate(
        scheme=Scheme.APPLE,
        serial="0x76838837c6ef31e567f3ed81cd2fcfe5",
        team="2DC432GLL2",
        signed="the macOS executables of releases up to 0.130.0, from its issue on 2026-04-07",
        known_since=date(2026, 5, 11),
        source=(
            "macOS reports CSSMERR_TP_CERT_REVOKED or moves the program to the bin: issues 22135, 24246 and "
            "34737 of openai/codex; codex for macOS of npm's 0.128.0 and 0.130.0 has the serial number"
        ),
    ),
)


def revocation_of(signature: Signature, revoked: Iterable[RevokedCertificate]) -> RevokedCertificate | None:
    """Return the revocation of a certificate that a signature was made with, or None."""
    return next(
        (
            entry
            for entry in revoked
            if entry.scheme is signature.scheme and entry.serial in signature.serials
        ),
        None,
    )
