"""The dynamic section of an ELF file: needed libraries, symbol versions and symbols (gABI, chapter 5)."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from factory.core.counted import counted
from factory.executables.elf_frame import ElfFrame, ElfType, SegmentKind
from factory.executables.image_bytes import ImageBytes, MalformedImage

_MAX_ENTRIES = 1 << 12
_MAX_VERSIONS = 1 << 12
_VERNEED_FORM = 1
_VER_FLG_WEAK = 2


class Dynamic(IntEnum):
    """The tags that are read (``d_tag``)."""

    NULL = 0
    NEEDED = 1
    HASH = 4
    STRTAB = 5
    SYMTAB = 6
    STRSZ = 10
    SONAME = 14
    RPATH = 15
    TEXTREL = 22
    RUNPATH = 29
    FLAGS = 30
    GNU_HASH = 0x6FFFFEF5
    VERSYM = 0x6FFFFFF0
    FLAGS_1 = 0x6FFFFFFB
    VERNEED = 0x6FFFFFFE
    VERNEEDNUM = 0x6FFFFFFF


_UNIQUE = (Dynamic.STRTAB, Dynamic.STRSZ, Dynamic.VERNEED, Dynamic.VERNEEDNUM)
"""Of several entries with such a tag, the loader uses the last one, and other readers the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NeededVersion:
    """A symbol version that a file needs of a library.

    Attributes:
        index: The number by which the file's symbols refer to it.
        is_weak: If the version is missing, the loader only prints a warning.
    """

    library: str
    name: str
    index: int
    is_weak: bool


class DynamicSection:
    """The dynamic section, with its string table."""

    def __init__(self, frame: ElfFrame) -> None:
        self._frame = frame
        self._image = frame.image
        self._entries: dict[int, list[int]] = {}
        for tag, value in self._read():
            self._entries.setdefault(tag, []).append(value)
        for tag in _UNIQUE:
            if len(self._entries.get(tag, ())) > 1:
                raise MalformedImage(f"its dynamic section has several entries DT_{tag.name}")
        self._strings = self._string_table()

    def value(self, tag: Dynamic) -> int | None:
        """Return the value of the first entry with a tag, or None."""
        return next(iter(self._entries.get(tag, ())), None)

    def texts(self, tag: Dynamic) -> tuple[str, ...]:
        """Return the strings of all entries with a tag."""
        return tuple(self._string(value) for value in self._entries.get(tag, ()))

    def versions(self) -> Iterator[NeededVersion]:
        """Yield each needed symbol version (LSB, symbol versioning)."""
        address = self.value(Dynamic.VERNEED)
        if address is None:
            return
        offset, budget = self._frame.offset(address), _MAX_VERSIONS
        libraries = self.value(Dynamic.VERNEEDNUM) or 0
        if libraries > _MAX_VERSIONS:
            raise MalformedImage(f"it needs symbol versions of {counted(libraries, 'library', 'libraries')}")
        for _ in range(libraries):
            form, count, library, first, following = self._unpack("HHIII", offset)
            if form != _VERNEED_FORM:
                raise MalformedImage(f"its list of symbol versions has the unknown format {form}")
            budget -= count
            if budget < 0:
                raise MalformedImage(f"it needs more than {_MAX_VERSIONS} symbol versions")
            yield from self._versions_of(self._string(library), offset + first, count)
            if following == 0:
                return
            offset += following

    def _versions_of(self, library: str, offset: int, count: int) -> Iterator[NeededVersion]:
        for _ in range(count):
            _, flags, index, name, following = self._unpack("IHHII", offset)
            yield NeededVersion(
                library=library, name=self._string(name), index=index, is_weak=bool(flags & _VER_FLG_WEAK)
            )
            if following == 0:
                return
            offset += following

    def versioned_symbols(self) -> Iterator[tuple[str, str]]:
        """Yield (symbol, version) for each symbol that needs a version; none without the tables for it."""
        symbols, indices = self.value(Dynamic.SYMTAB), self.value(Dynamic.VERSYM)
        if symbols is None or indices is None:
            return
        names = {version.index: version.name for version in self.versions()}
        count = self._count_of_symbols()
        layout = self._frame.order + ("I20x" if self._frame.is_64_bit else "I12x")
        table = self._image.read(self._frame.offset(symbols), count * struct.calcsize(layout))
        versions = self._image.read(self._frame.offset(indices), count * 2)
        pairs = zip(
            struct.iter_unpack(layout, table),
            struct.iter_unpack(self._frame.order + "H", versions),
            strict=True,
        )
        for (name,), (index,) in pairs:
            if index in names:
                yield self._string(name), names[index]

    def _count_of_symbols(self) -> int:
        """Return the number of symbols, of which a GNU hash table only gives that of the undefined ones."""
        for table in (Dynamic.HASH, Dynamic.GNU_HASH):  # both have it as their second number
            if (address := self.value(table)) is not None:
                return self._unpack("4xI", self._frame.offset(address))[0]
        return 0

    def _unpack(self, layout: str, offset: int) -> tuple[int, ...]:
        return self._image.unpack(self._frame.order + layout, offset)

    def _read(self) -> Iterator[tuple[int, int]]:
        """Yield the entries up to the empty one, which must exist: the loader stops only there."""
        segment = self._frame.only(SegmentKind.DYNAMIC)
        if segment is None or self._frame.type not in ElfType.loadable():
            return
        layout = self._frame.order + 2 * self._frame.word
        size = struct.calcsize(layout)
        count = min(segment.file_bytes // size, _MAX_ENTRIES)
        if self._frame.offset(segment.address, count * size) != segment.offset:
            raise MalformedImage("the address and the offset of its dynamic section differ")
        table = self._image.read(segment.offset, count * size)
        for tag, value in struct.iter_unpack(layout, table):
            if tag == Dynamic.NULL:
                return
            yield tag, value
        raise MalformedImage(f"its dynamic section has no end after {counted(count, 'entry', 'entries')}")

    def _string_table(self) -> ImageBytes | None:
        address, size_bytes = self.value(Dynamic.STRTAB), self.value(Dynamic.STRSZ)
        if address is None or size_bytes is None:
            return None
        return self._image.window(self._frame.offset(address), size_bytes)

    def _string(self, index: int) -> str:
        if self._strings is None:
            raise MalformedImage("its dynamic section has no string table")
        return self._strings.text(index)
