"""Read the attribute certificate table of a PE file, and compute the digest that its signatures sign.

See Microsoft, "Windows Authenticode Portable Executable Signature Format" and "PE Format". The
digest is computed in chunks: LIEF 1.0 needs 728 MB of memory for a codex.exe of 341 MB. The tests
compare the digest with LIEF's.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from factory.core.counted import counted
from factory.executables.image_bytes import ImageBytes, MalformedImage

MAX_TABLE_BYTES = 1 << 20
"""Real tables have 16 kB; a table of megabytes could hide something."""

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
    """The attribute certificate table of a PE file.

    Attributes:
        signatures: The content of each entry: DER with zero padding.
        offset: Start of the table, and end of the signed bytes.
        unsigned: Offset and length of the header fields that are not signed.
    """

    signatures: tuple[bytes, ...]
    offset: int
    unsigned: tuple[tuple[int, int], ...]


def read_certificates(path: Path) -> CertificateTable | None:
    """Read the table; None if the file has no table.

    Raises:
        MalformedImage: The file is not valid PE, or its table is not one that a signing tool writes.
            The table must be at the end of the file, because what follows it is not signed.
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
        raise MalformedImage(f"its certificates start at {offset}, within the headers")
    if end > image.size_bytes:
        raise MalformedImage(
            f"its certificates end at {end}, beyond the end of the file at {image.size_bytes}"
        )
    if end < image.size_bytes:
        raise MalformedImage(f"{image.size_bytes - end} unsigned bytes follow its certificates")
    if size_bytes > MAX_TABLE_BYTES:
        raise MalformedImage(
            f"its certificates have {counted(size_bytes, 'byte')}; the limit is {MAX_TABLE_BYTES}"
        )


def _entries(table: ImageBytes) -> Iterator[bytes]:
    position = 0
    while position < table.size_bytes:
        length, revision, kind = table.unpack("<IHH", position)
        if length <= _ENTRY_HEADER_BYTES:
            raise MalformedImage(f"a certificate entry of {counted(length, 'byte')} has no content")
        if (revision, kind) != (_REVISION_2, _PKCS_SIGNED_DATA):
            raise MalformedImage(f"a certificate entry has the unknown revision {revision:#x} or type {kind}")
        yield table.read(position + _ENTRY_HEADER_BYTES, length - _ENTRY_HEADER_BYTES)
        position += -(-length // _ALIGNMENT) * _ALIGNMENT


def authentihash(path: Path, table: CertificateTable, algorithm: str) -> bytes:
    """Compute the digest that a signature signs: of the file without two header fields and the table."""
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
