"""Assess the trust level of one executable, by its content and not by its name."""

from dataclasses import dataclass
from pathlib import Path

from factory.core.digests import Sha256
from factory.core.model import FileKind
from factory.core.trust_level import Level, Signature, TrustAssessment
from factory.executables.signatures.apple import read_apple_signature
from factory.executables.signatures.authenticode import read_authenticode
from factory.executables.signatures.policy import TrustPolicy
from factory.executables.signatures.result import SignatureResult
from factory.executables.signatures.revoked import revocation_of
from factory.executables.signatures.signers import unsigned_companion
from factory.executables.signatures.sigstore_bundles import read_sigstore_bundle
from factory.executables.signatures.sigstore_root import packaged_root


@dataclass(frozen=True, slots=True, kw_only=True)
class Executable:
    """A file to assess.

    Attributes:
        place: The name to show: the wheel member, or the file name.
    """

    path: Path
    place: str
    sha256: Sha256
    kind: FileKind


def assess(executable: Executable, policy: TrustPolicy) -> TrustAssessment:
    """Return the trust level of an executable, with the evidence.

    A signature decides, whether it is valid or not. Without one, a release package whose digest the
    channel promises gives integrity, but does not say who made the file.
    """
    result = _read(executable, policy)
    if result is not None and result.level is not Level.NOTHING_KNOWN:
        return _signed(executable, result, policy)
    unsigned = result.reason if result is not None else _why_unsigned(executable)
    signature = None if result is None else result.signature
    promise = policy.promises.get(executable.sha256)
    if promise is None:
        reason = f"{unsigned}, and no release package was given that has it"
        return _assessment(executable, Level.NOTHING_KNOWN, reason, signature)
    reason = f"{unsigned}; it is in {promise}, whose digest the channel promises"
    return _assessment(executable, Level.INTEGRITY_ONLY, reason, signature)


def _signed(executable: Executable, result: SignatureResult, policy: TrustPolicy) -> TrustAssessment:
    revoked = revocation_of(result.signature, policy.revoked)
    if result.level is Level.SIGNATURE_NOT_VALID or revoked is None:
        return _assessment(executable, result.level, result.reason, result.signature)
    reason = (
        f"the signature fits the file, but the certificate {revoked.serial} of {revoked.team} is revoked"
        f" (known since {revoked.known_since})"
    )
    return _assessment(executable, Level.SIGNER_REVOKED, reason, result.signature)


def _assessment(
    executable: Executable, level: Level, reason: str, signature: Signature | None
) -> TrustAssessment:
    return TrustAssessment(
        place=executable.place, sha256=executable.sha256, level=level, reason=reason, signature=signature
    )


def _read(executable: Executable, policy: TrustPolicy) -> SignatureResult | None:
    """Read the embedded signature, or else the bundle beside the file; None without either."""
    embedded = _read_embedded(executable, policy)
    bundle = policy.bundles.get(executable.sha256)
    if embedded is not None or bundle is None:
        return embedded
    root = policy.sigstore_root or packaged_root()
    return read_sigstore_bundle(bundle, sha256=executable.sha256, root=root, now=policy.now)


def _read_embedded(executable: Executable, policy: TrustPolicy) -> SignatureResult | None:
    match executable.kind:
        case FileKind.PE:
            return read_authenticode(executable.path, policy)
        case FileKind.MACHO:
            return read_apple_signature(executable.path, now=policy.now, roots=policy.apple_roots)
        case FileKind.ELF | FileKind.SCRIPT | FileKind.DATA:
            return None


def _why_unsigned(executable: Executable) -> str:
    companion = unsigned_companion(executable.place)
    if companion is not None:
        return f"it has no signature ({companion.reason})"
    if executable.kind in {FileKind.PE, FileKind.MACHO}:
        return "it has no signature"
    return f"{executable.kind.value} files have no embedded signature"
