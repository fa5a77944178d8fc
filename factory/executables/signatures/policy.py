"""The policy for trust assessments: trusted roots, known digests, and required authorship."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from factory.core.digests import Sha256
from factory.executables.signatures.certificates import TrustedRoot
from factory.executables.signatures.requirement import Requirement
from factory.executables.signatures.revoked import REVOKED, RevokedCertificate

APPLE_ROOTS: tuple[TrustedRoot, ...] = (
    # https://www.apple.com/certificateauthority/ (AppleIncRootCertificate.cer, valid 2006 to 2035)
    TrustedRoot(
        name="Apple Root CA",
        sha256=Sha256("b0b1730ecbc7ff4505142c49f1295e6eda6bcaed7e2c68c5be91b5a11001f024"),
    ),
)
"""The root of Developer ID certificates and of Apple's timestamps; every signature includes it."""

MICROSOFT_ROOTS: tuple[TrustedRoot, ...] = (
    TrustedRoot(
        name="Microsoft Identity Verification Root Certificate Authority 2020",
        sha256=Sha256("5367f20c7ade0e2bca790915056d086b720c33c1fa2a2661acf787e3292e1270"),
    ),
)
"""The root of Microsoft's Trusted Signing, for signers and timestamps; signatures include the certificate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustPolicy:
    """The inputs of trust assessments, besides the executables.

    Attributes:
        apple_roots: The roots for Apple code signatures.
        microsoft_roots: The roots for Authenticode.
        now: Signatures from the future are rejected.
        sigstore_root: The trust root for sigstore bundles; by default that of the sigstore package.
        bundles: The sigstore bundle of an executable, by the digest of its content.
        promises: The release package with an executable, by the digest of its content; the channel
            promises the digest of the package.
        required: The platforms for which authorship must be verified.
        revoked: Signers' certificates that are known to be revoked.
    """

    apple_roots: tuple[TrustedRoot, ...] = APPLE_ROOTS
    microsoft_roots: tuple[TrustedRoot, ...] = MICROSOFT_ROOTS
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    sigstore_root: Path | None = None
    bundles: Mapping[Sha256, bytes] = field(default_factory=dict)
    promises: Mapping[Sha256, str] = field(default_factory=dict)
    required: Requirement = field(default_factory=Requirement)
    revoked: tuple[RevokedCertificate, ...] = REVOKED
