"""Read what Windows uses of a PE file: machine, subsystem, imported DLLs, mitigations, signature.

Only the headers and the descriptors of the two import directories are read (Microsoft, "PE
Format"), not the names of imported functions.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from pathlib import Path

from factory.executables.image_bytes import ImageBytes, MalformedImage

_MAX_IMPORTED_DLLS = 4096
_MAX_SECTIONS = 96
_PE32 = 0x10B
_PE32_PLUS = 0x20B
_IS_DLL = 0x2000
_CERTIFICATE_HEADER_BYTES = 8


class Subsystem(IntEnum):
    """The subsystem of a program, of those that a user can start."""

    GUI = 2
    CONSOLE = 3


class Mitigation(IntFlag):
    """The bits of ``DllCharacteristics`` that make memory corruption harder to exploit."""

    HIGH_ENTROPY_VA = 0x0020
    DYNAMIC_BASE = 0x0040
    NX_COMPAT = 0x0100


class _Directory(IntEnum):
    IMPORT = 1
    SECURITY = 4
    DELAY_IMPORT = 13


@dataclass(frozen=True, slots=True, kw_only=True)
class PeFacts:
    """Facts about one PE file.

    Attributes:
        machine: ``Machine``: 0x8664 is x86-64, 0xAA64 is ARM64.
        is_64_bit: PE32+, not PE32.
        subsystem: 2 GUI, 3 console.
        imports: The DLLs that it needs to start, as written, in order.
        delay_imports: The DLLs that are loaded on first use.
        is_signed: Whether it has an Authenticode signature, valid or not.
    """

    machine: int
    is_64_bit: bool
    is_dll: bool
    subsystem: int
    imports: tuple[str, ...]
    delay_imports: tuple[str, ...]
    mitigations: Mitigation
    is_signed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Section:
    address: int
    memory_bytes: int
    offset: int
    file_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Headers:
    machine: int
    is_64_bit: bool
    characteristics: int
    image_base: int
    subsystem: int
    mitigations: int
    directories: tuple[tuple[int, int], ...]
    sections: tuple[_Section, ...]

    def directory(self, which: _Directory) -> tuple[int, int]:
        """Return address and size of a directory, or zeros if it is missing."""
        return self.directories[which] if which < len(self.directories) else (0, 0)

    def offset(self, address: int) -> int:
        """Return the file offset of a relative virtual address.

        Raises:
            MalformedImage: The address is in no section.
        """
        for section in self.sections:
            inside = address - section.address
            if 0 <= inside < min(section.memory_bytes or section.file_bytes, section.file_bytes):
                return section.offset + inside
        raise MalformedImage(f"the address {address:#x} is in no section")


def read_pe(path: Path) -> PeFacts:
    """Read the facts about a PE file, by a few kilobytes of it.

    Raises:
        MalformedImage: The file is not valid PE, or is truncated.
    """
    with ImageBytes.open(path) as image:
        headers = _headers(image)
        return PeFacts(
            machine=headers.machine,
            is_64_bit=headers.is_64_bit,
            is_dll=bool(headers.characteristics & _IS_DLL),
            subsystem=headers.subsystem,
            imports=tuple(_imports(image, headers)),
            delay_imports=tuple(_delay_imports(image, headers)),
            mitigations=Mitigation(headers.mitigations & sum(Mitigation)),
            is_signed=_is_signed(image, headers),
        )


def _headers(image: ImageBytes) -> _Headers:
    if image.read(0, 2) != b"MZ":
        raise MalformedImage("the first two bytes are not MZ")
    (start,) = image.unpack("<I", 0x3C)
    if image.read(start, 4) != b"PE\0\0":
        raise MalformedImage("it is an MS-DOS program, or its PE signature is damaged")
    machine, sections, _, _, _, optional_bytes, characteristics = image.unpack("<HHIIIHH", start + 4)
    optional = image.window(start + 24, optional_bytes)
    (magic,) = optional.unpack("<H", 0)
    if magic not in {_PE32, _PE32_PLUS}:
        raise MalformedImage(f"its optional header has the magic {magic:#x}")
    subsystem, mitigations = optional.unpack("<HH", 68)
    return _Headers(
        machine=machine,
        is_64_bit=magic == _PE32_PLUS,
        characteristics=characteristics,
        image_base=optional.unpack("<Q", 24)[0] if magic == _PE32_PLUS else optional.unpack("<I", 28)[0],
        subsystem=subsystem,
        mitigations=mitigations,
        directories=_directories(optional, 108 if magic == _PE32_PLUS else 92),
        sections=_sections(image, start + 24 + optional_bytes, sections),
    )


def _directories(optional: ImageBytes, at: int) -> tuple[tuple[int, int], ...]:
    count = min(optional.unpack("<I", at)[0], 16)
    table = optional.read(at + 4, count * 8)
    return tuple((place, size_bytes) for place, size_bytes in struct.iter_unpack("<II", table))


def _sections(image: ImageBytes, offset: int, count: int) -> tuple[_Section, ...]:
    if count > _MAX_SECTIONS:
        raise MalformedImage(f"it has {count} sections; Windows loads at most {_MAX_SECTIONS}")
    table = image.read(offset, count * 40)
    return tuple(
        _Section(memory_bytes=memory_bytes, address=address, file_bytes=file_bytes, offset=place)
        for memory_bytes, address, file_bytes, place in struct.iter_unpack("<8xIIII16x", table)
    )


def _imports(image: ImageBytes, headers: _Headers) -> Iterator[str]:
    for descriptor in _descriptors(image, headers, _Directory.IMPORT, "<12xII"):
        yield image.text(headers.offset(descriptor[0]))


def _delay_imports(image: ImageBytes, headers: _Headers) -> Iterator[str]:
    """Yield the delay-loaded DLLs; without bit 0 of the attributes, addresses are absolute."""
    for attributes, name in _descriptors(image, headers, _Directory.DELAY_IMPORT, "<II24x"):
        yield image.text(headers.offset(name if attributes & 1 else name - headers.image_base))


def _descriptors(
    image: ImageBytes, headers: _Headers, which: _Directory, layout: str
) -> Iterator[tuple[int, ...]]:
    """Yield the descriptors of a directory up to the empty one, as the loader does."""
    address, _ = headers.directory(which)
    if address == 0:
        return
    offset = headers.offset(address)
    for index in range(_MAX_IMPORTED_DLLS):
        fields = image.unpack(layout, offset + index * struct.calcsize(layout))
        if not any(fields):
            return
        yield fields
    raise MalformedImage(f"its list of imported DLLs has no end after {_MAX_IMPORTED_DLLS} entries")


def _is_signed(image: ImageBytes, headers: _Headers) -> bool:
    """Whether there is an attribute certificate; only this directory has a file offset, not an address."""
    offset, size_bytes = headers.directory(_Directory.SECURITY)
    if size_bytes == 0:
        return False
    image.window(offset, size_bytes)
    return size_bytes > _CERTIFICATE_HEADER_BYTES
