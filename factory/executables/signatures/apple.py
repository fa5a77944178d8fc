"""Apple code signatures, read on any host: what ``codesign --verify --strict`` looks at in a file.

What it cannot know: whether the certificate was revoked, whether Apple notarized the
program (the ticket is Apple's to look up, a stapled one is not decoded), and whether
the designated requirement holds on some machine.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from factory.core.trust_level import Level
from factory.executables.image_bytes import ImageBytes, MalformedImage
from factory.executables.macho_frame import MachoFrame, UniversalTable
from factory.executables.signatures.apple_authorship import APPLE_ROOTS
from factory.executables.signatures.apple_slice import not_valid, read_slice, unsigned
from factory.executables.signatures.certificates import TrustedRoot
from factory.executables.signatures.reading import Reading

_CHUNK_BYTES = 1 << 18
# The first of these levels that a slice has is the whole file's.
_WEAKEST_FIRST = (Level.SIGNATURE_NOT_VALID, Level.NOTHING_KNOWN, Level.AUTHORSHIP_VERIFIED)


def read_apple_signature(
    path: Path, *, now: datetime, roots: tuple[TrustedRoot, ...] = APPLE_ROOTS
) -> Reading | None:
    """Judge the code signature of a Mach-O file; None where it has none.

    A universal file is worth what its weakest slice is. An ad hoc signature that holds
    names nobody, so nothing is known by it. Whatever the bytes are, the answer is a level.

    Args:
        path: The file; it is read in pieces.
        now: When certificates are judged that no timestamp goes with; a later timestamp is refused.
        roots: Where chains may end.
    """
    with ImageBytes.open(path) as image:
        try:
            table = UniversalTable.read(image)
            frames = {frame.architecture: frame for frame in map(MachoFrame.read, table.slices)}
            has_gaps = _has_unsigned_gaps(image, table)
        except MalformedImage as error:
            return not_valid(f"it cannot be read: {error.reason}")
        readings = {name: read_slice(frame, roots=roots, now=now) for name, frame in frames.items()}
    if not any(readings.values()):
        return None
    if len(frames) < len(table.slices):
        return not_valid("it has two slices for one architecture")
    if has_gaps:
        return not_valid("bytes of the universal file belong to no architecture, so nobody signed them")
    return _whole({name: reading or unsigned() for name, reading in readings.items()})


def _has_unsigned_gaps(image: ImageBytes, table: UniversalTable) -> bool:
    return any(
        any(chunk)
        for offset, size_bytes in table.gaps(image)
        for chunk in image.chunks(offset, size_bytes, chunk_bytes=_CHUNK_BYTES)
    )


def _whole(readings: Mapping[str, Reading]) -> Reading:
    """Return the weakest slice's reading, with the details of all."""
    if len(readings) == 1:
        return next(iter(readings.values()))
    signers = [reading.signature.signer for reading in readings.values()]
    if len({signer.identifier for signer in signers if signer is not None}) > 1:
        return not_valid("its architectures are signed by different teams")
    name, weakest = min(readings.items(), key=lambda item: _WEAKEST_FIRST.index(item[1].level))
    details = tuple(
        f"{each}: {detail}" for each, reading in readings.items() for detail in reading.signature.details
    )
    return Reading(
        level=weakest.level,
        reason=f"{name}: {weakest.reason}",
        signature=replace(weakest.signature, details=details),
    )
