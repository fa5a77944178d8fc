"""The header and the program headers of an ELF file, checked as Linux and its dynamic loaders check them.

What the loaders reject, or map so that the program dies before its first instruction, is malformed here
(``fs/binfmt_elf.c`` of Linux, ``elf/dl-load.c`` of glibc, and System V gABI, chapters 4 and 5).
`tests.fuzz.elf_starts` compares these rules with the kernel of the host.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from typing import Self

from factory.core.counted import counted
from factory.executables.image_bytes import ImageBytes, MalformedImage, decoded

_MAX_SEGMENTS = 1 << 10
_MAX_INTERPRETER_BYTES = 4096  # PATH_MAX
_MAX_SEGMENT_BYTES = 1 << 34
_PAGE_BYTES = 4096
_CURRENT_VERSION = 1
_PF_X = 1
_LOWEST_ADDRESS = 0x8000
"""The lowest address that every Linux lets a program map (``vm.mmap_min_addr`` is 32 or 64 KiB)."""


class ElfType(IntEnum):
    """The type of an ELF file (``e_type``)."""

    RELOCATABLE = 1
    EXEC = 2
    DYN = 3
    CORE = 4

    @classmethod
    def loadable(cls) -> frozenset[int]:
        """Return the types that Linux loads."""
        return frozenset({cls.EXEC, cls.DYN})


class SegmentKind(IntEnum):
    """The types of program headers that a loader uses (``p_type``)."""

    LOAD = 1
    DYNAMIC = 2
    INTERP = 3
    TLS = 7
    GNU_STACK = 0x6474E551


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One program header."""

    kind: int
    flags: int
    offset: int
    address: int
    file_bytes: int
    memory_bytes: int
    alignment: int

    @property
    def is_executable(self) -> bool:
        """Whether it has the flag PF_X."""
        return bool(self.flags & _PF_X)

    def has(self, address: int, size_bytes: int = 1) -> bool:
        """Whether the file has the bytes at an address of this segment."""
        inside = address - self.address
        return inside >= 0 and inside + size_bytes <= self.file_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """The `struct` formats for one class and byte order."""

    order: str
    is_64_bit: bool

    @property
    def header(self) -> str:
        """The fields ``e_type`` to ``e_phnum``."""
        return self.order + ("HHIQQQIHHH" if self.is_64_bit else "HHIIIIIHHH")

    @property
    def segment(self) -> str:
        """One program header."""
        return self.order + ("IIQQQQQQ" if self.is_64_bit else "IIIIIIII")


@dataclass(frozen=True, slots=True, kw_only=True)
class ElfFrame:
    """The header of an ELF file.

    Attributes:
        order: The byte order, as in `struct` formats.
        os_abi: ``EI_OSABI``.
        abi_version: ``EI_ABIVERSION``.
        segments: The program headers, in order.
    """

    image: ImageBytes
    order: str
    is_64_bit: bool
    os_abi: int
    abi_version: int
    type: int
    machine: int
    entry: int
    segments: tuple[Segment, ...]

    @classmethod
    def read(cls, image: ImageBytes) -> Self:
        """Read the header and the program headers.

        Raises:
            MalformedImage: The file is not valid ELF, is truncated, or cannot be loaded.
        """
        layout = _identification(image)
        elf_type, machine, version, entry, offset, _, _, _, entry_bytes, count = image.unpack(
            layout.header, 16
        )
        if version != _CURRENT_VERSION:
            raise MalformedImage(f"its version (e_version) is {version}, not {_CURRENT_VERSION}")
        segments = _program_headers(image, layout, offset=offset, entry_bytes=entry_bytes, count=count)
        os_abi, abi_version = image.read(7, 2)
        frame = cls(
            image=image,
            order=layout.order,
            is_64_bit=layout.is_64_bit,
            os_abi=os_abi,
            abi_version=abi_version,
            type=elf_type,
            machine=machine,
            entry=entry,
            segments=tuple(segments),
        )
        if elf_type in ElfType.loadable():
            _require_loadable(frame)
        return frame

    @property
    def word(self) -> str:
        """The `struct` code of an address."""
        return "Q" if self.is_64_bit else "I"

    @property
    def loads(self) -> tuple[Segment, ...]:
        """The segments that are mapped, in order."""
        return self.all(SegmentKind.LOAD)

    def all(self, kind: SegmentKind) -> tuple[Segment, ...]:
        """Return the segments of one kind, in order."""
        return tuple(segment for segment in self.segments if segment.kind == kind)

    def only(self, kind: SegmentKind) -> Segment | None:
        """Return the segment of a kind, or None.

        Raises:
            MalformedImage: There are several, of which loaders take different ones.
        """
        found = self.all(kind)
        if len(found) > 1:
            raise MalformedImage(f"it has {len(found)} program headers PT_{kind.name}")
        return found[0] if found else None

    def offset(self, address: int, size_bytes: int = 1) -> int:
        """Return the file offset of an address.

        Raises:
            MalformedImage: The bytes at the address are in no segment.
        """
        for segment in self.loads:
            if segment.has(address, size_bytes):
                return segment.offset + address - segment.address
        raise MalformedImage(f"the address {address:#x} is in no segment")

    def interpreter(self) -> str | None:
        """Return the dynamic loader that PT_INTERP names, or None.

        Raises:
            MalformedImage: The path is too long, or does not end inside the segment.
        """
        segment = self.only(SegmentKind.INTERP)
        if segment is None:
            return None
        path = self.image.read(segment.offset, segment.file_bytes, at_most=_MAX_INTERPRETER_BYTES)
        text, _, rest = path.partition(b"\0")
        if not text or not path.endswith(b"\0"):
            raise MalformedImage("the path of its interpreter is empty or does not end")
        if rest:
            raise MalformedImage("the path of its interpreter has a NUL byte before its end")
        return decoded(text)


