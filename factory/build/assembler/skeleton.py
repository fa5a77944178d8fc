"""A wheel as the real backend lays it out, before its payload has its bytes.

The backend builds a stage whose payload files are empty. What comes out is small
and holds every decision that is the backend's: METADATA and WHEEL, member order,
names, modes, times, flags. `factory.build.assembler.assemble` then fills the payload in.
So the fast path repeats none of the backend's rules, and follows whatever version
of it the toolchain has.
"""

import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path

from factory.core.errors import BuildError

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_LOCAL_SIZES_AT = 14
_CENTRAL_SIZES_AT = 16
_CENTRAL_OFFSET_AT = 42
_CREATE_SYSTEM_AT = 5

LARGEST_MEMBER_BYTES = int(((1 << 31) - 1) / 1.05)
"""Above this Python's zipfile writes zip64 fields (Lib/zipfile.py, ZIP64_LIMIT and its 5 % margin)."""
LARGEST_OFFSET = (1 << 31) - 1


class UnusableSkeleton(BuildError):
    """The backend's wheel is not laid out as the assembler understands."""

    hint = "Build with '--engine backend', and report this: the assembler should know every layout."

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"assembling {name}: {reason}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SkeletonMember:
    """One member: its headers as the backend wrote them, and its deflated content."""

    name: str
    local: bytes
    central: bytes
    deflated: bytes
    crc32: int
    size_bytes: int

    def local_header(self, *, crc32: int, compressed_bytes: int, size_bytes: int) -> bytes:
        """Return the local header with other sizes."""
        sizes = struct.pack("<3L", crc32, compressed_bytes, size_bytes)
        return self.local[:_LOCAL_SIZES_AT] + sizes + self.local[_LOCAL_SIZES_AT + len(sizes) :]

    def central_header(
        self, *, crc32: int, compressed_bytes: int, size_bytes: int, offset: int, create_system: int
    ) -> bytes:
        """Return the central directory's entry with other sizes, offset and zip host."""
        header = bytearray(self.central)
        header[_CREATE_SYSTEM_AT] = create_system
        struct.pack_into("<3L", header, _CENTRAL_SIZES_AT, crc32, compressed_bytes, size_bytes)
        struct.pack_into("<L", header, _CENTRAL_OFFSET_AT, offset)
        return bytes(header)


@dataclass(frozen=True, slots=True, kw_only=True)
class Skeleton:
    """The backend's wheel with empty payload files; RECORD is its last member."""

    name: str
    members: tuple[SkeletonMember, ...]

    @property
    def record(self) -> SkeletonMember:
        """The RECORD member."""
        return self.members[-1]


def read_skeleton(path: Path) -> Skeleton:
    """Read a wheel that the backend just made.

    Raises:
        UnusableSkeleton: It has zip64 fields, data descriptors, a comment, or RECORD is not last.
    """
    with zipfile.ZipFile(path) as archive:
        raw = path.read_bytes()
        members = tuple(
            _member(raw, info, central, path.name)
            for info, central in zip(archive.infolist(), _central_entries(raw, path.name), strict=True)
        )
    if not members or not members[-1].name.endswith(".dist-info/RECORD"):
        raise UnusableSkeleton(path.name, "RECORD is not its last member")
    return Skeleton(name=path.name, members=members)


def end_record(*, entries: int, directory_bytes: int, directory_offset: int) -> bytes:
    """Return the end-of-central-directory record of an archive without a comment."""
    return _END.pack(b"PK\x05\x06", 0, 0, entries, entries, directory_bytes, directory_offset, 0)


def _central_entries(raw: bytes, name: str) -> tuple[bytes, ...]:
    end = raw[-_END.size :]
    if not end.startswith(b"PK\x05\x06"):
        raise UnusableSkeleton(name, "it ends with a comment or with zip64 records")
    *_, count, directory_bytes, position, _ = _END.unpack(end)
    if position + directory_bytes + _END.size != len(raw):
        raise UnusableSkeleton(name, "bytes stand outside its records")
    entries: list[bytes] = []
    for _ in range(count):
        fields = _CENTRAL.unpack_from(raw, position)
        stop = position + _CENTRAL.size + sum(fields[10:13])
        entries.append(raw[position:stop])
        position = stop
    return tuple(entries)


def _member(raw: bytes, info: zipfile.ZipInfo, central: bytes, wheel: str) -> SkeletonMember:
    start = info.header_offset
    fields = _LOCAL.unpack_from(raw, start)
    content = start + _LOCAL.size + fields[9] + fields[10]
    if info.flag_bits & 0x08 or info.extra or fields[10]:
        raise UnusableSkeleton(wheel, f"{info.filename} has a data descriptor or extra fields")
    if info.compress_type != zipfile.ZIP_DEFLATED:
        raise UnusableSkeleton(wheel, f"{info.filename} is not deflated")
    return SkeletonMember(
        name=info.filename,
        local=raw[start:content],
        central=central,
        deflated=raw[content : content + info.compress_size],
        crc32=info.CRC,
        size_bytes=info.file_size,
    )
