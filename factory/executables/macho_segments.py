"""The segments and the entry point of a Mach-O slice, checked as macOS does before it starts a program.

What the kernel or dyld rejects is malformed here (``bsd/kern/mach_loader.c`` of xnu, ``mach_o/Header.cpp``
of dyld). Where dyld is strict only about new files, so is this module: section ends and page alignment
are rules that every linker for macOS keeps.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

from factory.core.counted import counted
from factory.executables.image_bytes import MalformedImage
from factory.executables.macho_frame import LC_SEGMENT, LC_SEGMENT_64, LoadCommand, MachoFrame

_EXECUTE, _DYLIB, _BUNDLE = 2, 6, 8
_LOADED_TYPES = frozenset({_EXECUTE, _DYLIB, _BUNDLE})
_MH_DYLDLINK = 0x4
_MH_PIE = 0x200000
_CPU_ARM64 = 0x0100000C
_PAGE_BYTES = 0x1000
_ARM64_PAGE_BYTES = 0x4000
_PROTECTIONS = 7
_READ_EXECUTE = 5
_PROT_EXECUTE = 4

_LC_ID_DYLIB = 0xD
_LC_LOAD_DYLINKER = 0xE
_LC_UNIXTHREAD = 0x5
_LC_MAIN = 0x80000028
_LC_REQUIRED = 0x80000000
_DYLD = "/usr/lib/dyld"
_KNOWN_REQUIRED = frozenset(
    {
        0x80000018,  # LC_LOAD_WEAK_DYLIB
        0x8000001C,  # LC_RPATH
        0x8000001F,  # LC_REEXPORT_DYLIB
        0x80000022,  # LC_DYLD_INFO_ONLY
        0x80000023,  # LC_LOAD_UPWARD_DYLIB
        _LC_MAIN,
        0x80000033,  # LC_DYLD_EXPORTS_TRIE
        0x80000034,  # LC_DYLD_CHAINED_FIXUPS
    }
)
# Each pair of fields at these places is the offset and the size of a table in the file.
_TABLES = {
    0x1D: (8,),  # LC_CODE_SIGNATURE
    0x1E: (8,),  # LC_SEGMENT_SPLIT_INFO
    0x26: (8,),  # LC_FUNCTION_STARTS
    0x29: (8,),  # LC_DATA_IN_CODE
    0x2B: (8,),  # LC_DYLIB_CODE_SIGN_DRS
    0x2E: (8,),  # LC_LINKER_OPTIMIZATION_HINT
    0x22: (8, 16, 24, 32, 40),  # LC_DYLD_INFO
    0x80000022: (8, 16, 24, 32, 40),  # LC_DYLD_INFO_ONLY
    0x80000033: (8,),  # LC_DYLD_EXPORTS_TRIE
    0x80000034: (8,),  # LC_DYLD_CHAINED_FIXUPS
}
_LC_SYMTAB = 0x2
_THREAD_ENTRY = {(0x01000007, 4): (16, "Q"), (_CPU_ARM64, 6): (32, "Q"), (7, 1): (10, "I")}
"""Index and format of the program counter in LC_UNIXTHREAD, by processor and kind of state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MachoSegment:
    """One LC_SEGMENT or LC_SEGMENT_64; a section is its address and its size."""

    name: str
    address: int
    memory_bytes: int
    offset: int
    file_bytes: int
    protection: int
    sections: tuple[tuple[int, int], ...]

    @property
    def end(self) -> int:
        """The address of its end."""
        return self.address + self.memory_bytes

    @property
    def file_end(self) -> int:
        """The offset of its end in the slice."""
        return self.offset + self.file_bytes

    @property
    def is_executable(self) -> bool:
        """Whether its initial protection allows execution."""
        return bool(self.protection & _PROT_EXECUTE)

    @classmethod
    def parse(cls, command: LoadCommand, *, is_64_bit: bool) -> Self:
        """Read a segment and its sections.

        Raises:
            MalformedImage: It is for the other word size, or its size does not fit its sections.
        """
        if (command.kind == LC_SEGMENT_64) is not is_64_bit:
            raise MalformedImage("it has a segment for another word size")
        word, header_bytes, section_bytes = ("Q", 72, 80) if is_64_bit else ("I", 56, 68)
        name = command.data[8:24].partition(b"\0")[0].decode("latin-1")
        address, memory, offset, file_bytes = command.numbers(word * 4, 24)
        _, protection, count, _ = command.numbers("IIII", header_bytes - 16)
        if len(command.data) != header_bytes + count * section_bytes:
            raise MalformedImage(f"the segment {name} does not have room for exactly {count} sections")
        places = range(header_bytes, len(command.data), section_bytes)
        sections = (command.numbers(word * 2, place + 32) for place in places)
        return cls(
            name=name,
            address=address,
            memory_bytes=memory,
            offset=offset,
            file_bytes=file_bytes,
            protection=protection,
            sections=tuple((start, size_bytes) for start, size_bytes in sections),
        )


