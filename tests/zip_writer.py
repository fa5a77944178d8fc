"""Write zip archives record by record, so that a test can falsify any field of any of them.

Nothing here checks anything: what is asked for is written (PKWARE APPNOTE 6.3.10).
"""

import struct
import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

ValueT = TypeVar("ValueT")

HATCHLINGS_DATE = (2020 - 1980) << 9 | 2 << 5 | 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ZipMember:
    """One member to be written.

    A field that is None is the truth; another value is written in its place, in
    the central directory, or for ``local_...`` in the local header.

    Attributes:
        name: Its name; bytes are written as they are.
        content: Its content.
        mode: The upper half of the external attributes.
        packed: The compressed bytes, when they should not be the content's.
        before: Bytes that are written before its local header and belong to nothing.
        has_descriptor: Whether CRC and sizes follow the content.
        descriptor: The data descriptor, when it should not state the truth.
        offset: Where the central directory says it is.
    """

    name: bytes
    content: bytes
    mode: int = 0o100644
    method: int = 8
    flags: int = 0
    dos_time: int = 0
    dos_date: int = HATCHLINGS_DATE
    create_system: int = 3
    extra: bytes = b""
    comment: bytes = b""
    version: int = 20
    disk: int = 0
    packed: bytes | None = None
    crc32: int | None = None
    size_bytes: int | None = None
    compressed_bytes: int | None = None
    local_name: bytes | None = None
    local_method: int | None = None
    local_flags: int | None = None
    local_date: int | None = None
    local_crc32: int | None = None
    local_size_bytes: int | None = None
    local_compressed_bytes: int | None = None
    local_extra: bytes = b""
    before: bytes = b""
    has_descriptor: bool = False
    descriptor: bytes | None = None
    offset: int | None = None

    def local(self) -> bytes:
        """Return everything up to the next member: local header, content, descriptor."""
        packed, crc, size = self._packed(), self._crc32(), self._size()
        flags = self.flags | (8 if self.has_descriptor else 0)
        sizes = (0, 0, 0) if self.has_descriptor else (crc, self._compressed(), size)
        name = _or(self.local_name, self.name)
        header = struct.pack(
            "<4s5H3L2H",
            b"PK\x03\x04",
            self.version,
            _or(self.local_flags, flags),
            _or(self.local_method, self.method),
            self.dos_time,
            _or(self.local_date, self.dos_date),
            _or(self.local_crc32, sizes[0]),
            _or(self.local_compressed_bytes, sizes[1]),
            _or(self.local_size_bytes, sizes[2]),
            len(name),
            len(self.local_extra),
        )
        truth = struct.pack("<4s3L", b"PK\x07\x08", crc, len(packed), size) if self.has_descriptor else b""
        return header + name + self.local_extra + packed + _or(self.descriptor, truth)

    def central(self, offset: int) -> bytes:
        """Return its entry in the central directory."""
        header = struct.pack(
            "<4s6H3L5H2L",
            b"PK\x01\x02",
            self.create_system << 8 | 20,
            self.version,
            self.flags | (8 if self.has_descriptor else 0),
            self.method,
            self.dos_time,
            self.dos_date,
            self._crc32(),
            self._compressed(),
            self._size(),
            len(self.name),
            len(self.extra),
            len(self.comment),
            self.disk,
            0,
            self.mode << 16,
            _or(self.offset, offset),
        )
        return header + self.name + self.extra + self.comment

    def _packed(self) -> bytes:
        if self.packed is not None:
            return self.packed
        return deflated(self.content) if self.method == 8 else self.content

    def _compressed(self) -> int:
        return _or(self.compressed_bytes, len(self._packed()))

    def _crc32(self) -> int:
        return _or(self.crc32, zlib.crc32(self.content))

    def _size(self) -> int:
        return _or(self.size_bytes, len(self.content))


@dataclass(frozen=True, slots=True, kw_only=True)
class ZipArchive:
    """A whole archive to be written.

    Attributes:
        members: In the order of their content.
        prefix: Bytes before everything; offsets do not count them, as when a stub is prepended.
        suffix: Bytes after everything.
        comment: The archive's comment.
        entries: How many entries the end record claims, when that should not be the truth.
        disk: The disk number of the end record.
        zip64_disk: The disk number of the zip64 end record.
        directory_order: Indices of members, when the directory should list them in another order.
        zip64: Whether zip64 end records are written.
        end_offset: Added to the offset of the directory in the end record, not in the one of zip64.
        zip64_locator_offset: Added to the offset in the zip64 locator.
        after_members: Bytes between the members and the central directory.
    """

    members: tuple[ZipMember, ...]
    prefix: bytes = b""
    suffix: bytes = b""
    comment: bytes = b""
    entries: int | None = None
    disk: int = 0
    zip64_disk: int = 0
    directory_order: tuple[int, ...] | None = None
    zip64: bool = False
    end_offset: int = 0
    zip64_locator_offset: int = 0
    after_members: bytes = b""

    def content(self) -> bytes:
        """Return the archive's bytes."""
        body, offsets = b"", []
        for member in self.members:
            body += member.before
            offsets.append(len(body))
            body += member.local()
        body += self.after_members
        order = self.directory_order or tuple(range(len(self.members)))
        directory = b"".join(self.members[index].central(offsets[index]) for index in order)
        return self.prefix + body + directory + self._end(len(body), len(directory)) + self.suffix

    def _end(self, offset: int, length: int) -> bytes:
        entries = _or(self.entries, len(self.members))
        wide = b""
        if self.zip64:
            wide = struct.pack(
                "<4sQ2H2L4Q",
                b"PK\x06\x06",
                44,
                45,
                45,
                self.zip64_disk,
                self.zip64_disk,
                entries,
                entries,
                length,
                offset,
            )
            wide += struct.pack("<4sLQL", b"PK\x06\x07", 0, offset + length + self.zip64_locator_offset, 1)
        fields = (self.disk, self.disk, entries, entries, length, offset + self.end_offset, len(self.comment))
        return wide + struct.pack("<4s4H2LH", b"PK\x05\x06", *fields) + self.comment


@lru_cache(maxsize=512)  # a few files are in most archives, and each member asks twice
def deflated(content: bytes) -> bytes:
    """Compress as zlib does by default, without a header."""
    compressor = zlib.compressobj(6, zlib.DEFLATED, -15)
    return compressor.compress(content) + compressor.flush()


def extra_field(field: int, body: bytes) -> bytes:
    """Return one extra field."""
    return struct.pack("<2H", field, len(body)) + body


def _or(value: ValueT | None, truth: ValueT) -> ValueT:
    return truth if value is None else value
