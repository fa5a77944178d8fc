"""The records of a zip file (PKWARE APPNOTE 6.3.10, section 4.3), as values that unpack and pack again.

These readers only take a record apart. What to accept is for each caller to decide: the audit
describes every oddity of a wheel, and the reader of release packages refuses it.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO, Self, TypeVar

_LOCAL_SIGNATURE = b"PK\x03\x04"
CENTRAL_SIGNATURE = b"PK\x01\x02"
END_SIGNATURE = b"PK\x05\x06"
DESCRIPTOR_SIGNATURE = b"PK\x07\x08"

STORED = 0
DEFLATED = 8

ENCRYPTED_FLAG = 0x0001
DESCRIPTOR_FLAG = 0x0008
UTF8_FLAG = 0x0800
_ENCRYPTED_DIRECTORY_FLAGS = 0x2040

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_EXTRA = struct.Struct("<2H")
ZIP64_EXTRA = 0x0001
_SEE_ZIP64 = 0xFFFFFFFF

END_BYTES = _END.size
MAX_COMMENT_BYTES = 0xFFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The fields that a member's local header and its central directory entry share (4.3.7, 4.3.12).

    Attributes:
        name: Undecoded.
        extract_version: The version needed to extract; 20 means 2.0.
        method: 0 stored, 8 deflated.
        dos_time: Hours, minutes and seconds / 2 in 5, 6 and 5 bits.
        dos_date: Years since 1980, month and day in 7, 4 and 5 bits.
        crc32: Of the uncompressed content.
        extra: The extra fields, undecoded.
        zip64_is_exact: Whether the zip64 extra field has exactly the values that the other fields leave
            to it. Readers differ about a value that has both (uv 19440). `widened` finds out.
    """

    name: bytes
    extract_version: int
    flags: int
    method: int
    dos_time: int
    dos_date: int
    crc32: int
    compressed_bytes: int
    size_bytes: int
    extra: bytes
    zip64_is_exact: bool = True

    @property
    def is_encrypted(self) -> bool:
        """Whether the content, or the directory itself, is encrypted."""
        return bool(self.flags & (ENCRYPTED_FLAG | _ENCRYPTED_DIRECTORY_FLAGS))

    @property
    def has_descriptor(self) -> bool:
        """Whether CRC and sizes follow the content, in a data descriptor."""
        return bool(self.flags & DESCRIPTOR_FLAG)

    @property
    def zip64(self) -> bool:
        """Whether a zip64 extra field is present."""
        return _zip64_field(self.extra) is not None

    @property
    def moment(self) -> str:
        """The time as ``2020-02-02 00:00:00``, even if there is no such date or time."""
        date, time = self.dos_date, self.dos_time
        return (
            f"{1980 + (date >> 9):04}-{date >> 5 & 15:02}-{date & 31:02} "
            f"{time >> 11:02}:{time >> 5 & 63:02}:{(time & 31) * 2:02}"
        )

    def widened(self) -> Self:
        """Return the header with the sizes that its zip64 extra field gives."""
        given = (self.size_bytes, self.compressed_bytes)
        size, compressed = _widened(self.extra, given)
        is_exact = _is_exact(self.extra, given, len(given))
        return replace(self, size_bytes=size, compressed_bytes=compressed, zip64_is_exact=is_exact)

    def pack_local(self) -> bytes:
        """Return the bytes of the local header."""
        return _LOCAL.pack(_LOCAL_SIGNATURE, *self._numbers()) + self.name + self.extra

    def _numbers(self) -> tuple[int, ...]:
        """Return the numbers that both records have in this order."""
        return (
            self.extract_version,
            self.flags,
            self.method,
            self.dos_time,
            self.dos_date,
            self.crc32,
            self.compressed_bytes,
            self.size_bytes,
            len(self.name),
            len(self.extra),
        )


HeaderT = TypeVar("HeaderT", bound=Header)


@dataclass(frozen=True, slots=True, kw_only=True)
class CentralHeader(Header):
    """An entry of the central directory.

    Attributes:
        create_system: The zip host: 0 MS-DOS and Windows, 3 Unix.
        create_version: The zip version of the writer; 20 means 2.0.
        external_attributes: The file mode in the upper 16 bits, MS-DOS attributes in the lowest 8.
        offset: Where the member's local header starts.
    """

    create_system: int
    create_version: int
    internal_attributes: int
    external_attributes: int
    disk: int
    offset: int
    comment: bytes

    def widened(self) -> Self:
        """Return the entry with the sizes and the offset that its zip64 extra field gives."""
        given = (self.size_bytes, self.compressed_bytes, self.offset)
        size, compressed, offset = _widened(self.extra, given)
        return replace(
            self,
            size_bytes=size,
            compressed_bytes=compressed,
            offset=offset,
            zip64_is_exact=_is_exact(self.extra, given, given.count(_SEE_ZIP64)),
        )

    def pack_central(self) -> bytes:
        """Return the bytes of the entry."""
        fixed = _CENTRAL.pack(
            CENTRAL_SIGNATURE,
            self.create_system << 8 | self.create_version,
            *self._numbers(),
            len(self.comment),
            self.disk,
            self.internal_attributes,
            self.external_attributes,
            self.offset,
        )
        return fixed + self.name + self.extra + self.comment