def require_loadable(frame: MachoFrame, commands: tuple[LoadCommand, ...]) -> None:
    """Check what macOS checks before it starts a program or loads a library.

    Other types, such as object files, are not loaded, and not checked.

    Raises:
        MalformedImage: macOS would reject the slice.
    """
    if frame.type not in _LOADED_TYPES:
        return
    segments = tuple(
        MachoSegment.parse(command, is_64_bit=frame.is_64_bit)
        for command in commands
        if command.kind in {LC_SEGMENT, LC_SEGMENT_64}
    )
    _require_known(commands)
    for segment in segments:
        _require_inside(frame, segment)
    _require_header_mapped(frame, segments)
    _require_apart(segments)
    _require_tables(frame, commands, segments)
    _require_names(frame, commands)
    if frame.type == _EXECUTE:
        _require_dyld(frame, commands)
        _require_entry(frame, commands, segments)


def _require_known(commands: tuple[LoadCommand, ...]) -> None:
    for command in commands:
        if command.kind & _LC_REQUIRED and command.kind not in _KNOWN_REQUIRED:
            raise MalformedImage(f"it requires a dyld that knows the load command {command.kind:#x}")


def _require_inside(frame: MachoFrame, segment: MachoSegment) -> None:
    if segment.file_end > frame.image.size_bytes:
        raise MalformedImage(
            f"the segment {segment.name} ends at {segment.file_end} of the file, "
            f"beyond its end at {frame.image.size_bytes}"
        )
    if segment.memory_bytes == 0 and segment.protection == 0:
        return  # not mapped, such as __DWARF
    if segment.file_bytes > segment.memory_bytes:
        raise MalformedImage(f"the segment {segment.name} has more bytes in the file than in memory")
    if segment.protection & ~_PROTECTIONS:
        raise MalformedImage(f"the segment {segment.name} has the protection {segment.protection:#x}")
    if segment.end >= 1 << (64 if frame.is_64_bit else 32):
        raise MalformedImage(f"the segment {segment.name} does not fit into memory")
    page_bytes = _ARM64_PAGE_BYTES if frame.cpu == _CPU_ARM64 else _PAGE_BYTES
    if segment.address % page_bytes or (frame.image.start + segment.offset) % page_bytes:
        raise MalformedImage(
            f"the segment {segment.name} does not start at a page of {counted(page_bytes, 'byte')}"
        )
    for address, size_bytes in segment.sections:
        if address < segment.address or address + size_bytes > segment.end:
            raise MalformedImage(f"a section at {address:#x} is outside its segment {segment.name}")


def _require_header_mapped(frame: MachoFrame, segments: tuple[MachoSegment, ...]) -> None:
    """Check that __TEXT, and no other segment, maps the header and the load commands."""
    texts = [segment for segment in segments if segment.name == "__TEXT"]
    if len(texts) != 1:
        raise MalformedImage(f"it has {len(texts)} segments __TEXT")
    (text,) = texts
    if text.offset or min(text.file_bytes, text.memory_bytes) < frame.commands_end:
        raise MalformedImage("its header and load commands are not in the segment __TEXT")
    if frame.type == _EXECUTE and text.protection & _READ_EXECUTE != _READ_EXECUTE:
        raise MalformedImage("its segment __TEXT cannot be executed")


