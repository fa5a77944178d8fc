"""Trust assessments of executables, as values; no I/O.

A level is not a verdict. An equal digest proves which file a channel served; only a signature
proves who made it, and most executables are not signed.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from factory.core.digests import Sha256
from factory.core.form import Form


class Level(StrEnum):
    """How well it is known who made an executable, best first.

    With ``root-unknown`` the file is as it was signed, but the chain of the certificate does not end in a
    root that is pinned here, so the name of the signer proves nothing.
    """

    AUTHORSHIP_VERIFIED = "authorship-verified"
    SIGNER_REVOKED = "signer-revoked"
    SIGNATURE_NOT_VALID = "signature-not-valid"
    ROOT_UNKNOWN = "root-unknown"
    INTEGRITY_ONLY = "integrity-only"
    NOTHING_KNOWN = "nothing-known"


class Scheme(StrEnum):
    """The kind of signature."""

    APPLE = "apple-code-signature"
    AUTHENTICODE = "authenticode"
    SIGSTORE = "sigstore-bundle"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """The signer, as the verified certificate names it.

    Attributes:
        name: The certificate's common name, or a sigstore identity.
        identifier: Apple's Team ID, or the issuer of a sigstore identity.
        root: The name of the trusted root certificate of the chain.
    """

    name: str
    organization: str | None = None
    identifier: str | None = None
    root: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A signature, valid or not.

    Attributes:
        signer: None if no certificate leads to a trusted root, as in an ad-hoc signature.
        signed_at: The time of a verified countersignature; None if there is none.
        details: Other facts, one short statement each: flags, digests, identifier, slices.
        serials: The serial number of each verified signer's certificate, ``0x`` and hex digits. A
            universal file can have one for each slice, and a Windows file can have several signatures.
    """

    scheme: Scheme
    signer: Signer | None
    signed_at: datetime | None
    details: tuple[str, ...] = ()
    serials: tuple[str, ...] = field(default=(), metadata={Form.MAY_BE_MISSING: True})


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustAssessment:
    """The trust level of one executable, with its evidence.

    Attributes:
        place: The wheel member, or the file's name.
        reason: One sentence: what was verified, or what is wrong or missing.
        signature: The signature that was found, valid or not.
    """

    place: str
    sha256: Sha256
    level: Level
    reason: str
    signature: Signature | None = None
