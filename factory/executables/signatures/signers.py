"""Who is expected to have signed, with sources: the only table of signers.

A signature that holds tells who signed, and not that this is who should have. Upstream's
signers are few and have not changed in any release that was looked at (docs/trust.md).
"""

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass

from factory.core.trust_level import Level, Scheme, Signature, TrustAssessment


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedSigner:
    """Who signs in one scheme, and how that is known.

    Attributes:
        scheme: Of the signature.
        organization: As the certificate must name it; None where none is named.
        identifier: What the signer must be known by; None where names alone tell.
        name: The signer's name, as a regular expression; None where any will do.
        source: Where this is from.
    """

    scheme: Scheme
    organization: str | None = None
    identifier: str | None = None
    name: str | None = None
    source: str

    def made(self, signature: Signature) -> bool:
        """Whether a signature, which must be one that holds, is of this signer."""
        signer = signature.signer
        return (
            signer is not None
            and signature.scheme is self.scheme
            and (self.organization is None or signer.organization == self.organization)
            and (self.identifier is None or signer.identifier == self.identifier)
            and (self.name is None or re.fullmatch(self.name, signer.name) is not None)
        )

    def __str__(self) -> str:
        """Name the signer for a person."""
        named = (self.organization, self.identifier, self.name)
        return ", ".join(text for text in named if text is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsignedCompanion:
    """A program that its project releases without a signature.

    Attributes:
        file_name: In the wheel, whatever its directory.
        reason: Why it has none, and how that is known.
    """

    file_name: str
    reason: str


SIGNERS: tuple[ExpectedSigner, ...] = (
    ExpectedSigner(
        scheme=Scheme.APPLE,
        identifier="2DC432GLL2",
        name="Developer ID Application: .+",
        source=(
            "the Team ID in the Developer ID certificate of every macOS executable of 0.131.0, 0.147.0 and "
            "0.163.0; OpenAI's applications for macOS carry the same one. Apple gives each member of a team "
            "a certificate for development with the same Team ID, and that is no release"
        ),
    ),
    ExpectedSigner(
        scheme=Scheme.AUTHENTICODE,
        organization="OpenAI OpCo, LLC",
        identifier="1.3.6.1.4.1.311.97.34411380.685553541.718322805.135574919",
        source=(
            "the organization and the subscriber's lasting identity (an extended key usage of Microsoft's "
            "Trusted Signing) in the certificate of every signed Windows executable of the same releases"
        ),
    ),
    ExpectedSigner(
        scheme=Scheme.SIGSTORE,
        identifier="https://token.actions.githubusercontent.com",
        name=(
            r"https://github\.com/openai/codex/\.github/workflows/rust-release\.yml"
            r"@refs/tags/rust-v[0-9][0-9A-Za-z.-]*"
        ),
        source="upstream's release workflow, which signs its Linux executables with cosign as itself",
    ),
)

UNSIGNED: tuple[UnsignedCompanion, ...] = (
    UnsignedCompanion(
        file_name="rg.exe",
        reason="ripgrep's own releases for Windows are unsigned, and upstream bundles them as they are",
    ),
)


def expected_signer(scheme: Scheme) -> ExpectedSigner:
    """Return who signs in a scheme."""
    return next(signer for signer in SIGNERS if signer.scheme is scheme)


def is_unexpected(assessment: TrustAssessment) -> bool:
    """Whether an executable's signature holds and is somebody else's."""
    signature = assessment.signature
    return (
        assessment.level is Level.AUTHORSHIP_VERIFIED
        and signature is not None
        and not expected_signer(signature.scheme).made(signature)
    )


def unsigned_companion(place: str) -> UnsignedCompanion | None:
    """Return what is known of a program that nobody signs, by its file name."""
    name = posixpath.basename(place)
    return next((companion for companion in UNSIGNED if companion.file_name == name), None)


def without_authorship(assessments: Iterable[TrustAssessment]) -> tuple[TrustAssessment, ...]:
    """Return the executables whose expected author is not proved.

    A companion that nobody signs counts as long as it has no signature at all: it is listed
    as what it is, and a signature on it that does not hold is still one.
    """
    return tuple(
        assessment
        for assessment in assessments
        if (assessment.level is not Level.AUTHORSHIP_VERIFIED or is_unexpected(assessment))
        and not (assessment.signature is None and unsigned_companion(assessment.place))
    )
