"""Find a zip file's central directory and read it, trusting no field of it (PKWARE APPNOTE 6.3.10).

The standard library's reader hides what this one is for: it skips bytes before
the archive, takes the last end record that it finds, and believes the central
directory where the local headers say otherwise. Here each of these is a fact.
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
"""A real wheel's central directory has a few kilobytes; more than this is never read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveEnd:
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

    end: ArchiveEnd
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
    found = zip_records.read_local_header(file, offset)
    return found and (found[0].widened(), found[1])


def descriptor_bytes(file: BinaryIO, offset: int, *, crc32: int) -> int:
    """Tell how long the data descriptor at an offset is: with or without signature and 64-bit sizes.

    The length stands nowhere (APPNOTE 4.3.9), so the forms are told apart by
    what follows them, which can only be another record. No form fits: 0.
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
    """Find every end record that fits its place; the last is the one that installers take.

    An earlier one is a rival when its comment reaches over the last: a member that
    is itself a stored zip has an end record too, and misleads nobody.
    """
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
    """Read the zip64 records before an end record; None where the directory cannot be."""
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
    return file.read(4) == CENTRAL_SIGNATURE


def _read_entries(file: BinaryIO, end: ArchiveEnd) -> tuple[tuple[CentralHeader, ...], str]:
    """Read all entries until the directory ends or stops making sense; and say what was wrong."""
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
        return tuple(headers), f"{end.entries} entries are claimed, {len(headers)} are there"
    return tuple(headers), ""
