"""The headers and the section table of a PE file, checked as Windows checks them before it maps the file.

What Windows rejects, or maps so that the program dies before its first instruction, is malformed here
(Microsoft, "PE Format"; the tests of the loader in Wine, ``dlls/kernel32/tests/loader.c``, which also run
on Windows). Files with pages smaller than 4 KiB, which Windows loads for drivers, are not accepted.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from factory.core.counted import counted
from factory.executables.image_bytes import ImageBytes, MalformedImage

_MAX_SECTIONS = 96
_MAX_IMAGE_BYTES = 1 << 31
_PAGE_BYTES = 0x1000
_SECTOR_BYTES = 0x200
_MAX_FILE_ALIGNMENT = 0x10000
_BASE_ALIGNMENT = 0x10000
_PE32 = 0x10B
_PE32_PLUS = 0x20B
_IS_EXECUTABLE = 0x0002
_IS_DLL = 0x2000
_MAY_EXECUTE = 0x20000000


class PeDirectory(IntEnum):
    """The data directories that the checks use, by index."""

    IMPORT = 1
    SECURITY = 4
    LOAD_CONFIG = 10
    DELAY_IMPORT = 13


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One section: where it is in memory, relative to the image base, and in the file."""

    address: int
    memory_bytes: int
    offset: int
    file_bytes: int
    flags: int

    @property
    def size_bytes(self) -> int:
        """Its size in memory; the size in the file where the other one is 0, as Windows takes it."""
        return self.memory_bytes or self.file_bytes

    @property
    def is_executable(self) -> bool:
        """Whether it has the flag MEM_EXECUTE."""
        return bool(self.flags & _MAY_EXECUTE)

    def has(self, address: int) -> bool:
        """Whether the file has the byte at an address of this section."""
        return 0 <= address - self.address < min(self.size_bytes, self.file_bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class PeFrame:
    """The headers of a PE file.

    Attributes:
        entry: The address of the entry point, relative to the image base; 0 for none.
        image_bytes: The size of the image in memory.
        header_bytes: The size of all headers, in the file and in memory.
        directories: Address and size of each data directory.
        sections: The section table, in order.
    """

    image: ImageBytes
    machine: int
    characteristics: int
    is_64_bit: bool
    entry: int
    image_base: int
    section_alignment: int
    file_alignment: int
    image_bytes: int
    header_bytes: int
    subsystem: int
    mitigations: int
    directories: tuple[tuple[int, int], ...]
    sections: tuple[Section, ...]

    @classmethod
    def read(cls, image: ImageBytes) -> Self:
        """Read the headers.

        Raises:
            MalformedImage: The file is not valid PE, is truncated, or cannot be loaded.
        """
        start = _start(image)
        machine, count, _, _, _, optional_bytes, characteristics = image.unpack("<HHIIIHH", start + 4)
        optional = image.window(start + 24, optional_bytes)
        (magic,) = optional.unpack("<H", 0)
        if magic not in {_PE32, _PE32_PLUS}:
            raise MalformedImage(f"its optional header has the magic {magic:#x}")
        is_64_bit = magic == _PE32_PLUS
        section_alignment, file_alignment = optional.unpack("<II", 32)
        image_bytes, header_bytes = optional.unpack("<II", 56)
        subsystem, mitigations = optional.unpack("<HH", 68)
        table_at = start + 24 + optional_bytes
        frame = cls(
            image=image,
            machine=machine,
            characteristics=characteristics,
            is_64_bit=is_64_bit,
            entry=optional.unpack("<I", 16)[0],
            image_base=optional.unpack("<Q", 24)[0] if is_64_bit else optional.unpack("<I", 28)[0],
            section_alignment=section_alignment,
            file_alignment=file_alignment,
            image_bytes=image_bytes,
            header_bytes=header_bytes,
            subsystem=subsystem,
            mitigations=mitigations,
            directories=_directories(optional, 108 if is_64_bit else 92),
            sections=_sections(image, table_at, count),
        )
        _require_loadable(frame, headers_end=table_at + 40 * count)
        return frame

    @property
    def is_dll(self) -> bool:
        """Whether it is a library."""
        return bool(self.characteristics & _IS_DLL)

    def directory(self, which: PeDirectory) -> tuple[int, int]:
        """Return address and size of a directory, or zeros if it is missing."""
        return self.directories[which] if which < len(self.directories) else (0, 0)

    def offset(self, address: int) -> int:
        """Return the file offset of a relative virtual address.

        Raises:
            MalformedImage: The address is in no section.
        """
        for section in self.sections:
            if section.has(address):
                return section.offset + address - section.address
        raise MalformedImage(f"the address {address:#x} is in no section")


def _start(image: ImageBytes) -> int:
    if image.read(0, 2) != b"MZ":
        raise MalformedImage("the first two bytes are not MZ")
    (start,) = image.unpack("<I", 0x3C)
    if image.read(start, 4) != b"PE\0\0":
        raise MalformedImage("it is an MS-DOS program, or its PE signature is damaged")
    if start % 4:
        raise MalformedImage(f"its PE header is at the offset {start}, which is not a multiple of 4")
    return start


def _directories(optional: ImageBytes, at: int) -> tuple[tuple[int, int], ...]:
    count = min(optional.unpack("<I", at)[0], 16)
    table = optional.read(at + 4, count * 8)
    return tuple((place, size_bytes) for place, size_bytes in struct.iter_unpack("<II", table))


def _sections(image: ImageBytes, offset: int, count: int) -> tuple[Section, ...]:
    if count > _MAX_SECTIONS:
        raise MalformedImage(f"it has {count} sections; Windows loads at most {_MAX_SECTIONS}")
    table = image.read(offset, count * 40)
    return tuple(
        Section(memory_bytes=memory, address=address, file_bytes=file_bytes, offset=place, flags=flags)
        for memory, address, file_bytes, place, flags in struct.iter_unpack("<8xIIII12xI", table)
    )


def _require_loadable(frame: PeFrame, *, headers_end: int) -> None:
    """Check what Windows checks before it maps a file and starts it."""
    if not frame.characteristics & _IS_EXECUTABLE:
        raise MalformedImage("it is not marked as executable (IMAGE_FILE_EXECUTABLE_IMAGE)")
    if frame.image_base % _BASE_ALIGNMENT:
        raise MalformedImage(f"its image base {frame.image_base:#x} is not a multiple of 64 KiB")
    _require_alignments(frame)
    _require_headers(frame, headers_end)
    _require_sections(frame)
    _require_entry(frame)


def _require_alignments(frame: PeFrame) -> None:
    section, file = frame.section_alignment, frame.file_alignment
    if section < _PAGE_BYTES or section.bit_count() != 1:
        raise MalformedImage(f"its section alignment {section:#x} is not a power of 2 of at least 4 KiB")
    if not _SECTOR_BYTES <= file <= min(section, _MAX_FILE_ALIGNMENT) or file.bit_count() != 1:
        raise MalformedImage(f"its file alignment {file:#x} is not a power of 2 from 512 to 64 KiB")


def _require_headers(frame: PeFrame, headers_end: int) -> None:
    if frame.header_bytes < headers_end:
        raise MalformedImage(
            f"its headers end at {headers_end}, but only "
            f"{counted(frame.header_bytes, 'byte is', 'bytes are')} mapped"
        )
    if frame.header_bytes > frame.image.size_bytes:
        raise MalformedImage(
            f"its headers have {counted(frame.header_bytes, 'byte')}, "
            f"beyond the end of the file at {frame.image.size_bytes}"
        )
    if not frame.header_bytes < frame.image_bytes <= _MAX_IMAGE_BYTES:
        raise MalformedImage(f"its size in memory is {counted(frame.image_bytes, 'byte')}")


def _require_sections(frame: PeFrame) -> None:
    """Check that the sections are in the file, and follow each other in memory without gap or overlap."""
    if not frame.sections:
        raise MalformedImage("it has no sections")
    expected = _up(frame.header_bytes, frame.section_alignment)
    for section in frame.sections:
        if section.address != expected:
            raise MalformedImage(
                f"the section at {section.address:#x} overlaps the one before it, or does not follow it: "
                f"Windows expects it at {expected:#x}"
            )
        _require_inside(frame, section)
        expected += _up(section.size_bytes, frame.section_alignment)
    if _up(frame.image_bytes, frame.section_alignment) != expected:
        raise MalformedImage(
            f"its size in memory is {frame.image_bytes:#x}, but its sections end at {expected:#x}"
        )


def _require_inside(frame: PeFrame, section: Section) -> None:
    if not section.size_bytes:
        raise MalformedImage(f"the section at {section.address:#x} is empty")
    if not section.file_bytes:
        return
    end = section.offset + section.file_bytes
    if end > frame.image.size_bytes:
        raise MalformedImage(
            f"the section at {section.address:#x} ends at {end} of the file, "
            f"beyond its end at {frame.image.size_bytes}"
        )
    if section.offset % _SECTOR_BYTES:
        raise MalformedImage(
            f"the section at {section.address:#x} starts at the offset {section.offset:#x} of the file, "
            f"which is not a multiple of 512: Windows maps other bytes"
        )


def _require_entry(frame: PeFrame) -> None:
    """Check that a program starts in code; a library may have no entry point."""
    if frame.entry == 0 and frame.is_dll:
        return
    if not any(section.is_executable and section.has(frame.entry) for section in frame.sections):
        raise MalformedImage(f"its entry point {frame.entry:#x} is in no executable section of the file")


def _up(size_bytes: int, alignment: int) -> int:
    return -(-size_bytes // alignment) * alignment
