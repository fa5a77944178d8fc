"""What can be known of who made an executable, as values; no I/O here.

The levels are a ladder and not a verdict: equal bytes prove what a channel served,
only a signature tells who made it, and most files carry none.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from factory.core.digests import Sha256


class Level(StrEnum):
    """How much is known of who made an executable, most first."""

    AUTHORSHIP_VERIFIED = "authorship-verified"
    SIGNATURE_NOT_VALID = "signature-not-valid"
    INTEGRITY_ONLY = "integrity-only"
    NOTHING_KNOWN = "nothing-known"


class Scheme(StrEnum):
    """How a signature is made and where it is."""

    APPLE = "apple-code-signature"
    AUTHENTICODE = "authenticode"
    SIGSTORE = "sigstore-bundle"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Who signed, as the verified certificate says.

    Attributes:
        name: The certificate's common name, or a sigstore identity.
        organization: The organization, where the certificate names one.
        identifier: What the platform knows the signer by: Apple's Team ID, a sigstore issuer.
        root: The name of the trusted root that the chain ends in.
    """

    name: str
    organization: str | None = None
    identifier: str | None = None
    root: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A signature that is there, valid or not.

    Attributes:
        scheme: Its kind.
        signer: Whose it is; None where no certificate leads to a trusted root, as in an ad-hoc signature.
        signed_at: When, by a countersignature that was verified too; None where nobody vouches for a time.
        details: What else it says, one short statement each: flags, digests, identifier, slices.
    """

    scheme: Scheme
    signer: Signer | None
    signed_at: datetime | None
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustAssessment:
    """The trust level of one executable, with its evidence.

    Attributes:
        place: The wheel member, or the file's name.
        sha256: Its content.
        level: How much is known.
        reason: One sentence: what was verified, or what is wrong or missing.
        signature: The signature that was found, whatever it is worth.
    """

    place: str
    sha256: Sha256
    level: Level
    reason: str
    signature: Signature | None = None
