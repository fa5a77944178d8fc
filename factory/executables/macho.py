"""Read what dyld uses of a Mach-O file: architecture, minimum macOS, libraries, search paths, signature.

Only the header and its load commands are read (Apple, ``mach-o/loader.h`` and ``mach-o/fat.h``),
not the content of sections.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from factory.executables.image_bytes import ImageBytes, MalformedImage
from factory.executables.macho_frame import (
    LC_CODE_SIGNATURE,
    LC_SEGMENT,
    LC_SEGMENT_64,
    LoadCommand,
    MachoFrame,
    UniversalTable,
)
from factory.executables.macho_segments import require_loadable

_PLATFORM_MACOS = 1


class MachoType(IntEnum):
    """The type of a Mach-O file (``filetype``), of those that dyld loads."""

    EXECUTE = 2
    DYLIB = 6
    BUNDLE = 8


class _Command(IntEnum):
    LOAD_DYLIB = 0xC
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


_SEGMENTS = frozenset({LC_SEGMENT, LC_SEGMENT_64})
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
        platforms: The systems it was built for, by the numbers of LC_BUILD_VERSION: 1 is macOS.
        minimum_macos: From LC_BUILD_VERSION or LC_VERSION_MIN_MACOSX.
        dylibs: The libraries that it needs to start, in order.
        optional_dylibs: The weak and lazy libraries, in order.
        rpaths: LC_RPATH, in order.
        is_signed: Whether LC_CODE_SIGNATURE points to a signature, valid or not.
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
        """Whether it was built for macOS, or names no system."""
        return not self.platforms or _PLATFORM_MACOS in self.platforms


@dataclass(frozen=True, slots=True, kw_only=True)
class MachoFacts:
    """Facts about one Mach-O file: those about each slice, in the order of the file."""

    slices: tuple[MachoSlice, ...]


def read_macho(path: Path) -> MachoFacts:
    """Read the facts about every slice, by a few kilobytes of the file.

    Raises:
        MalformedImage: The file is not valid Mach-O, is truncated, or cannot be loaded.
    """
    with ImageBytes.open(path) as image:
        table = UniversalTable.read(image)
        slices = tuple(map(_slice, table.slices))
        seen = tuple(MachoFrame.read(part).processor for part in table.slices)
    if table.processors and seen != table.processors:
        raise MalformedImage("the table of its slices lists other processors than the slices are for")
    names = [part.architecture for part in slices]
    if len(set(names)) < len(names):
        raise MalformedImage(f"it has several slices for one architecture: {', '.join(names)}")
    return MachoFacts(slices=slices)


def headers_without_segments(path: Path) -> tuple[bytes, ...]:
    """Return each slice as a file of its header and load commands, without the segments.

    This is the input for delocate, which reads the deployment target through macholib, and that
    reads the sections of all segments into memory (254 MB for one codex).

    Raises:
        MalformedImage: The file is not valid Mach-O, or is truncated.
    """
    with ImageBytes.open(path) as image:
        return tuple(_header_without_segments(part) for part in UniversalTable.read(image).slices)


def _header_without_segments(image: ImageBytes) -> bytes:
    frame = MachoFrame.read(image)
    kept = [command for command in frame.commands() if command.kind not in _SEGMENTS]
    commands = b"".join(command.data for command in kept)
    counts = struct.pack(frame.order + "II", len(kept), len(commands))
    return image.read(0, 16) + counts + image.read(24, frame.commands_start - 24) + commands


def _slice(image: ImageBytes) -> MachoSlice:
    frame = MachoFrame.read(image)
    commands = tuple(frame.commands())
    require_loadable(frame, commands)
    return MachoSlice(
        architecture=frame.architecture,
        type=frame.type,
        platforms=tuple(_platforms(commands)),
        minimum_macos=next(_minimum_versions(commands), None),
        dylibs=_texts(commands, _REQUIRED_DYLIBS),
        optional_dylibs=_texts(commands, _OPTIONAL_DYLIBS),
        rpaths=_texts(commands, frozenset({_Command.RPATH})),
        is_signed=any(_leads_to_signature(image, command) for command in commands),
    )


def _platforms(commands: tuple[LoadCommand, ...]) -> Iterator[int]:
    for command in commands:
        if command.kind == _Command.BUILD_VERSION:
            yield command.numbers("I", 8)[0]
        elif command.kind == _Command.VERSION_MIN_MACOSX:
            yield _PLATFORM_MACOS
        elif command.kind in _OTHER_SYSTEMS:
            yield _OTHER_SYSTEMS[_Command(command.kind)]


def _minimum_versions(commands: tuple[LoadCommand, ...]) -> Iterator[tuple[int, int]]:
    for command in commands:
        if command.kind == _Command.VERSION_MIN_MACOSX:
            yield _version(command.numbers("I", 8)[0])
        elif command.kind == _Command.BUILD_VERSION:
            platform, version = command.numbers("II", 8)
            if platform == _PLATFORM_MACOS:
                yield _version(version)


def _version(packed: int) -> tuple[int, int]:
    return packed >> 16, packed >> 8 & 0xFF


def _texts(commands: tuple[LoadCommand, ...], kinds: frozenset[_Command]) -> tuple[str, ...]:
    return tuple(command.text() for command in commands if command.kind in kinds)


def _leads_to_signature(image: ImageBytes, command: LoadCommand) -> bool:
    if command.kind != LC_CODE_SIGNATURE:
        return False
    offset, size_bytes = command.numbers("II", 8)
    return image.window(offset, size_bytes).size_bytes > 0
