"""Find and read the central directory of a zip file without trusting any field (PKWARE APPNOTE 6.3.10).

`zipfile` hides what the checks look for: it skips bytes before the archive, takes the
last end record that it finds, and ignores local headers that contradict the central
directory. This reader reports each of these.
"""

import re
import struct
from dataclasses import dataclass, replace
from typing import BinaryIO

from factory.core import zip_records
from factory.core.counted import counted
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
_SIGNATURE = re.compile(rb"PK(?:\x01\x02|\x03\x04|\x05\x06|\x06\x06|\x06\x07|\x07\x08)")
_END64_LEAD_BYTES = 12  # signature and size, which the size does not count

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
        evidence: How readers could differ about the zip64 records; empty if they cannot.
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
    evidence: str = ""


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
    if not ends.usable:
        evidence = (
            "empty file"
            if size_bytes == 0
            else f"no usable zip end record in its {counted(size_bytes, 'byte')}"
        )
        return Problem(kind=ProblemKind.UNREADABLE, place=place, evidence=evidence)
    end = ends.usable[-1]
    headers, evidence = _read_entries(file, end)
    problems = tuple(
        Problem(kind=ProblemKind.DIRECTORY, place=place, evidence=text)
        for text in (evidence, end.evidence)
        if text
    )
    archive = Archive(
        size_bytes=size_bytes,
        suffix_bytes=size_bytes - end.stop,
        comment=end.comment,
        zip64=end.zip64 and not end.evidence,
        disks=end.disks,
        rival_ends=ends.rivals(end),
    )
    return Directory(end=end, headers=headers, archive=archive, problems=problems)


def read_local_header(file: BinaryIO, offset: int) -> tuple[Header, int] | None:
    """Read the local header at an offset; return it and the start of the content, or None."""
    found = zip_records.read_local_header(file, offset)
    return found and (found[0].widened(), found[1])


def descriptor_bytes(file: BinaryIO, offset: int, *, crc32: int, header: Header) -> int | None:
    """Return the length of the data descriptor at an offset; None if it does not state the given values.

    A descriptor may have a signature, and its sizes have 64 bits if the local header has a zip64 field
    (APPNOTE 4.3.9). A reader that streams believes it, so it must agree with the central directory.

    Args:
        file: The archive.
        offset: The end of the content.
        crc32: Of the content.
        header: The central directory's sizes, and the local header's zip64 field.
    """
    sizes = struct.pack("<2Q" if header.zip64 else "<2L", header.compressed_bytes, header.size_bytes)
    expected = struct.pack("<L", crc32) + sizes
    file.seek(offset)
    found = file.read(len(DESCRIPTOR_SIGNATURE) + len(expected))
    for start in (DESCRIPTOR_SIGNATURE, b""):
        if found.startswith(start + expected):
            return len(start) + len(expected)
    return None


@dataclass(frozen=True, slots=True)
class _Ends:
    """The usable end records, and the offset of every signature in the part that readers search."""

    usable: list[ArchiveEnd]
    positions: list[int]

    def rivals(self, end: ArchiveEnd) -> tuple[int, ...]:
        """Return the offsets of the signatures that a reader could take for the end record instead.

        Readers search backwards, so one after the real record is a rival whatever follows it; uv refuses
        a comment with the signature of any record. An earlier
        one is a rival only if its comment covers the real record: a member that is itself a stored zip
        has an end record, too.
        """
        later = {position for position in self.positions if position > end.position}
        covering = {one.position for one in self.usable if one is not end and one.stop >= end.stop}
        return tuple(sorted(later | covering))


