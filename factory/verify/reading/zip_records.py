"""The records of a zip file, read strictly and with nothing trusted (PKWARE APPNOTE 6.3.10).

The standard library's reader hides what this one is for: it skips bytes before
the archive, takes the last end record that it finds, and believes the central
directory where the local headers say otherwise. Here each of these is a fact.
"""

import struct
from dataclasses import dataclass
from typing import BinaryIO

from factory.verify.reading.contents import Archive, CentralHeader, Header, Problem, ProblemKind

_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR64 = struct.Struct("<4sLQL")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_EXTRA = struct.Struct("<2H")

_LONGEST_COMMENT = 0xFFFF
_SEEN_ELSEWHERE = 0xFFFFFFFF
_ZIP64_EXTRA = 0x0001
_DESCRIPTOR_SIGNATURE = b"PK\x07\x08"
DIRECTORY_LIMIT_BYTES = 16 << 20
"""A real wheel's central directory has a few kilobytes; more than this is never read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndRecord:
    """Where the central directory ends and what it should hold.

    Attributes:
        position: Where the end record itself starts, and `stop` where it and its comment end.
        directory_start: Where the directory really starts, in the file.
        directory_stop: Where it really ends.
        shift_bytes: How far every offset in the archive is off, because something was put before it.
        entries: How many entries it claims.
        disks: How many disks it claims beyond one.
        comment: The archive's comment.
        zip64: Whether zip64 end records are present.
    """

    position: int
    stop: int
    directory_start: int
    directory_stop: int
    shift_bytes: int
    entries: int
    disks: int
    comment: bytes
    zip64: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """The central directory, as far as it could be read."""

    end: EndRecord
    headers: tuple[CentralHeader, ...]
    archive: Archive
    problems: tuple[Problem, ...]


def read_directory(file: BinaryIO, *, size_bytes: int, place: str) -> Directory | Problem:
    """Read the end records and the central directory; a `Problem` when there is no directory at all."""
    ends = _find_ends(file, size_bytes)
    if not ends:
        evidence = "empty file" if size_bytes == 0 else f"no usable zip end record in its {size_bytes} bytes"
        return Problem(kind=ProblemKind.UNREADABLE, place=place, evidence=evidence)
    end = ends[-1]
    headers, evidence = _read_entries(file, end)
    problems = (Problem(kind=ProblemKind.DIRECTORY, place=place, evidence=evidence),) if evidence else ()
    archive = Archive(
        size_bytes=size_bytes,
        suffix_bytes=size_bytes - end.stop,
        comment=end.comment,
        zip64=end.zip64,
        disks=end.disks,
        rival_ends=tuple(rival.position for rival in ends[:-1] if rival.stop >= end.stop),
    )
    return Directory(end=end, headers=headers, archive=archive, problems=problems)


def read_local_header(file: BinaryIO, offset: int) -> tuple[Header, int] | None:
    """Read the local header at an offset, and where its content starts; None if none is there."""
    file.seek(offset)
    fixed = file.read(_LOCAL.size)
    if len(fixed) < _LOCAL.size or not fixed.startswith(b"PK\x03\x04"):
        return None
    _, version, flags, method, time, date, crc, packed, size, name_size, extra_size = _LOCAL.unpack(fixed)
    rest = file.read(name_size + extra_size)
    if len(rest) < name_size + extra_size:
        return None
    name, extra = rest[:name_size], rest[name_size:]
    wide = _zip64_values(extra, (size, packed))
    header = Header(
        name=name,
        extract_version=version,
        flags=flags,
        method=method,
        dos_time=time,
        dos_date=date,
        crc32=crc,
        compressed_bytes=wide.values[1],
        size_bytes=wide.values[0],
        extra=extra,
        zip64=wide.present,
    )
    return header, offset + _LOCAL.size + name_size + extra_size


def descriptor_bytes(file: BinaryIO, offset: int, *, crc32: int) -> int:
    """Tell how long the data descriptor at an offset is: with or without signature and 64-bit sizes.

    The length stands nowhere (APPNOTE 4.3.9), so the forms are told apart by
    what follows them, which can only be another record. No form fits: 0.
    """
    file.seek(offset)
    head = file.read(28)
    crc = struct.pack("<L", crc32)
    lead = 4 if head.startswith(_DESCRIPTOR_SIGNATURE + crc) else 0
    if not head[lead:].startswith(crc):
        return 0
    for length in (lead + 12, lead + 20):
        if head[length : length + 2] == b"PK":
            return length
    return 0


def extra_ids(extra: bytes) -> tuple[int, ...] | None:
    """List the ids of a header's extra fields; None when they do not fill their space exactly."""
    ids: list[int] = []
    position = 0
    while position < len(extra):
        if position + _EXTRA.size > len(extra):
            return None
        field, length = _EXTRA.unpack_from(extra, position)
        position += _EXTRA.size + length
        ids.append(field)
    return tuple(ids) if position == len(extra) else None


def _find_ends(file: BinaryIO, size_bytes: int) -> list[EndRecord]:
    """Find every end record that fits its place; the last is the one that installers take.

    An earlier one is a rival when its comment reaches over the last: a member that
    is itself a stored zip has an end record too, and misleads nobody.
    """
    tail_start = max(0, size_bytes - _END.size - _LONGEST_COMMENT)
    file.seek(tail_start)
    tail = file.read(_END.size + _LONGEST_COMMENT)
    ends: list[EndRecord] = []
    index = tail.find(b"PK\x05\x06")
    while index >= 0:
        if index + _END.size <= len(tail):
            end = _read_end(file, tail_start + index, tail[index:])
            if end is not None:
                ends.append(end)
        index = tail.find(b"PK\x05\x06", index + 1)
    return ends


