"""What is trusted, what is known from elsewhere, and what is demanded: a ladder's only options."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from factory.core.digests import Sha256
from factory.executables.signatures.apple_authorship import APPLE_ROOTS
from factory.executables.signatures.certificates import TrustedRoot
from factory.executables.signatures.requirement import Requirement

MICROSOFT_ROOTS: tuple[TrustedRoot, ...] = (
    TrustedRoot(
        name="Microsoft Identity Verification Root Certificate Authority 2020",
        sha256=Sha256("5367f20c7ade0e2bca790915056d086b720c33c1fa2a2661acf787e3292e1270"),
    ),
)
"""The root of Microsoft's Trusted Signing, for signers and for times; signatures carry the certificate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustPolicy:
    """What assessments rest on besides the executables' own bytes, and what they must reach.

    Attributes:
        apple_roots: Where the chain of an Apple code signature may end.
        microsoft_roots: Where an Authenticode chain may end.
        now: Signatures from the future are refused.
        sigstore_root: The trust root of sigstore bundles; the package's own when None.
        bundles: Content to the sigstore bundle that is beside it.
        promises: Content to who promises it: a release package whose digest its channel states.
        required: Of which platforms authorship is demanded.
    """

    apple_roots: tuple[TrustedRoot, ...] = APPLE_ROOTS
    microsoft_roots: tuple[TrustedRoot, ...] = MICROSOFT_ROOTS
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    sigstore_root: Path | None = None
    bundles: Mapping[Sha256, bytes] = field(default_factory=dict)
    promises: Mapping[Sha256, str] = field(default_factory=dict)
    required: Requirement = field(default_factory=Requirement)
