"""Verify Apple code signatures on any host, as ``codesign --verify --strict`` does.

Not checked here: whether the certificate was revoked (`assess` compares it with a list), whether
Apple notarized the program (that needs Apple's servers; a stapled ticket is not decoded), and whether
the designated requirement holds on some machine.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from factory.core.trust_level import Level
from factory.executables.image_bytes import ImageBytes, MalformedImage
from factory.executables.macho_frame import MachoFrame, UniversalTable
from factory.executables.signatures.apple_slice import not_valid, read_slice, unsigned
from factory.executables.signatures.certificates import TrustedRoot
from factory.executables.signatures.result import SignatureResult

_CHUNK_BYTES = 1 << 18
# The level of a universal file is the first of these that one of its slices has.
_WEAKEST_FIRST = (Level.SIGNATURE_NOT_VALID, Level.NOTHING_KNOWN, Level.AUTHORSHIP_VERIFIED)


def read_apple_signature(
    path: Path, *, now: datetime, roots: tuple[TrustedRoot, ...]
) -> SignatureResult | None:
    """Verify the code signature of a Mach-O file; None if it has no signature.

    A universal file has the level of its weakest slice. A valid ad hoc signature names no signer,
    so its level is `Level.NOTHING_KNOWN`. Malformed files get a level, too.

    Args:
        path: The file; it is read in chunks.
        now: The time for which certificates are checked if there is no timestamp. Later timestamps
            are rejected.
        roots: The trusted roots.
    """
    with ImageBytes.open(path) as image:
        try:
            table = UniversalTable.read(image)
            frames = {frame.architecture: frame for frame in map(MachoFrame.read, table.slices)}
            has_gaps = _has_unsigned_gaps(image, table)
        except MalformedImage as error:
            return not_valid(f"it cannot be read: {error.reason}")
        results = {name: read_slice(frame, roots=roots, now=now) for name, frame in frames.items()}
    if not any(results.values()):
        return None
    if len(frames) < len(table.slices):
        return not_valid("it has two slices for one architecture")
    if has_gaps:
        return not_valid("it has unsigned bytes outside its slices")
    return _whole({name: result or unsigned() for name, result in results.items()})


def _has_unsigned_gaps(image: ImageBytes, table: UniversalTable) -> bool:
    return any(
        any(chunk)
        for offset, size_bytes in table.gaps(image)
        for chunk in image.chunks(offset, size_bytes, chunk_bytes=_CHUNK_BYTES)
    )


def _whole(results: Mapping[str, SignatureResult]) -> SignatureResult:
    """Return the result of the weakest slice with the details of all slices."""
    if len(results) == 1:
        return next(iter(results.values()))
    signers = [result.signature.signer for result in results.values()]
    if len({signer.identifier for signer in signers if signer is not None}) > 1:
        return not_valid("its slices are signed by different teams")
    name, weakest = min(results.items(), key=lambda item: _WEAKEST_FIRST.index(item[1].level))
    details = tuple(
        f"{each}: {detail}" for each, result in results.items() for detail in result.signature.details
    )
    return SignatureResult(
        level=weakest.level,
        reason=f"{name}: {weakest.reason}",
        signature=replace(weakest.signature, details=details, serials=_serials(results)),
    )


def _serials(results: Mapping[str, SignatureResult]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(serial for result in results.values() for serial in result.signature.serials))