def _find_ends(file: BinaryIO, size_bytes: int) -> _Ends:
    tail_start = max(0, size_bytes - END_BYTES - MAX_COMMENT_BYTES)
    file.seek(tail_start)
    tail = file.read(END_BYTES + MAX_COMMENT_BYTES)
    found = _Ends([], [])
    for match in _SIGNATURE.finditer(tail):
        position = tail_start + match.start()
        found.positions.append(position)
        if match[0] != END_SIGNATURE:
            continue
        record = parse_end_record(tail, match.start())
        end = _place_end(file, position, record) if record is not None else None
        if end is not None:
            found.usable.append(end)
    return found


def _place_end(file: BinaryIO, position: int, record: EndRecord) -> ArchiveEnd | None:
    """Read the zip64 records before an end record; None if the directory cannot be where it says."""
    wide, evidence = _read_end64(file, position, record)
    place = wide or _Place(
        stop=position,
        disks=max(record.disk, record.directory_disk) + (record.disk_entries != record.entries),
        entries=record.entries,
        length=record.directory_bytes,
        offset=record.directory_offset,
    )
    directory_start = place.stop - place.length
    shift = directory_start - place.offset
    if directory_start < 0 or shift < 0 or not _starts_directory(file, directory_start, place.entries):
        return None
    return ArchiveEnd(
        position=position,
        stop=position + record.size_bytes,
        directory_start=directory_start,
        directory_stop=place.stop,
        shift_bytes=shift,
        entries=place.entries,
        disks=place.disks,
        comment=record.comment,
        zip64=wide is not None,
        evidence=evidence,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where an end record says that the directory is; it stops at `stop`."""

    stop: int
    disks: int
    entries: int
    length: int
    offset: int


def _read_end64(file: BinaryIO, end_position: int, record: EndRecord) -> tuple[_Place | None, str]:
    """Read the zip64 end record, and return what it says and how readers could differ about it.

    Some readers take the record right before the locator, others the one that the locator points to;
    some use it always, others only for values that the 32-bit record leaves open. So all of these must
    agree (CVE-2025-8291).
    """
    locator_position = end_position - _LOCATOR64.size
    locator = _at(file, locator_position, _LOCATOR64, b"PK\x06\x07")
    if locator is None:
        return None, ""
    position = locator_position - _END64.size
    found = _at(file, position, _END64, b"PK\x06\x06")
    if found is None:
        return None, "a zip64 locator without a zip64 end record before it"
    size, _, _, disk, directory_disk, here, entries, length, offset = found
    record_disk, record_offset, disks = locator
    evidence = ""
    narrow = (
        (record.disk, disk, 0xFFFF),
        (record.directory_disk, directory_disk, 0xFFFF),
        (record.disk_entries, here, 0xFFFF),
        (record.entries, entries, 0xFFFF),
        (record.directory_bytes, length, 0xFFFFFFFF),
        (record.directory_offset, offset, 0xFFFFFFFF),
    )
    if record_offset != position or size != _END64.size - _END64_LEAD_BYTES:
        evidence = "the zip64 locator points elsewhere than to the zip64 end record before it"
    elif any(value not in {wide, unknown} for value, wide, unknown in narrow):
        evidence = "the two end records, with and without zip64, describe different directories"
    is_split = disks > 1 or record_disk or here != entries
    place = _Place(
        stop=position,
        disks=max(disk, directory_disk) + bool(is_split),
        entries=entries,
        length=length,
        offset=offset,
    )
    return place, evidence


def _at(file: BinaryIO, offset: int, record: struct.Struct, signature: bytes) -> tuple[int, ...] | None:
    """Return the fields of a record after its signature; None if the record is not there."""
    if offset < 0:
        return None
    file.seek(offset)
    raw = file.read(record.size)
    if len(raw) < record.size or not raw.startswith(signature):
        return None
    return record.unpack(raw)[1:]


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
        return tuple(headers), f"the central directory has {counted(length, 'byte')}, {len(raw)} read"
    if len(headers) != end.entries:
        claimed = counted(end.entries, "entry is", "entries are")
        return tuple(headers), f"{claimed} claimed, {counted(len(headers), 'was', 'were')} found"
    return tuple(headers), ""