@dataclass(frozen=True, slots=True, kw_only=True)
class EndRecord:
    """The end of central directory record (4.3.16).

    Attributes:
        disk: The number of this disk; more than 0 only for an archive on several disks.
        directory_disk: The number of the disk on which the directory starts.
        disk_entries: The number of entries on this disk; `entries` counts all.
        directory_offset: Where the directory starts, from the start of the archive.
    """

    disk: int
    directory_disk: int
    disk_entries: int
    entries: int
    directory_bytes: int
    directory_offset: int
    comment: bytes

    @property
    def size_bytes(self) -> int:
        """The size of the record, with its comment."""
        return _END.size + len(self.comment)


def read_local_header(file: BinaryIO, offset: int) -> tuple[Header, int] | None:
    """Return the local header at an offset and the offset of the content; None if no header is there."""
    file.seek(offset)
    fixed = file.read(_LOCAL.size)
    if len(fixed) < _LOCAL.size or not fixed.startswith(_LOCAL_SIGNATURE):
        return None
    _, version, flags, method, time, date, crc, compressed, size, name_bytes, extra_bytes = _LOCAL.unpack(
        fixed
    )
    rest = file.read(name_bytes + extra_bytes)
    if len(rest) < name_bytes + extra_bytes:
        return None
    header = Header(
        name=rest[:name_bytes],
        extract_version=version,
        flags=flags,
        method=method,
        dos_time=time,
        dos_date=date,
        crc32=crc,
        compressed_bytes=compressed,
        size_bytes=size,
        extra=rest[name_bytes:],
    )
    return header, offset + _LOCAL.size + len(rest)


def parse_central_header(raw: bytes, position: int) -> tuple[CentralHeader, int] | None:
    """Return the directory entry at a position and the position of the next; None if it is damaged."""
    if position + _CENTRAL.size > len(raw) or not raw.startswith(CENTRAL_SIGNATURE, position):
        return None
    fixed = _CENTRAL.unpack_from(raw, position)
    _, made_by, version, flags, method, time, date, crc, compressed, size = fixed[:10]
    name_bytes, extra_bytes, comment_bytes, disk, internal, external, offset = fixed[10:]
    name_start = position + _CENTRAL.size
    extra_start = name_start + name_bytes
    comment_start = extra_start + extra_bytes
    stop = comment_start + comment_bytes
    if stop > len(raw):
        return None
    header = CentralHeader(
        name=raw[name_start:extra_start],
        extract_version=version,
        flags=flags,
        method=method,
        dos_time=time,
        dos_date=date,
        crc32=crc,
        compressed_bytes=compressed,
        size_bytes=size,
        extra=raw[extra_start:comment_start],
        create_system=made_by >> 8,
        create_version=made_by & 0xFF,
        internal_attributes=internal,
        external_attributes=external,
        disk=disk,
        offset=offset,
        comment=raw[comment_start:stop],
    )
    return header, stop


def parse_end_record(raw: bytes, position: int = 0) -> EndRecord | None:
    """Return the end record at a position; None if there is no whole one."""
    if position + _END.size > len(raw) or not raw.startswith(END_SIGNATURE, position):
        return None
    _, disk, directory_disk, here, entries, length, offset, comment_bytes = _END.unpack_from(raw, position)
    comment = raw[position + _END.size : position + _END.size + comment_bytes]
    if len(comment) < comment_bytes:
        return None
    return EndRecord(
        disk=disk,
        directory_disk=directory_disk,
        disk_entries=here,
        entries=entries,
        directory_bytes=length,
        directory_offset=offset,
        comment=comment,
    )


def pack_end_record(
    *, entries: int, directory_bytes: int, directory_offset: int, comment: bytes = b""
) -> bytes:
    """Return the bytes of the end record of an archive on one disk."""
    fixed = (END_SIGNATURE, 0, 0, entries, entries, directory_bytes, directory_offset, len(comment))
    return _END.pack(*fixed) + comment


def extra_ids(extra: bytes) -> tuple[int, ...] | None:
    """List the ids of a header's extra fields; None if the fields do not fill the space exactly."""
    ids: list[int] = []
    position = 0
    while position < len(extra):
        if position + _EXTRA.size > len(extra):
            return None
        field, length = _EXTRA.unpack_from(extra, position)
        position += _EXTRA.size + length
        ids.append(field)
    return tuple(ids) if position == len(extra) else None


def _zip64_field(extra: bytes) -> bytes | None:
    """Return the content of the zip64 extra field (4.5.3), even if it is cut off."""
    position = 0
    while position + _EXTRA.size <= len(extra):
        field, length = _EXTRA.unpack_from(extra, position)
        position += _EXTRA.size
        if field == ZIP64_EXTRA:
            return extra[position : position + length]
        position += length
    return None


def _widened(extra: bytes, values: tuple[int, ...]) -> Iterator[int]:
    """Replace each value of all ones by the next one in the zip64 extra field, as long as it has any."""
    field = _zip64_field(extra) or b""
    wide = iter(struct.unpack(f"<{len(field) // 8}Q", field[: len(field) // 8 * 8]))
    return (next(wide, value) if value == _SEE_ZIP64 else value for value in values)


def _is_exact(extra: bytes, values: tuple[int, ...], needed: int) -> bool:
    """Whether the zip64 extra field has the values that are all ones, and no other (4.5.3).

    Args:
        extra: The extra fields.
        values: The values that the field may replace.
        needed: How many values the field must have if there is one; a local header has both sizes.
    """
    field = _zip64_field(extra)
    if field is None:
        return _SEE_ZIP64 not in values
    is_once = (extra_ids(extra) or ()).count(ZIP64_EXTRA) == 1
    return is_once and needed > 0 and values.count(_SEE_ZIP64) == needed and len(field) == 8 * needed