def _identification(image: ImageBytes) -> _Layout:
    ident = image.read(0, 16)
    if ident[:4] != b"\x7fELF":
        raise MalformedImage("it does not start with the ELF magic")
    is_64_bit = {1: False, 2: True}.get(ident[4])
    order = {1: "<", 2: ">"}.get(ident[5])
    if is_64_bit is None or order is None:
        raise MalformedImage(f"class {ident[4]} and byte order {ident[5]} are not valid")
    if ident[6] != _CURRENT_VERSION:
        raise MalformedImage(f"its version (EI_VERSION) is {ident[6]}, not {_CURRENT_VERSION}")
    return _Layout(order=order, is_64_bit=is_64_bit)


def _program_headers(
    image: ImageBytes, layout: _Layout, *, offset: int, entry_bytes: int, count: int
) -> Iterator[Segment]:
    if count == 0:
        return
    if count > _MAX_SEGMENTS:
        raise MalformedImage(f"it has {count} program headers")
    if entry_bytes != struct.calcsize(layout.segment):
        raise MalformedImage(f"its program headers have {counted(entry_bytes, 'byte')} each")
    table = image.read(offset, count * entry_bytes)
    for fields in struct.iter_unpack(layout.segment, table):
        if layout.is_64_bit:
            kind, flags, offset, address, _, file_bytes, memory_bytes, alignment = fields
        else:
            kind, offset, address, _, file_bytes, memory_bytes, flags, alignment = fields
        yield Segment(
            kind=kind,
            flags=flags,
            offset=offset,
            address=address,
            file_bytes=file_bytes,
            memory_bytes=memory_bytes,
            alignment=alignment,
        )


def _require_loadable(frame: ElfFrame) -> None:
    """Check what the loaders check before they start a program or use a library."""
    if not any(segment.memory_bytes for segment in frame.loads):
        raise MalformedImage("it has no segment to load (PT_LOAD)")
    for segment in frame.segments:
        if segment.kind in set(SegmentKind):
            _require_inside(frame, segment)
    for segment in frame.loads:
        _require_mappable(frame, segment)
    mapped = [segment for segment in frame.loads if segment.memory_bytes]
    for lower, upper in pairwise(mapped):
        if upper.address < lower.address + lower.memory_bytes:
            raise MalformedImage(
                f"the segment at {upper.address:#x} overlaps the one before it, or is not in order"
            )
    _require_entry(frame)


def _require_inside(frame: ElfFrame, segment: Segment) -> None:
    end = segment.offset + segment.file_bytes
    if segment.kind != SegmentKind.GNU_STACK and segment.file_bytes and end > frame.image.size_bytes:
        raise MalformedImage(
            f"the segment at offset {segment.offset} ends at {end}, "
            f"beyond the end of the file at {frame.image.size_bytes}"
        )


def _require_mappable(frame: ElfFrame, segment: Segment) -> None:
    address, alignment = segment.address, segment.alignment
    end = address + segment.memory_bytes
    if segment.file_bytes > segment.memory_bytes:
        raise MalformedImage(f"the segment at {address:#x} has more bytes in the file than in memory")
    if alignment > _MAX_SEGMENT_BYTES:
        raise MalformedImage(
            f"no memory is aligned to {alignment} bytes, as the segment at {address:#x} asks"
        )
    if alignment and alignment.bit_count() != 1:
        raise MalformedImage(f"the alignment {alignment} of the segment at {address:#x} is not a power of 2")
    if (address - segment.offset) % max(alignment, _PAGE_BYTES):
        raise MalformedImage(
            f"the segment at {address:#x} cannot be mapped from the offset {segment.offset:#x}: "
            f"they differ modulo {max(alignment, _PAGE_BYTES):#x}"
        )
    if end > (1 << 47 if frame.is_64_bit else 1 << 32) or segment.memory_bytes > _MAX_SEGMENT_BYTES:
        raise MalformedImage(f"the segment from {address:#x} to {end:#x} does not fit into memory")
    if frame.type == ElfType.EXEC and segment.memory_bytes and address < _LOWEST_ADDRESS:
        raise MalformedImage(f"Linux maps no segment at the address {address:#x}")


def _require_entry(frame: ElfFrame) -> None:
    """Check that a program starts in code; a library may leave the entry point 0."""
    if frame.entry == 0 and frame.type == ElfType.DYN and not frame.all(SegmentKind.INTERP):
        return
    if not any(segment.is_executable and segment.has(frame.entry) for segment in frame.loads):
        raise MalformedImage(f"its entry point {frame.entry:#x} is in no executable segment of the file")
