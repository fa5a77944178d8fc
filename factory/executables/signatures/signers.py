"""The table of expected signers, with sources.

A valid signature says who signed, not who should have. Upstream has few signers, and they are the
same in all releases that were examined (docs/trust.md).
"""

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from factory.core.trust_level import Level, Scheme, Signature, TrustAssessment


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedSigner:
    """The expected signer in one scheme; a field that is None is not compared.

    Attributes:
        organization: The organization in the certificate.
        identifier: The platform's identifier of the signer.
        name: A regular expression for the signer's name.
        source: How this signer is known.
    """

    scheme: Scheme
    organization: str | None = None
    identifier: str | None = None
    name: str | None = None
    source: str

    def made(self, signature: Signature) -> bool:
        """Whether this signer made a valid signature."""
        signer = signature.signer
        return (
            signer is not None
            and signature.scheme is self.scheme
            and (self.organization is None or signer.organization == self.organization)
            and (self.identifier is None or signer.identifier == self.identifier)
            and (self.name is None or re.fullmatch(self.name, signer.name) is not None)
        )

    def __str__(self) -> str:
        """Return organization, identifier and name, for messages."""
        named = (self.organization, self.identifier, self.name)
        return ", ".join(text for text in named if text is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsignedCompanion:
    """A program that its project releases without a signature.

    Attributes:
        file_name: The file name in the wheel, in any directory.
        reason: Why it is unsigned, and how that is known.
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
            "0.163.0; OpenAI's applications for macOS have the same one. The name must match, too: the "
            "development certificates of a team's members have the same Team ID"
        ),
    ),
    ExpectedSigner(
        scheme=Scheme.AUTHENTICODE,
        organization="OpenAI OpCo, LLC",
        identifier="1.3.6.1.4.1.311.97.34411380.685553541.718322805.135574919",
        source=(
            "the organization and the subscriber's durable identity (an extended key usage of Microsoft's "
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

_MOST_APART = timedelta(days=1)
"""A release's executables are signed within minutes of each other (docs/trust.md)."""

UNSIGNED: tuple[UnsignedCompanion, ...] = (
    UnsignedCompanion(
        file_name="rg.exe",
        reason="ripgrep's own releases for Windows are unsigned, and upstream bundles them as they are",
    ),
)


def expected_signer(scheme: Scheme) -> ExpectedSigner:
    """Return the expected signer in a scheme."""
    return next(signer for signer in SIGNERS if signer.scheme is scheme)


def is_unexpected(assessment: TrustAssessment) -> bool:
    """Whether an executable has a valid signature by an unexpected signer."""
    signature = assessment.signature
    return (
        assessment.level in {Level.AUTHORSHIP_VERIFIED, Level.SIGNER_REVOKED}
        and signature is not None
        and not expected_signer(signature.scheme).made(signature)
    )


def unsigned_companion(place: str) -> UnsignedCompanion | None:
    """Return the entry for a program that is released unsigned, by its file name."""
    name = posixpath.basename(place)
    return next((companion for companion in UNSIGNED if companion.file_name == name), None)


def without_authorship(assessments: Iterable[TrustAssessment]) -> tuple[TrustAssessment, ...]:
    """Return the executables that do not have a valid signature by the expected signer.

    Companions that are released unsigned are exempt, but only without any signature: an invalid one
    is still reported.
    """
    return tuple(
        assessment
        for assessment in assessments
        if (assessment.level is not Level.AUTHORSHIP_VERIFIED or is_unexpected(assessment))
        and not (assessment.signature is None and unsigned_companion(assessment.place))
    )


def signed_apart(assessments: Iterable[TrustAssessment]) -> Iterator[tuple[str, str]]:
    """Yield the oldest executable of each signer that signed a wheel's executables over a day apart.

    Returns:
        The place of the executable, and both times.
    """
    by_signer: defaultdict[tuple[Scheme, str], list[tuple[datetime, str]]] = defaultdict(list)
    for assessment in assessments:
        signature = assessment.signature
        if signature is not None and signature.signer is not None and signature.signed_at is not None:
            signer = signature.signer.identifier or signature.signer.name
            by_signer[signature.scheme, signer].append((signature.signed_at, assessment.place))
    for times in by_signer.values():
        (first, older), (last, newer) = min(times), max(times)
        if last - first > _MOST_APART:
            yield older, f"signed at {first:%Y-%m-%d %H:%M}, but {newer} at {last:%Y-%m-%d %H:%M}"
