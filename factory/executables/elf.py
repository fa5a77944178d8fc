"""Read what the loader uses of an ELF file: machine, interpreter, needed libraries, symbol versions.

The program headers and the dynamic section are read, as the loader does (System V gABI,
chapters 4 and 5). Section headers are not: the loader ignores them, and they can be missing
or wrong.
"""

import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from factory.executables.image_bytes import ImageBytes, MalformedImage

_MAX_SEGMENTS = 1 << 10
_MAX_DYNAMIC_ENTRIES = 1 << 12
_MAX_VERSIONS = 1 << 12


class ElfType(IntEnum):
    """The type of an ELF file (``e_type``), of those that can be loaded."""

    EXEC = 2
    DYN = 3


class _Segment(IntEnum):
    LOAD = 1
    DYNAMIC = 2
    INTERP = 3
    GNU_STACK = 0x6474E551


class _Dynamic(IntEnum):
    NULL = 0
    NEEDED = 1
    STRTAB = 5
    STRSZ = 10
    SONAME = 14
    RPATH = 15
    TEXTREL = 22
    RUNPATH = 29
    FLAGS = 30
    VERNEED = 0x6FFFFFFE
    VERNEEDNUM = 0x6FFFFFFF


_PF_X = 1
_DF_TEXTREL = 4
_VER_FLG_WEAK = 2
_GLIBC_VERSION = re.compile(r"GLIBC_(\d+)\.(\d+)(?:\.\d+)?")
_GLIBC_FEATURES = {"GLIBC_ABI_DT_RELR": (2, 36)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ElfFacts:
    """Facts about one ELF file.

    Attributes:
        machine: ``e_machine``: 62 is x86-64, 183 is AArch64.
        os_abi: ``EI_OSABI``: 0 System V, 3 Linux.
        type: ``e_type``: 2 an executable at a fixed address, 3 a shared object or PIE.
        interpreter: PT_INTERP, the dynamic loader.
        needed: DT_NEEDED, in order.
        soname: DT_SONAME.
        rpaths: The directories of DT_RPATH and DT_RUNPATH, in order.
        versions: (library, symbol version) pairs from DT_VERNEED, in order. Weak ones are left out:
            if a weak version is missing, the loader only prints a warning.
        has_executable_stack: PT_GNU_STACK has the flag PF_X.
        has_text_relocations: The loader must write to its code before it runs.
    """

    machine: int
    is_64_bit: bool
    is_little_endian: bool
    os_abi: int
    type: int
    interpreter: str | None
    needed: tuple[str, ...]
    soname: str | None
    rpaths: tuple[str, ...]
    versions: tuple[tuple[str, str], ...]
    has_executable_stack: bool
    has_text_relocations: bool

    @property
    def is_static(self) -> bool:
        """Whether it needs neither a loader nor a library, so that it runs under any libc."""
        return self.interpreter is None and not self.needed

    @property
    def glibc_floor(self) -> tuple[int, int] | None:
        """The oldest glibc that has all needed symbol versions; None if it needs no version of glibc."""
        return max((floor for _, version in self.versions if (floor := glibc_of(version))), default=None)


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

    @property
    def dynamic(self) -> str:
        """One entry of the dynamic section."""
        return self.order + ("QQ" if self.is_64_bit else "II")


@dataclass(frozen=True, slots=True, kw_only=True)
class _ProgramHeader:
    type: int
    flags: int
    offset: int
    address: int
    file_bytes: int


def read_elf(path: Path) -> ElfFacts:
    """Read the facts about an ELF file, by a few kilobytes of it.

    Raises:
        MalformedImage: The file is not valid ELF, or is truncated.
    """
    with ImageBytes.open(path) as image:
        layout, os_abi = _identification(image)
        elf_type, machine, _, _, offset, _, _, _, entry_bytes, count = image.unpack(layout.header, 16)
        segments = _program_headers(image, layout, offset=offset, entry_bytes=entry_bytes, count=count)
        dynamic = _DynamicSection(image, layout, segments)
        flags = dynamic.value(_Dynamic.FLAGS) or 0
        return ElfFacts(
            machine=machine,
            is_64_bit=layout.is_64_bit,
            is_little_endian=layout.order == "<",
            os_abi=os_abi,
            type=elf_type,
            interpreter=_interpreter(image, segments),
            needed=dynamic.texts(_Dynamic.NEEDED),
            soname=next(iter(dynamic.texts(_Dynamic.SONAME)), None),
            rpaths=_directories(dynamic.texts(_Dynamic.RPATH) + dynamic.texts(_Dynamic.RUNPATH)),
            versions=tuple(dynamic.versions()),
            has_executable_stack=any(
                segment.flags & _PF_X for segment in segments if segment.type == _Segment.GNU_STACK
            ),
            has_text_relocations=bool(flags & _DF_TEXTREL) or dynamic.value(_Dynamic.TEXTREL) is not None,
        )


def _identification(image: ImageBytes) -> tuple[_Layout, int]:
    ident = image.read(0, 16)
    if ident[:4] != b"\x7fELF":
        raise MalformedImage("it does not start with the ELF magic")
    is_64_bit = {1: False, 2: True}.get(ident[4])
    order = {1: "<", 2: ">"}.get(ident[5])
    if is_64_bit is None or order is None:
        raise MalformedImage(f"class {ident[4]} and byte order {ident[5]} are not valid")
    return _Layout(order=order, is_64_bit=is_64_bit), ident[7]


def _program_headers(
    image: ImageBytes, layout: _Layout, *, offset: int, entry_bytes: int, count: int
) -> tuple[_ProgramHeader, ...]:
    if count == 0:
        return ()
    if count > _MAX_SEGMENTS:
        raise MalformedImage(f"it has {count} program headers")
    if entry_bytes != struct.calcsize(layout.segment):
        raise MalformedImage(f"its program headers have {entry_bytes} bytes each")
    table = image.read(offset, count * entry_bytes)
    return tuple(_program_header(layout, fields) for fields in struct.iter_unpack(layout.segment, table))


def _program_header(layout: _Layout, fields: tuple[int, ...]) -> _ProgramHeader:
    if layout.is_64_bit:
        kind, flags, offset, address, _, file_bytes, _, _ = fields
    else:
        kind, offset, address, _, file_bytes, _, flags, _ = fields
    return _ProgramHeader(type=kind, flags=flags, offset=offset, address=address, file_bytes=file_bytes)


def _interpreter(image: ImageBytes, segments: tuple[_ProgramHeader, ...]) -> str | None:
    return next((image.text(segment.offset) for segment in segments if segment.type == _Segment.INTERP), None)


def _directories(search_paths: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(directory for path in search_paths for directory in path.split(":"))


class _DynamicSection:
    """The dynamic section, with its string table."""

    def __init__(self, image: ImageBytes, layout: _Layout, segments: tuple[_ProgramHeader, ...]) -> None:
        self._image = image
        self._layout = layout
        self._segments = segments
        self._entries: dict[int, list[int]] = {}
        for tag, value in self._read():
            self._entries.setdefault(tag, []).append(value)
        self._strings = self._string_table()

    def value(self, tag: _Dynamic) -> int | None:
        """Return the value of the first entry with a tag, or None."""
        return next(iter(self._entries.get(tag, ())), None)

    def texts(self, tag: _Dynamic) -> tuple[str, ...]:
        """Return the strings of all entries with a tag."""
        return tuple(self._string(value) for value in self._entries.get(tag, ()))

    def versions(self) -> Iterator[tuple[str, str]]:
        """Yield (library, version) for each needed symbol version (LSB, symbol versioning)."""
        address = self.value(_Dynamic.VERNEED)
        if address is None:
            return
        offset, budget = self._offset(address), _MAX_VERSIONS
        for _ in range(min(self.value(_Dynamic.VERNEEDNUM) or 0, _MAX_VERSIONS)):
            _, count, library, first, following = self._image.unpack(self._layout.order + "HHIII", offset)
            budget -= count
            if budget < 0:
                raise MalformedImage(f"it needs more than {_MAX_VERSIONS} symbol versions")
            yield from self._versions_of(self._string(library), offset + first, count)
            if following == 0:
                return
            offset += following

    def _versions_of(self, library: str, offset: int, count: int) -> Iterator[tuple[str, str]]:
        for _ in range(count):
            _, flags, _, name, following = self._image.unpack(self._layout.order + "IHHII", offset)
            if not flags & _VER_FLG_WEAK:
                yield library, self._string(name)
            if following == 0:
                return
            offset += following

    def _read(self) -> Iterator[tuple[int, int]]:
        segment = next((each for each in self._segments if each.type == _Segment.DYNAMIC), None)
        if segment is None:
            return
        size = struct.calcsize(self._layout.dynamic)
        count = min(segment.file_bytes // size, _MAX_DYNAMIC_ENTRIES)
        table = self._image.read(segment.offset, count * size)
        for tag, value in struct.iter_unpack(self._layout.dynamic, table):
            if tag == _Dynamic.NULL:
                return
            yield tag, value

    def _string_table(self) -> ImageBytes | None:
        address, size_bytes = self.value(_Dynamic.STRTAB), self.value(_Dynamic.STRSZ)
        if address is None or size_bytes is None:
            return None
        return self._image.window(self._offset(address), size_bytes)

    def _string(self, index: int) -> str:
        if self._strings is None:
            raise MalformedImage("its dynamic section has no string table")
        return self._strings.text(index)

    def _offset(self, address: int) -> int:
        for segment in self._segments:
            inside = address - segment.address
            if segment.type == _Segment.LOAD and 0 <= inside < segment.file_bytes:
                return segment.offset + inside
        raise MalformedImage(f"the address {address:#x} is in no segment")


def glibc_of(version: str) -> tuple[int, int] | None:
    """Return the first glibc with a symbol version; None for private versions and for other libraries."""
    feature: Mapping[str, tuple[int, int]] = _GLIBC_FEATURES
    match = _GLIBC_VERSION.fullmatch(version)
    return (int(match[1]), int(match[2])) if match else feature.get(version)