def _read_end(file: BinaryIO, position: int, tail: bytes) -> EndRecord | None:
    """Read an end record, and the zip64 ones before it; None where the directory cannot be."""
    _, disk, directory_disk, here, entries, length, offset, comment_size = _END.unpack_from(tail)
    comment = tail[_END.size : _END.size + comment_size]
    if len(comment) < comment_size:
        return None
    directory_stop = position
    disks = max(disk, directory_disk) + (here != entries)
    wide = _read_end64(file, position)
    if wide is not None:
        directory_stop, disks, entries, length, offset = wide
    directory_start = directory_stop - length
    shift = directory_start - offset
    if directory_start < 0 or shift < 0 or not _starts_directory(file, directory_start, entries):
        return None
    return EndRecord(
        position=position,
        stop=position + _END.size + comment_size,
        directory_start=directory_start,
        directory_stop=directory_stop,
        shift_bytes=shift,
        entries=entries,
        disks=disks,
        comment=comment,
        zip64=wide is not None,
    )


def _read_end64(file: BinaryIO, end_position: int) -> tuple[int, int, int, int, int] | None:
    """Read the zip64 end record: its position, disks, entries, directory length and offset."""
    locator_position = end_position - _LOCATOR64.size
    if locator_position < _END64.size:
        return None
    file.seek(locator_position)
    locator = file.read(_LOCATOR64.size)
    if not locator.startswith(b"PK\x06\x07"):
        return None
    # Where the locator points does not matter: readers differ on that once something was put
    # before the archive, so the record is taken where it must stand, right before the locator.
    position = locator_position - _END64.size
    file.seek(position)
    record = file.read(_END64.size)
    if not record.startswith(b"PK\x06\x06"):
        return None
    _, _, _, _, disk, directory_disk, here, entries, length, offset = _END64.unpack(record)
    return position, max(disk, directory_disk) + (here != entries), entries, length, offset


def _starts_directory(file: BinaryIO, offset: int, entries: int) -> bool:
    if entries == 0:
        return True
    file.seek(offset)
    return file.read(4) == b"PK\x01\x02"


def _read_entries(file: BinaryIO, end: EndRecord) -> tuple[tuple[CentralHeader, ...], str]:
    """Read all entries until the directory ends or stops making sense; and say what was wrong."""
    length = end.directory_stop - end.directory_start
    file.seek(end.directory_start)
    raw = file.read(min(length, DIRECTORY_LIMIT_BYTES))
    headers: list[CentralHeader] = []
    position = 0
    while position < len(raw):
        entry = _read_entry(raw, position, end.shift_bytes)
        if entry is None:
            return tuple(headers), f"entry {len(headers) + 1} of the central directory is damaged"
        header, position = entry
        headers.append(header)
    if len(raw) < length:
        return tuple(headers), f"the central directory has {length} bytes, {len(raw)} were read"
    if len(headers) != end.entries:
        return tuple(headers), f"{end.entries} entries are claimed, {len(headers)} are there"
    return tuple(headers), ""


def _read_entry(raw: bytes, position: int, shift_bytes: int) -> tuple[CentralHeader, int] | None:
    """Read the entry at a position of the directory, and where the next one starts; None if damaged."""
    if position + _CENTRAL.size > len(raw) or raw[position : position + 4] != b"PK\x01\x02":
        return None
    fixed = _CENTRAL.unpack_from(raw, position)
    _, made_by, version, flags, method, time, date, crc, packed, size = fixed[:10]
    name_size, extra_size, comment_size, disk, _, attributes, offset = fixed[10:]
    extra_start = position + _CENTRAL.size + name_size
    comment_start = extra_start + extra_size
    stop = comment_start + comment_size
    if stop > len(raw):
        return None
    extra = raw[extra_start:comment_start]
    wide = _zip64_values(extra, (size, packed, offset))
    header = CentralHeader(
        name=raw[position + _CENTRAL.size : extra_start],
        extract_version=version,
        flags=flags,
        method=method,
        dos_time=time,
        dos_date=date,
        crc32=crc,
        compressed_bytes=wide.values[1],
        size_bytes=wide.values[0],
        extra=extra,
        zip64=wide.present,
        create_system=made_by >> 8,
        external_attributes=attributes,
        disk=disk,
        offset=wide.values[2] + shift_bytes,
        comment=raw[comment_start:stop],
    )
    return header, stop


@dataclass(frozen=True, slots=True, kw_only=True)
class _Zip64Values:
    values: tuple[int, ...]
    present: bool


def _zip64_values(extra: bytes, values: tuple[int, ...]) -> _Zip64Values:
    """Replace each value that is all ones by the next one of the zip64 extra field (APPNOTE 4.5.3)."""
    position = 0
    while position + _EXTRA.size <= len(extra):
        field, length = _EXTRA.unpack_from(extra, position)
        position += _EXTRA.size
        if field == _ZIP64_EXTRA:
            body = extra[position : position + length]
            wide = iter(struct.unpack(f"<{len(body) // 8}Q", body[: len(body) // 8 * 8]))
            given = tuple(next(wide, value) if value == _SEEN_ELSEWHERE else value for value in values)
            return _Zip64Values(values=given, present=True)
        position += length
    return _Zip64Values(values=values, present=False)
