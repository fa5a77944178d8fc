"""What a Mach-O file says to dyld: architecture, minimum macOS, libraries, search paths, signature.

Only the header and its load commands are read (Apple, ``mach-o/loader.h`` and
``mach-o/fat.h``), never a section.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from factory.image_bytes import ImageBytes, MalformedImage, decoded

_MAX_SLICES = 8
_MAX_COMMANDS_BYTES = 1 << 16
_COMMAND_BYTES = 8
_TEXT_START = 12
_FAT_MAGIC = 0xCAFEBABE
_FAT_MAGIC_64 = 0xCAFEBABF
_THIN_MAGICS = {0xFEEDFACE: ("<", 28), 0xFEEDFACF: ("<", 32), 0xCEFAEDFE: (">", 28), 0xCFFAEDFE: (">", 32)}
_SIGNATURE_MAGIC = 0xFADE0CC0
_PLATFORM_MACOS = 1
_CPU_NAMES = {7: "i386", 0x01000007: "x86_64", 12: "arm", 0x0100000C: "arm64"}
_ARM64E = (0x0100000C, 2)


class MachoType(IntEnum):
    """What a Mach-O file is (``filetype``), of those that dyld loads."""

    EXECUTE = 2
    DYLIB = 6
    BUNDLE = 8


class _Command(IntEnum):
    LOAD_DYLIB = 0xC
    CODE_SIGNATURE = 0x1D
    LAZY_LOAD_DYLIB = 0x20
    VERSION_MIN_MACOSX = 0x24
    VERSION_MIN_IPHONEOS = 0x25
    VERSION_MIN_TVOS = 0x2F
    VERSION_MIN_WATCHOS = 0x30
    BUILD_VERSION = 0x32
    LOAD_WEAK_DYLIB = 0x80000018
    RPATH = 0x8000001C
    REEXPORT_DYLIB = 0x8000001F
    LOAD_UPWARD_DYLIB = 0x80000023


_SEGMENTS = frozenset({0x1, 0x19})
_REQUIRED_DYLIBS = frozenset({_Command.LOAD_DYLIB, _Command.REEXPORT_DYLIB, _Command.LOAD_UPWARD_DYLIB})
_OPTIONAL_DYLIBS = frozenset({_Command.LOAD_WEAK_DYLIB, _Command.LAZY_LOAD_DYLIB})
_OTHER_SYSTEMS = {
    _Command.VERSION_MIN_IPHONEOS: 2,
    _Command.VERSION_MIN_TVOS: 3,
    _Command.VERSION_MIN_WATCHOS: 4,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MachoSlice:
    """Facts about the code for one architecture; a thin file has one slice, a universal one several.

    Attributes:
        architecture: As ``lipo`` names it: ``x86_64``, ``arm64``, ``arm64e``; a number where unknown.
        type: ``filetype``: 2 a program, 6 a dylib, 8 a bundle.
        platforms: The systems it was built for, by LC_BUILD_VERSION's numbers: 1 is macOS.
        minimum_macos: From LC_BUILD_VERSION or LC_VERSION_MIN_MACOSX; None when it has neither.
        dylibs: The libraries it cannot start without, in order.
        optional_dylibs: The weak and lazy ones, in order.
        rpaths: LC_RPATH, in order.
        is_signed: LC_CODE_SIGNATURE leads to a signature; nothing is said of its validity.
    """

    architecture: str
    type: int
    platforms: tuple[int, ...]
    minimum_macos: tuple[int, int] | None
    dylibs: tuple[str, ...]
    optional_dylibs: tuple[str, ...]
    rpaths: tuple[str, ...]
    is_signed: bool

    @property
    def is_for_macos(self) -> bool:
        """Whether macOS is what it was built for, or it names no system at all."""
        return not self.platforms or _PLATFORM_MACOS in self.platforms


@dataclass(frozen=True, slots=True, kw_only=True)
class _LoadCommand:
    kind: int
    data: bytes
    order: str

    def numbers(self, layout: str, at: int) -> tuple[int, ...]:
        """Unpack integers out of the command.

        Raises:
            MalformedImage: It is too short for them.
        """
        if at + struct.calcsize(layout) > len(self.data):
            raise MalformedImage(f"load command {self.kind:#x} has only {len(self.data)} bytes")
        return struct.unpack_from(self.order + layout, self.data, at)

    def text(self) -> str:
        """Return the text that the command's first field points to (``lc_str``)."""
        (start,) = self.numbers("I", 8)
        if not _TEXT_START <= start < len(self.data):
            raise MalformedImage(f"load command {self.kind:#x} has its text outside of itself")
        return decoded(self.data[start:].partition(b"\0")[0])


def read_macho(path: Path) -> tuple[MachoSlice, ...]:
    """Read the facts of every slice; a few kilobytes of the file are read, whatever its size.

    Raises:
        MalformedImage: It contradicts the format, or is cut off.
    """
    with ImageBytes.open(path) as image:
        return tuple(_slice(part) for part in _parts(image))


