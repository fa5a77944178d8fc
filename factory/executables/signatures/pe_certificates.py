"""Where a PE file keeps its Authenticode signatures, and the digest of what they sign.

Microsoft, "Windows Authenticode Portable Executable Signature Format" and "PE Format",
attribute certificate table. The digest is taken in a stream of our own: LIEF 1.0
computes the same one and needs 728 MB for a codex.exe of 341 MB, this one needs a
chunk. LIEF stays the second reader that the tests hold this one to.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from factory.executables.image_bytes import ImageBytes, MalformedImage

MAX_TABLE_BYTES = 1 << 20
"""Real tables have 16 kB; a table of megabytes is a place to hide something in."""

_CHUNK_BYTES = 1 << 18
_PE32_PLUS = 0x20B
_CHECKSUM_AT = 64
_SECURITY_DIRECTORY = 4
_ENTRY_HEADER_BYTES = 8
_REVISION_2 = 0x200
_PKCS_SIGNED_DATA = 2
_ALIGNMENT = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateTable:
    """A PE file's attribute certificate table.

    Attributes:
        signatures: The content of every entry: DER and the zeros that fill it up.
        offset: Where the table begins; what is signed ends there.
        unsigned: Offset and length of the header fields that no digest covers.
    """

    signatures: tuple[bytes, ...]
    offset: int
    unsigned: tuple[tuple[int, int], ...]


def read_certificates(path: Path) -> CertificateTable | None:
    """Read the table; None when the file has none.

    Raises:
        MalformedImage: The file is no PE, or its table cannot be what a signing tool writes: every
            byte behind the signed ones must be accounted for, since nobody signed it.
    """
    with ImageBytes.open(path) as image:
        (start,) = image.unpack("<I", 0x3C)
        optional = start + 24
        (magic,) = image.unpack("<H", optional)
        count_at = optional + (108 if magic == _PE32_PLUS else 92)
        security = count_at + 4 + 8 * _SECURITY_DIRECTORY
        if image.unpack("<I", count_at)[0] <= _SECURITY_DIRECTORY:
            return None
        offset, size_bytes = image.unpack("<II", security)
        if size_bytes == 0:
            return None
        _require_last(image, offset, size_bytes, after=security + 8)
        return CertificateTable(
            signatures=tuple(_entries(image.window(offset, size_bytes))),
            offset=offset,
            unsigned=((optional + _CHECKSUM_AT, 4), (security, 8)),
        )


def _require_last(image: ImageBytes, offset: int, size_bytes: int, *, after: int) -> None:
    end = offset + size_bytes
    if offset < after:
        raise MalformedImage(f"its certificates begin at {offset}, within its headers")
    if end > image.size_bytes:
        raise MalformedImage(f"its certificates end at {end}, and the file at {image.size_bytes}")
    if end < image.size_bytes:
        raise MalformedImage(
            f"{image.size_bytes - end} bytes follow its certificates, and nobody signed them"
        )
    if size_bytes > MAX_TABLE_BYTES:
        raise MalformedImage(f"its certificates take {size_bytes} bytes, more than {MAX_TABLE_BYTES}")


def _entries(table: ImageBytes) -> Iterator[bytes]:
    position = 0
    while position < table.size_bytes:
        length, revision, kind = table.unpack("<IHH", position)
        if length <= _ENTRY_HEADER_BYTES:
            raise MalformedImage(f"a certificate entry of {length} bytes has no content")
        if (revision, kind) != (_REVISION_2, _PKCS_SIGNED_DATA):
            raise MalformedImage(f"a certificate entry of revision {revision:#x} and type {kind}")
        yield table.read(position + _ENTRY_HEADER_BYTES, length - _ENTRY_HEADER_BYTES)
        position += -(-length // _ALIGNMENT) * _ALIGNMENT


def authentihash(path: Path, table: CertificateTable, algorithm: str) -> bytes:
    """Hash what a signature covers: all of the file but two header fields and the table.

    Args:
        path: The file.
        table: Its table.
        algorithm: As `hashlib` names it.
    """
    hasher = hashlib.new(algorithm)
    with path.open("rb") as file:
        for start, end in _signed_ranges(table):
            file.seek(start)
            left = end - start
            while left and (chunk := file.read(min(left, _CHUNK_BYTES))):
                hasher.update(chunk)
                left -= len(chunk)
    return hasher.digest()


def _signed_ranges(table: CertificateTable) -> Iterator[tuple[int, int]]:
    position = 0
    for start, size_bytes in table.unsigned:
        yield position, start
        position = start + size_bytes
    yield position, table.offset