def _require_apart(segments: tuple[MachoSegment, ...]) -> None:
    in_memory = sorted((one.address, one.end, one.name) for one in segments if one.memory_bytes)
    in_file = sorted((one.offset, one.file_end, one.name) for one in segments if one.file_bytes)
    for ranges in (in_memory, in_file):
        for (_, end, lower), (start, _, upper) in pairwise(ranges):
            if start < end:
                raise MalformedImage(f"the segments {lower} and {upper} overlap")


def _require_tables(
    frame: MachoFrame, commands: tuple[LoadCommand, ...], segments: tuple[MachoSegment, ...]
) -> None:
    """Check that every table of dyld and the linker is in a segment of the file."""
    for command in commands:
        for offset, size_bytes in _tables(frame, command):
            if size_bytes and not any(
                one.offset <= offset and offset + size_bytes <= one.file_end for one in segments
            ):
                raise MalformedImage(
                    f"the {counted(size_bytes, 'byte')} at {offset} that load command {command.kind:#x} "
                    f"points to are in no segment of the file"
                )


def _tables(frame: MachoFrame, command: LoadCommand) -> Iterator[tuple[int, int]]:
    for place in _TABLES.get(command.kind, ()):
        offset, size_bytes = command.numbers("II", place)
        yield offset, size_bytes
    if command.kind == _LC_SYMTAB:
        symbols, count, strings, strings_bytes = command.numbers("IIII", 8)
        yield symbols, count * (16 if frame.is_64_bit else 12)
        yield strings, strings_bytes


def _require_names(frame: MachoFrame, commands: tuple[LoadCommand, ...]) -> None:
    names = _all(commands, _LC_ID_DYLIB)
    if len(names) != (1 if frame.type == _DYLIB else 0):
        raise MalformedImage(f"it has {len(names)} install names (LC_ID_DYLIB)")
    for command in names:
        command.text()


def _require_dyld(frame: MachoFrame, commands: tuple[LoadCommand, ...]) -> None:
    loaders = [command.text() for command in _all(commands, _LC_LOAD_DYLINKER)]
    is_dynamic = bool(frame.flags & _MH_DYLDLINK)
    if not is_dynamic and not loaders and frame.cpu != _CPU_ARM64:
        return  # macOS starts static programs only on x86-64
    if not is_dynamic:
        raise MalformedImage("it is not linked for dyld (MH_DYLDLINK)")
    if loaders != [_DYLD]:
        raise MalformedImage(f"its loader is {', '.join(loaders) or 'missing'}; macOS has only {_DYLD}")
    if frame.cpu == _CPU_ARM64 and not frame.flags & _MH_PIE:
        raise MalformedImage("it is not position-independent (MH_PIE), which macOS requires on arm64")


def _require_entry(
    frame: MachoFrame, commands: tuple[LoadCommand, ...], segments: tuple[MachoSegment, ...]
) -> None:
    entries = _all(commands, _LC_MAIN) + _all(commands, _LC_UNIXTHREAD)
    if len(entries) != 1:
        raise MalformedImage(f"it has {len(entries)} entry points (LC_MAIN and LC_UNIXTHREAD)")
    (command,) = entries
    code = [segment for segment in segments if segment.is_executable]
    if command.kind == _LC_MAIN:
        (place,) = command.numbers("Q", 8)
        is_in_code = any(segment.offset <= place < segment.file_end for segment in code)
    else:
        place = _thread_entry(frame, command)
        is_in_code = any(0 <= place - one.address < one.file_bytes for one in code)
    if not is_in_code:
        raise MalformedImage(f"its entry point {place:#x} is in no executable segment of the file")


def _thread_entry(frame: MachoFrame, command: LoadCommand) -> int:
    flavor, count = command.numbers("II", 8)
    if (frame.cpu, flavor) not in _THREAD_ENTRY:
        raise MalformedImage(f"its thread state {flavor} is not known")
    index, word = _THREAD_ENTRY[frame.cpu, flavor]
    if 16 + 4 * count > len(command.data):
        raise MalformedImage("its thread state is longer than the load command")
    return command.numbers(word, 16 + index * struct.calcsize(word))[0]


def _all(commands: tuple[LoadCommand, ...], kind: int) -> list[LoadCommand]:
    return [command for command in commands if command.kind == kind]
