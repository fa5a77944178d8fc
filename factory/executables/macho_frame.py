"""The slices of a Mach-O file and their load commands (Apple's ``mach-o/loader.h``, ``mach-o/fat.h``)."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from factory.core.counted import counted
from factory.executables.image_bytes import ImageBytes, MalformedImage, decoded

LC_CODE_SIGNATURE = 0x1D
LC_SEGMENT = 0x1
LC_SEGMENT_64 = 0x19

_MAX_SLICES = 8
_MAX_COMMANDS_BYTES = 1 << 16
_COMMAND_BYTES = 8
_TEXT_START = 12
_HEADER_64_BYTES = 32
_SUBTYPE_MASK = 0xFFFFFF
_FAT_MAGIC = 0xCAFEBABE
_FAT_MAGIC_64 = 0xCAFEBABF
_THIN_MAGICS = {0xFEEDFACE: ("<", 28), 0xFEEDFACF: ("<", 32), 0xCEFAEDFE: (">", 28), 0xCFFAEDFE: (">", 32)}
_CPU_NAMES = {7: "i386", 0x01000007: "x86_64", 12: "arm", 0x0100000C: "arm64"}
_GENERAL_SUBTYPES = {7: {3}, 0x01000007: {3}, 0x0100000C: {0, 1}}
_SUBTYPE_NAMES = {(0x01000007, 8): "x86_64h", (0x0100000C, 2): "arm64e"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadCommand:
    """One load command, undecoded."""

    kind: int
    data: bytes
    order: str

    def numbers(self, layout: str, at: int) -> tuple[int, ...]:
        """Unpack integers at an offset in the command.

        Raises:
            MalformedImage: The command is too short.
        """
        if at + struct.calcsize(layout) > len(self.data):
            raise MalformedImage(f"load command {self.kind:#x} has only {counted(len(self.data), 'byte')}")
        return struct.unpack_from(self.order + layout, self.data, at)

    def text(self) -> str:
        """Return the string that the first field points to (``lc_str``)."""
        (start,) = self.numbers("I", 8)
        if not _TEXT_START <= start < len(self.data):
            raise MalformedImage(f"the string of load command {self.kind:#x} is outside the command")
        return decoded(self.data[start:].partition(b"\0")[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class MachoFrame:
    """The header of one slice.

    Attributes:
        image: The slice.
        order: Its byte order, as in `struct` formats.
        commands_start: Offset of the load commands.
    """

    image: ImageBytes
    order: str
    commands_start: int

    @classmethod
    def read(cls, image: ImageBytes) -> Self:
        """Read the header of a slice.

        Raises:
            MalformedImage: It does not start with a Mach-O magic.
        """
        (magic,) = image.unpack("<I", 0)
        if magic not in _THIN_MAGICS:
            raise MalformedImage("it does not start with a Mach-O magic")
        order, start = _THIN_MAGICS[magic]
        return cls(image=image, order=order, commands_start=start)

    @property
    def architecture(self) -> str:
        """The name that ``lipo`` uses, or the numbers of an unknown processor.

        Code for some processors of a family only, such as x86_64h, does not have the family's name.
        """
        cpu, subtype = self.processor
        name = _CPU_NAMES.get(cpu, f"cpu {cpu:#x}")
        if subtype in _GENERAL_SUBTYPES.get(cpu, {subtype}):
            return name
        return _SUBTYPE_NAMES.get((cpu, subtype), f"{name} subtype {subtype:#x}")

    @property
    def processor(self) -> tuple[int, int]:
        """``cputype``, and ``cpusubtype`` without the bits for capabilities."""
        cpu, subtype = self.image.unpack(self.order + "II", 4)
        return cpu, subtype & _SUBTYPE_MASK

    @property
    def cpu(self) -> int:
        """``cputype``."""
        return self.processor[0]

    @property
    def flags(self) -> int:
        """``flags``."""
        return self.image.unpack(self.order + "I", 24)[0]

    @property
    def is_64_bit(self) -> bool:
        """Whether the header is a ``mach_header_64``."""
        return self.commands_start == _HEADER_64_BYTES

    @property
    def commands_end(self) -> int:
        """Offset of the end of the load commands."""
        return self.commands_start + self.image.unpack(self.order + "I", 20)[0]

    @property
    def type(self) -> int:
        """``filetype``."""
        return self.image.unpack(self.order + "I", 12)[0]

    def commands(self) -> Iterator[LoadCommand]:
        """Read the load commands, in order.

        Raises:
            MalformedImage: They do not fit their count or size, or are too large for a loader.
        """
        count, size_bytes = self.image.unpack(self.order + "II", 16)
        if size_bytes > _MAX_COMMANDS_BYTES:
            raise MalformedImage(f"{size_bytes} bytes of load commands are too large for a loader")
        table = self.image.read(self.commands_start, size_bytes)
        at = 0
        for _ in range(count):
            if at + _COMMAND_BYTES > len(table):
                commands = counted(count, "load command does", "load commands do")
                raise MalformedImage(f"{commands} not fit in {counted(len(table), 'byte')}")
            kind, length = struct.unpack_from(self.order + "II", table, at)
            if length < _COMMAND_BYTES or at + length > len(table):
                raise MalformedImage(f"load command {kind:#x} claims {counted(length, 'byte')}")
            yield LoadCommand(kind=kind, data=table[at : at + length], order=self.order)
            at += length


@dataclass(frozen=True, slots=True, kw_only=True)
class UniversalTable:
    """The table of slices of a universal file; a thin file counts as its own only slice.

    Attributes:
        size_bytes: Size of the table.
        processors: For each slice of a universal file, the ``cputype`` and the ``cpusubtype`` in the table.
    """

    size_bytes: int
    slices: tuple[ImageBytes, ...]
    processors: tuple[tuple[int, int], ...] = ()

    @classmethod
    def read(cls, image: ImageBytes) -> Self:
        """Read the table.

        Raises:
            MalformedImage: A slice ends beyond the end of the file, or there are too many.
        """
        (magic,) = image.unpack(">I", 0)
        if magic not in {_FAT_MAGIC, _FAT_MAGIC_64}:
            return cls(size_bytes=0, slices=(image,))
        (count,) = image.unpack(">I", 4)
        if not 0 < count <= _MAX_SLICES:
            raise MalformedImage(f"a universal file of {counted(count, 'architecture')}")
        layout = ">IIIII" if magic == _FAT_MAGIC else ">IIQQII"
        places = [8 + index * struct.calcsize(layout) for index in range(count + 1)]
        fields = [image.unpack(layout, place) for place in places[:-1]]
        parts = tuple(image.window(offset, size) for _, _, offset, size, *_ in fields)
        processors = tuple((cpu, subtype & _SUBTYPE_MASK) for cpu, subtype, *_ in fields)
        return cls(size_bytes=places[-1], slices=parts, processors=processors)

    def gaps(self, image: ImageBytes) -> Iterator[tuple[int, int]]:
        """Yield offset and size of each range that belongs to no slice.

        Raises:
            MalformedImage: Slices overlap each other or the table.
        """
        end = self.size_bytes
        for part in sorted(self.slices, key=lambda part: part.start):
            if part.start < end:
                raise MalformedImage("the slices of a universal file overlap")
            yield end, part.start - end
            end = part.start + part.size_bytes
        yield end, image.size_bytes - end