def headers_without_segments(path: Path) -> tuple[bytes, ...]:
    """Return each slice's header and load commands, without the segments, as a file of its own.

    This is what delocate is shown: it reads the deployment target through macholib,
    which loads every section that a segment names into memory, 254 MB for one codex.

    Raises:
        MalformedImage: It contradicts the format, or is cut off.
    """
    with ImageBytes.open(path) as image:
        return tuple(_header_without_segments(part) for part in _parts(image))


def _header_without_segments(image: ImageBytes) -> bytes:
    order, start = _thin(image)
    kept = [command for command in _commands(image, order, start) if command.kind not in _SEGMENTS]
    commands = b"".join(command.data for command in kept)
    counts = struct.pack(order + "II", len(kept), len(commands))
    return image.read(0, 16) + counts + image.read(24, start - 24) + commands


def _parts(image: ImageBytes) -> Iterator[ImageBytes]:
    (magic,) = image.unpack(">I", 0)
    if magic not in {_FAT_MAGIC, _FAT_MAGIC_64}:
        yield image
        return
    (count,) = image.unpack(">I", 4)
    if not 0 < count <= _MAX_SLICES:
        raise MalformedImage(f"a universal file of {count} architectures")
    layout = ">IIIII" if magic == _FAT_MAGIC else ">IIQQII"
    for index in range(count):
        fields = image.unpack(layout, 8 + index * struct.calcsize(layout))
        yield image.window(fields[2], fields[3])


def _slice(image: ImageBytes) -> MachoSlice:
    order, start = _thin(image)
    _, cpu, subtype, file_type = image.unpack(order + "IIII", 0)
    commands = tuple(_commands(image, order, start))
    architecture = _CPU_NAMES.get(cpu, f"cpu {cpu:#x}")
    return MachoSlice(
        architecture="arm64e" if (cpu, subtype & 0xFFFFFF) == _ARM64E else architecture,
        type=file_type,
        platforms=tuple(_platforms(commands)),
        minimum_macos=next(_minimum_versions(commands), None),
        dylibs=_texts(commands, _REQUIRED_DYLIBS),
        optional_dylibs=_texts(commands, _OPTIONAL_DYLIBS),
        rpaths=_texts(commands, frozenset({_Command.RPATH})),
        is_signed=any(_leads_to_signature(image, command) for command in commands),
    )


def _thin(image: ImageBytes) -> tuple[str, int]:
    """Return the byte order and where the load commands start."""
    (magic,) = image.unpack("<I", 0)
    if magic not in _THIN_MAGICS:
        raise MalformedImage("the first four bytes are not Mach-O's")
    return _THIN_MAGICS[magic]


def _commands_bytes(image: ImageBytes, order: str) -> int:
    (size_bytes,) = image.unpack(order + "I", 20)
    if size_bytes > _MAX_COMMANDS_BYTES:
        raise MalformedImage(f"{size_bytes} bytes of load commands")
    return size_bytes


def _commands(image: ImageBytes, order: str, start: int) -> Iterator[_LoadCommand]:
    (count,) = image.unpack(order + "I", 16)
    table = image.read(start, _commands_bytes(image, order))
    at = 0
    for _ in range(count):
        if at + _COMMAND_BYTES > len(table):
            raise MalformedImage(f"{count} load commands do not fit in {len(table)} bytes")
        kind, size_bytes = struct.unpack_from(order + "II", table, at)
        if size_bytes < _COMMAND_BYTES or at + size_bytes > len(table):
            raise MalformedImage(f"load command {kind:#x} claims {size_bytes} bytes")
        yield _LoadCommand(kind=kind, data=table[at : at + size_bytes], order=order)
        at += size_bytes


def _platforms(commands: tuple[_LoadCommand, ...]) -> Iterator[int]:
    for command in commands:
        if command.kind == _Command.BUILD_VERSION:
            yield command.numbers("I", 8)[0]
        elif command.kind == _Command.VERSION_MIN_MACOSX:
            yield _PLATFORM_MACOS
        elif command.kind in _OTHER_SYSTEMS:
            yield _OTHER_SYSTEMS[_Command(command.kind)]


def _minimum_versions(commands: tuple[_LoadCommand, ...]) -> Iterator[tuple[int, int]]:
    for command in commands:
        if command.kind == _Command.VERSION_MIN_MACOSX:
            yield _version(command.numbers("I", 8)[0])
        elif command.kind == _Command.BUILD_VERSION:
            platform, version = command.numbers("II", 8)
            if platform == _PLATFORM_MACOS:
                yield _version(version)


def _version(packed: int) -> tuple[int, int]:
    return packed >> 16, packed >> 8 & 0xFF


def _texts(commands: tuple[_LoadCommand, ...], kinds: frozenset[_Command]) -> tuple[str, ...]:
    return tuple(command.text() for command in commands if command.kind in kinds)


def _leads_to_signature(image: ImageBytes, command: _LoadCommand) -> bool:
    if command.kind != _Command.CODE_SIGNATURE:
        return False
    offset, size_bytes = command.numbers("II", 8)
    (magic,) = image.window(offset, size_bytes).unpack(">I", 0)
    return magic == _SIGNATURE_MAGIC
