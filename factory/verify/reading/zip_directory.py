"""Find and read the central directory of a zip file without trusting any field (PKWARE APPNOTE 6.3.10).

`zipfile` hides what the checks look for: it skips bytes before the archive, takes the
last end record that it finds, and ignores local headers that contradict the central
directory. This reader reports each of these.
"""

import struct
from dataclasses import dataclass, replace
from typing import BinaryIO

from factory.core import zip_records
from factory.core.zip_records import (
    CENTRAL_SIGNATURE,
    DESCRIPTOR_SIGNATURE,
    END_BYTES,
    END_SIGNATURE,
    MAX_COMMENT_BYTES,
    CentralHeader,
    EndRecord,
    Header,
    parse_central_header,
    parse_end_record,
)
from factory.verify.reading.contents import Archive, Problem, ProblemKind

_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR64 = struct.Struct("<4sLQL")

DIRECTORY_LIMIT_BYTES = 16 << 20
"""Upper limit on what is read of a central directory; a real wheel's has a few kilobytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveEnd:
    """The end record, with the zip64 records before it if there are any. Positions are offsets in the file.

    Attributes:
        position: Start of the record; `stop` is the end of its comment.
        directory_start: Where the directory really starts, whatever offset the record claims.
        shift_bytes: The difference between the two, the size of what was put before the archive.
        entries: Number of entries that it claims.
        disks: Number of disks that it claims beyond one.
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
    """The readable part of the central directory."""

    end: ArchiveEnd
    headers: tuple[CentralHeader, ...]
    archive: Archive
    problems: tuple[Problem, ...]


def read_directory(file: BinaryIO, *, size_bytes: int, place: str) -> Directory | Problem:
    """Read the end records and the central directory, or return a `Problem` if there is no directory."""
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
        # An earlier end record is ambiguous only if its comment covers the last one: a member that
        # is itself a stored zip has an end record, too.
        rival_ends=tuple(rival.position for rival in ends[:-1] if rival.stop >= end.stop),
    )
    return Directory(end=end, headers=headers, archive=archive, problems=problems)


def read_local_header(file: BinaryIO, offset: int) -> tuple[Header, int] | None:
    """Read the local header at an offset; return it and the start of the content, or None."""
    found = zip_records.read_local_header(file, offset)
    return found and (found[0].widened(), found[1])


def descriptor_bytes(file: BinaryIO, offset: int, *, crc32: int) -> int:
    """Return the length of the data descriptor at an offset, or 0 if there is no valid one.

    A descriptor may have a signature and 64-bit sizes, and no field gives its length (APPNOTE
    4.3.9). The length is the one that is followed by another record.
    """
    file.seek(offset)
    head = file.read(28)
    crc = struct.pack("<L", crc32)
    lead = 4 if head.startswith(DESCRIPTOR_SIGNATURE + crc) else 0
    if not head[lead:].startswith(crc):
        return 0
    for length in (lead + 12, lead + 20):
        if head[length : length + 2] == b"PK":
            return length
    return 0


def _find_ends(file: BinaryIO, size_bytes: int) -> list[ArchiveEnd]:
    """Find all plausible end records; installers use the last one."""
    tail_start = max(0, size_bytes - END_BYTES - MAX_COMMENT_BYTES)
    file.seek(tail_start)
    tail = file.read(END_BYTES + MAX_COMMENT_BYTES)
    ends: list[ArchiveEnd] = []
    index = tail.find(END_SIGNATURE)
    while index >= 0:
        record = parse_end_record(tail, index)
        end = _place_end(file, tail_start + index, record) if record is not None else None
        if end is not None:
            ends.append(end)
        index = tail.find(END_SIGNATURE, index + 1)
    return ends


def _place_end(file: BinaryIO, position: int, record: EndRecord) -> ArchiveEnd | None:
    """Read the zip64 records before an end record; None if the directory cannot be where it says."""
    entries, length, offset = record.entries, record.directory_bytes, record.directory_offset
    directory_stop = position
    disks = max(record.disk, record.directory_disk) + (record.disk_entries != entries)
    wide = _read_end64(file, position)
    if wide is not None:
        directory_stop, disks, entries, length, offset = wide
    directory_start = directory_stop - length
    shift = directory_start - offset
    if directory_start < 0 or shift < 0 or not _starts_directory(file, directory_start, entries):
        return None
    return ArchiveEnd(
        position=position,
        stop=position + record.size_bytes,
        directory_start=directory_start,
        directory_stop=directory_stop,
        shift_bytes=shift,
        entries=entries,
        disks=disks,
        comment=record.comment,
        zip64=wide is not None,
    )


def _read_end64(file: BinaryIO, end_position: int) -> tuple[int, int, int, int, int] | None:
    """Read the zip64 end record: position, disks, entries, directory length, directory offset."""
    locator_position = end_position - _LOCATOR64.size
    if locator_position < _END64.size:
        return None
    file.seek(locator_position)
    locator = file.read(_LOCATOR64.size)
    if not locator.startswith(b"PK\x06\x07"):
        return None
    # Ignore the offset in the locator: readers disagree about it once something was put before
    # the archive. The record must be right before the locator.
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
    return file.read(4) == CENTRAL_SIGNATURE


def _read_entries(file: BinaryIO, end: ArchiveEnd) -> tuple[tuple[CentralHeader, ...], str]:
    """Read entries until the end of the directory or the first damaged one; return them and the problem."""
    length = end.directory_stop - end.directory_start
    file.seek(end.directory_start)
    raw = file.read(min(length, DIRECTORY_LIMIT_BYTES))
    headers: list[CentralHeader] = []
    position = 0
    while position < len(raw):
        entry = parse_central_header(raw, position)
        if entry is None:
            return tuple(headers), f"entry {len(headers) + 1} of the central directory is damaged"
        header, position = entry[0].widened(), entry[1]
        headers.append(replace(header, offset=header.offset + end.shift_bytes))
    if len(raw) < length:
        return tuple(headers), f"the central directory has {length} bytes, {len(raw)} were read"
    if len(headers) != end.entries:
        return tuple(headers), f"{end.entries} entries are claimed, {len(headers)} were found"
    return tuple(headers), ""
