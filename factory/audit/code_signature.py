"""Check whether two executables differ only in their code signatures.

The signed digest of a PE leaves out the checksum, the entry of the security directory and the
certificates (Microsoft, "Windows Authenticode Portable Executable Signature Format"). The signature
of a Mach-O is the data to which LC_CODE_SIGNATURE points, at the end of __LINKEDIT.
"""

import hashlib
import struct
from collections.abc import Sequence
from pathlib import Path

from factory.core.model import FileKind
from factory.verify.reading.contents import Member

_CHUNK_BYTES = 1 << 18
_PE_OFFSET_AT = 60
_PE32_PLUS = 0x20B
_CODE_SIGNATURE = 0x1D
_SEGMENT_64 = 0x19
_MACHO_HEADER_BYTES = 32
_LARGEST_HEADER_BYTES = 1 << 20

Holes = Sequence[tuple[int, int]]


def differs_in_signature_only(one: Member, other: Member) -> bool:
    """Whether two executables of one kind are equal except for their signatures.

    An executable that cannot be parsed counts as different: "signed again" is the milder cause and
    needs proof.
    """
    if one.kind is not other.kind or one.extracted is None or other.extracted is None:
        return False
    try:
        return _unsigned_digest(one.extracted, one.kind) == _unsigned_digest(other.extracted, other.kind)
    except (struct.error, ValueError):
        return False


def _unsigned_digest(path: Path, kind: FileKind) -> str:
    with path.open("rb") as file:
        head = file.read(_LARGEST_HEADER_BYTES)
    match kind:
        case FileKind.PE:
            return _digest(path, *_pe_unsigned(head, path.stat().st_size))
        case FileKind.MACHO:
            return _digest(path, *_macho_unsigned(head))
        case FileKind.ELF | FileKind.SCRIPT | FileKind.DATA:
            raise ValueError(kind)


def _pe_unsigned(head: bytes, size_bytes: int) -> tuple[Holes, int]:
    """Return the fields to ignore, and the offset of the certificates."""
    (offset,) = struct.unpack_from("<L", head, _PE_OFFSET_AT)
    optional = offset + 24
    (magic,) = struct.unpack_from("<H", head, optional)
    security = optional + (112 if magic == _PE32_PLUS else 96) + 4 * 8
    start, length = struct.unpack_from("<2L", head, security)
    stop = start if start and start + length == size_bytes else size_bytes
    return ((optional + 64, 4), (security, 8)), stop


def _macho_unsigned(head: bytes) -> tuple[Holes, int]:
    """Return the fields of a 64-bit Mach-O that depend on its signature, and the signature's offset."""
    magic, count = struct.unpack_from("<L", head)[0], struct.unpack_from("<L", head, 16)[0]
    if magic != 0xFEEDFACF:  # noqa: PLR2004 - thin, 64 bits, little-endian: all that upstream releases
        raise ValueError(magic)
    position, holes, stop = _MACHO_HEADER_BYTES, [], 0
    for _ in range(min(count, 1000)):
        command, length = struct.unpack_from("<2L", head, position)
        if command == _CODE_SIGNATURE:
            (stop,) = struct.unpack_from("<L", head, position + 8)
            holes.append((position + 12, 4))
        if command == _SEGMENT_64 and head[position + 8 : position + 24].rstrip(b"\0") == b"__LINKEDIT":
            holes += [(position + 32, 8), (position + 48, 8)]
        position += max(length, 8)
    if not stop:
        raise ValueError("unsigned")
    return tuple(holes), stop


def _digest(path: Path, holes: Holes, stop: int) -> str:
    """Hash a file up to an offset, with the bytes in the holes replaced by zeros."""
    hasher = hashlib.sha256()
    position = 0
    with path.open("rb") as file:
        while chunk := bytearray(file.read(min(_CHUNK_BYTES, stop - position))):
            for start, length in holes:
                begin, end = max(start - position, 0), min(start + length - position, len(chunk))
                if begin < end:
                    chunk[begin:end] = bytes(end - begin)
            hasher.update(chunk)
            position += len(chunk)
    return hasher.hexdigest()
