"""Read a skeleton: the backend's wheel of a stage with empty payload files.

A skeleton is small and contains every decision of the backend: METADATA and WHEEL, member order,
names, modes, times, flags. `factory.build.assembler.assemble` adds the payload. In this way the
assembler follows the rules of any version of the backend without repeating them.
"""

import io
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from factory.build.encoder import Encoder
from factory.core.errors import BuildError
from factory.core.zip_records import (
    DEFLATED,
    END_BYTES,
    CentralHeader,
    Header,
    parse_central_header,
    parse_end_record,
    read_local_header,
)

LARGEST_MEMBER_BYTES = int(((1 << 31) - 1) / 1.05)
"""Python's zipfile writes zip64 fields for larger members (Lib/zipfile.py, ZIP64_LIMIT, 5 % margin)."""
LARGEST_OFFSET = (1 << 31) - 1


class UnusableSkeleton(BuildError):
    """The assembler does not support the layout of the backend's wheel."""

    hint = "Build with '--engine backend', and report this: the assembler should support every layout."

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"assembling {name}: {reason}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SkeletonMember:
    """A member: the headers that the backend wrote, and the compressed content."""

    name: str
    local: Header
    central: CentralHeader
    deflated: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Skeleton:
    """The backend's wheel with empty payload files; RECORD is its last member."""

    name: str
    members: tuple[SkeletonMember, ...]

    @property
    def record(self) -> SkeletonMember:
        """The RECORD member."""
        return self.members[-1]


def recompressed(skeleton: Skeleton, encoder: Encoder) -> Skeleton:
    """Compress every member again, because the backend ran with another zlib than the reference one."""
    return replace(skeleton, members=tuple(_recompressed(member, encoder) for member in skeleton.members))


def _recompressed(member: SkeletonMember, encoder: Encoder) -> SkeletonMember:
    compressor = encoder.start()
    content = zlib.decompress(member.deflated, -zlib.MAX_WBITS)
    deflated = compressor.compress(content) + compressor.flush()
    return replace(
        member,
        local=replace(member.local, compressed_bytes=len(deflated)),
        central=replace(member.central, compressed_bytes=len(deflated)),
        deflated=deflated,
    )


def read_skeleton(path: Path) -> Skeleton:
    """Read a wheel that the backend has just written.

    Raises:
        UnusableSkeleton: It has zip64 fields, data descriptors or a comment, or RECORD is not last.
    """
    with zipfile.ZipFile(path) as archive:
        raw = path.read_bytes()
        members = tuple(
            _member(raw, info, central, path.name)
            for info, central in zip(archive.infolist(), _central_headers(raw, path.name), strict=True)
        )
    if not members or not members[-1].name.endswith(".dist-info/RECORD"):
        raise UnusableSkeleton(path.name, "RECORD is not its last member")
    return Skeleton(name=path.name, members=members)


def _central_headers(raw: bytes, name: str) -> Iterator[CentralHeader]:
    end = parse_end_record(raw, max(0, len(raw) - END_BYTES))
    if end is None:
        raise UnusableSkeleton(name, "it ends with a comment or with zip64 records")
    if end.directory_offset + end.directory_bytes + END_BYTES != len(raw):
        raise UnusableSkeleton(name, "it has bytes outside its records")
    position = end.directory_offset
    for _ in range(end.entries):
        found = parse_central_header(raw, position)
        if found is None:
            raise UnusableSkeleton(name, "its central directory is damaged")
        header, position = found
        yield header


def _member(raw: bytes, info: zipfile.ZipInfo, central: CentralHeader, wheel: str) -> SkeletonMember:
    found = read_local_header(io.BytesIO(raw), info.header_offset)
    if found is None:
        raise UnusableSkeleton(wheel, f"{info.filename} has no local header")
    local, content = found
    if central.has_descriptor or local.extra or central.extra:
        raise UnusableSkeleton(wheel, f"{info.filename} has a data descriptor or extra fields")
    if central.method != DEFLATED:
        raise UnusableSkeleton(wheel, f"{info.filename} is not deflated")
    return SkeletonMember(
        name=info.filename,
        local=local,
        central=central,
        deflated=raw[content : content + central.compressed_bytes],
    )
