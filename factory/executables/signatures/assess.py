"""Put one executable on the ladder, from its content and never from its name."""

from dataclasses import dataclass
from pathlib import Path

from factory.core.digests import Sha256
from factory.core.model import FileKind
from factory.core.trust_level import Level, Signature, TrustAssessment
from factory.executables.signatures.apple import read_apple_signature
from factory.executables.signatures.authenticode import read_authenticode
from factory.executables.signatures.policy import TrustPolicy
from factory.executables.signatures.reading import Reading
from factory.executables.signatures.signers import unsigned_companion
from factory.executables.signatures.sigstore_bundles import read_sigstore_bundle
from factory.executables.signatures.sigstore_root import packaged_root


@dataclass(frozen=True, slots=True, kw_only=True)
class Executable:
    """A file to be put on the ladder.

    Attributes:
        path: Where its bytes are.
        place: What to call it: the wheel member, or the file's name.
        sha256: Its content.
        kind: What its first bytes say it is.
    """

    path: Path
    place: str
    sha256: Sha256
    kind: FileKind


def assess(executable: Executable, policy: TrustPolicy) -> TrustAssessment:
    """Say how much is known of who made an executable.

    A signature that is there decides, whether it holds or not; without one it is what a
    channel promises, and who promises it did not say who made it.
    """
    reading = _read(executable, policy)
    if reading is not None and reading.level in {Level.AUTHORSHIP_VERIFIED, Level.SIGNATURE_NOT_VALID}:
        return _assessment(executable, reading.level, reading.reason, reading.signature)
    unsigned = reading.reason if reading is not None else _why_unsigned(executable)
    signature = None if reading is None else reading.signature
    promise = policy.promises.get(executable.sha256)
    if promise is None:
        reason = f"{unsigned}, and no release package is known to hold it"
        return _assessment(executable, Level.NOTHING_KNOWN, reason, signature)
    reason = f"{unsigned}; it is in {promise}, whose digest the channel promises"
    return _assessment(executable, Level.INTEGRITY_ONLY, reason, signature)


def _assessment(
    executable: Executable, level: Level, reason: str, signature: Signature | None
) -> TrustAssessment:
    return TrustAssessment(
        place=executable.place, sha256=executable.sha256, level=level, reason=reason, signature=signature
    )


def _read(executable: Executable, policy: TrustPolicy) -> Reading | None:
    """Read the signature that is inside, or else the one beside it; None when there is neither."""
    inside = _read_inside(executable, policy)
    bundle = policy.bundles.get(executable.sha256)
    if inside is not None or bundle is None:
        return inside
    root = policy.sigstore_root or packaged_root()
    return read_sigstore_bundle(bundle, sha256=executable.sha256, root=root, now=policy.now)


def _read_inside(executable: Executable, policy: TrustPolicy) -> Reading | None:
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
    return f"{executable.kind.value} files have no signature inside"
