"""macOS and Windows wheels with a program that its system does not start, or an unusual sound one."""

import struct
from collections.abc import Callable, Mapping
from dataclasses import replace

from tests.images import FatMachO, MachO, MachOCpu, MachOType, Pe, code_signature
from tests.images.authenticode import Authenticode, with_table
from tests.images.authenticode import signed as signed_pe
from tests.wheels import PACKAGE, Wheel
from tests.zip_writer import ZipMember
from tests.zoo.breakage import Breakage, Twin, with_content

_ARM64, _X86_64 = "macosx_11_0_arm64", "macosx_10_12_x86_64"
_MAC_RG = f"{PACKAGE}/codex-path/rg"
_INTEL = MachO(cpu=MachOCpu.X86_64, minimum_macos=(10, 12, 0))
_MACH_O = MachO()
_SIGNATURE_BYTES = len(code_signature(bytes(1 << 14)))
_COMMANDS_END = 0x3000
# Places in the Mach-O files of tests/images: the segments __TEXT and __LINKEDIT come first.
_MAC_TYPE, _MAC_FLAGS, _TEXT, _LINKEDIT = 12, 24, 32, 104
_ADDRESS, _MEMORY, _OFFSET, _FILE, _PROTECTION, _SECTIONS = 24, 32, 40, 48, 60, 64
_DYLD_NAME, _ENTRY = 188, 216
_SYMTAB_BEYOND = struct.pack("<6I", 0x2, 24, 1 << 20, 4, 0x4000, 1)
_UNKNOWN_REQUIRED = struct.pack("<IIQ", 0x800000FF, 16, 0)
_LC_MAIN = struct.pack("<IIQQ", 0x80000028, 24, 0x1000, 0)

_AMD64 = "win_amd64"
_WIN_RG = f"{PACKAGE}/codex-path/rg.exe"
_PE = Pe()
# Places in the PE files of tests/images.
_START, _SECTION_COUNT, _CHARACTERISTICS, _PE_ENTRY, _BASE = 0x3C, 70, 86, 104, 112
_SECTION_ALIGNMENT, _FILE_ALIGNMENT, _IMAGE_BYTES, _HEADER_BYTES = 120, 124, 144, 148
_VIRTUAL, _RVA, _RAW, _RAW_AT, _FLAGS = 336, 340, 344, 348, 364


def _mac(layout: str, at: int, *values: int, of: MachO = _MACH_O) -> Callable[[Wheel], Wheel]:
    """Overwrite fields of a program."""
    content = bytearray(of.content())
    struct.pack_into("<" + layout, content, at, *values)
    return with_content(_MAC_RG, bytes(content))


def _mac_added(command: bytes, *, instead_of: bytes = b"", of: MachO = _MACH_O) -> Callable[[Wheel], Wheel]:
    """Add a load command, or replace one, and sign the program ad hoc."""
    unsigned = replace(of, signature=bytes(_SIGNATURE_BYTES)).content()[:-_SIGNATURE_BYTES]
    count, size_bytes = struct.unpack_from("<II", unsigned, 16)
    commands = unsigned[32 : 32 + size_bytes]
    changed = commands.replace(instead_of, command, 1) if instead_of else commands + command
    count += _count(command) - bool(instead_of)
    head = unsigned[:16] + struct.pack("<II", count, len(changed)) + unsigned[24:32] + changed
    code = head.ljust(_COMMANDS_END, b"\0") + unsigned[_COMMANDS_END:]
    return with_content(_MAC_RG, code + code_signature(code))


def _count(commands: bytes) -> int:
    """Count the load commands in some bytes."""
    return 1 + _count(commands[int.from_bytes(commands[4:8], "little") :]) if commands else 0


def _thread(address: int) -> bytes:
    """Encode LC_UNIXTHREAD with a program counter of x86-64."""
    registers = [0] * 21
    registers[16] = address
    return struct.pack("<IIII21Q", 0x5, 16 + 21 * 8, 4, 42, *registers)


def _segment(name: bytes, *fields: int) -> bytes:
    """Encode LC_SEGMENT_64 without sections: addresses and offsets with their sizes, and protections."""
    return struct.pack("<II16sQQQQIIII", 0x19, 72, name, *fields, 0, 0)


def _universal(*slices: MachO, listed: Mapping[int, int] | None = None) -> Callable[[Wheel], Wheel]:
    """Use a universal file, with other processors listed at some places of its table."""
    content = bytearray(FatMachO(slices=slices).content())
    for at, processor in (listed or {}).items():
        struct.pack_into(">I", content, at, processor)
    return with_content(_MAC_RG, bytes(content))


def _static_intel() -> Callable[[Wheel], Wheel]:
    """Use a program without dyld, as Go once linked them."""
    dylinker = struct.pack("<III", 0xE, 32, 12) + b"/usr/lib/dyld".ljust(20, b"\0")
    uuid = struct.pack("<II", 0x1B, 32) + bytes(24)
    unlinked = replace(_INTEL, dylibs=())
    content = bytearray(replace(unlinked, signature=bytes(_SIGNATURE_BYTES)).content()[:-_SIGNATURE_BYTES])
    assert dylinker in content
    code = bytes(content).replace(dylinker, uuid, 1)
    code = code[:_MAC_FLAGS] + struct.pack("<I", 0x1) + code[_MAC_FLAGS + 4 :]
    return with_content(_MAC_RG, code + code_signature(code))


def _macho(name: str, make: Callable[[Wheel], Wheel], platform: str = _ARM64) -> Breakage:
    return Breakage(name, "image-unreadable", make, platform=platform)


MACHO_BOUNDS = (
    _macho("a Mach-O program cut to half", with_content(_MAC_RG, _MACH_O.content()[: 1 << 13])),
    _macho("a Mach-O segment beyond the file", _mac("Q", _LINKEDIT + _FILE, 1 << 20)),
    _macho("a Mach-O segment that is smaller in memory", _mac("Q", _TEXT + _MEMORY, 0x100)),
    _macho("a Mach-O segment that does not fit into memory", _mac("Q", _LINKEDIT + _MEMORY, (1 << 64) - 1)),
    _macho("a Mach-O segment between two pages", _mac("Q", _LINKEDIT + _ADDRESS, 0x100004100)),
    _macho(
        "a Mach-O segment of Apple silicon with pages of 4 KiB", _mac("Q", _LINKEDIT + _ADDRESS, 0x10000D000)
    ),
    _macho("overlapping Mach-O segments in memory", _mac("Q", _LINKEDIT + _ADDRESS, 0x100000000)),
    _macho("overlapping Mach-O segments in the file", _mac("QQ", _LINKEDIT + _OFFSET, 0, 1 << 14)),
    _macho("an unknown Mach-O protection", _mac("I", _TEXT + _PROTECTION, 0x15)),
    _macho("more Mach-O sections than there is room for", _mac("I", _TEXT + _SECTIONS, 3)),
    _macho(
        "a Mach-O section outside its segment",
        _mac("Q", _TEXT + 72 + 32, 0x100008000, of=replace(_MACH_O, info_plist=b"<plist/>")),
    ),
    _macho("no __TEXT", _mac("Q", _TEXT + 8, 0x41)),
    _macho("a __TEXT that does not start the file", _mac("QQ", _TEXT + _OFFSET, 0x4000, 0)),
    _macho("load commands beyond __TEXT", _mac("Q", _TEXT + _FILE, 0x40)),
    _macho("a __TEXT that cannot be executed", _mac("I", _TEXT + _PROTECTION, 1)),
    _macho("a 32-bit segment in a 64-bit program", _mac("I", _TEXT, 0x1)),
    _macho("a Mach-O entry point beyond the code", _mac("Q", _ENTRY, 0x4000)),
    _macho("two Mach-O entry points", _mac_added(_LC_MAIN)),
    _macho("no Mach-O entry point", _mac("I", _ENTRY - 8, 0x1B)),
    _macho("an invented loader of macOS", _mac("Q", _DYLD_NAME + 9, 0x6C64796D)),
    _macho("no loader of macOS", _mac("I", _DYLD_NAME - 12, 0x1B)),
    _macho("a program at a fixed address on Apple silicon", _mac("I", _MAC_FLAGS, 0x85)),
    _macho("a static program on Apple silicon", _mac("I", _MAC_FLAGS, 0x200081)),
    _macho("a library without an install name", _mac("I", _MAC_TYPE, MachOType.DYLIB)),
    _macho("a symbol table beyond the file", _mac_added(_SYMTAB_BEYOND)),
    _macho("a load command that a newer dyld requires", _mac_added(_UNKNOWN_REQUIRED)),
    _macho(
        "a thread that starts in no segment",
        _mac_added(_thread(0x1000), instead_of=_LC_MAIN, of=_INTEL),
        _X86_64,
    ),
    _macho(
        "an unknown thread state",
        _mac_added(
            _thread(0x100001000).replace(b"\x04\0\0\0", b"\x09\0\0\0", 1), instead_of=_LC_MAIN, of=_INTEL
        ),
        _X86_64,
    ),
    _macho("two slices for one architecture", _universal(_MACH_O, replace(_MACH_O, seed="other"))),
    _macho("a slice under another processor", _universal(_INTEL, _MACH_O, listed={8: 12}), _X86_64),
)


def _pe(name: str, layout: str, at: int, *values: int, of: Pe = _PE) -> Breakage:
    content = bytearray(signed_pe(of))
    struct.pack_into("<" + layout, content, at, *values)
    return Breakage(name, "image-unreadable", with_content(_WIN_RG, bytes(content)), platform=_AMD64)


_LARGE = replace(_PE, size_bytes=1 << 14)

PE_BOUNDS = (
    Breakage(
        "a PE program cut to half",
        "image-unreadable",
        with_content(_WIN_RG, _LARGE.content()[: 1 << 13]),
        platform=_AMD64,
    ),
    _pe("a PE section beyond the file", "I", _RAW, 1 << 20),
    _pe("a PE section that starts beyond the file", "I", _RAW_AT, 1 << 20),
    _pe("a PE section between two sectors", "I", _RAW_AT, 0x3F8),
    _pe("a PE section in the headers", "I", _RVA, 0),
    _pe("a gap before a PE section", "I", _RVA, 0x2000),
    _pe("an empty PE section", "III", _VIRTUAL, 0, 0x1000, 0),
    _pe("a PE image that ends before its sections", "I", _IMAGE_BYTES, 0x1000),
    _pe("a PE image that ends after its sections", "I", _IMAGE_BYTES, 0x8000),
    _pe("a PE image of more than 2 GiB", "I", _IMAGE_BYTES, 0x90000000),
    _pe("PE headers beyond the file", "I", _HEADER_BYTES, 0x900000),
    _pe("a section table beyond the PE headers", "I", _HEADER_BYTES, 0x100),
    _pe("no PE sections", "H", _SECTION_COUNT, 0),
    _pe("a PE entry point beyond the code", "I", _PE_ENTRY, 0x9000),
    _pe("a PE entry point in the headers", "I", _PE_ENTRY, 0x100),
    _pe("no PE entry point", "I", _PE_ENTRY, 0),
    _pe("a PE entry point in data", "I", _FLAGS, 0x40000040),
    _pe("a PE file that is not marked as executable", "H", _CHARACTERISTICS, 0x20),
    _pe("a PE image base between two regions", "Q", _BASE, 0x140001000),
    _pe("PE sections with pages of 512 bytes", "II", _SECTION_ALIGNMENT, 0x200, 0x200),
    _pe("PE sections aligned to no power of 2", "I", _SECTION_ALIGNMENT, 0x1800),
    _pe("a PE file aligned to 16 bytes", "I", _FILE_ALIGNMENT, 16),
    _pe("a PE file aligned to no power of 2", "I", _FILE_ALIGNMENT, 0x600),
    _pe("a PE file aligned to more than its sections", "I", _FILE_ALIGNMENT, 0x2000),
)


def _beside_codex(content: bytes) -> Callable[[Wheel], Wheel]:
    added = ZipMember(name=f"{PACKAGE}/bin/own.dll".encode(), content=content, mode=0o100755)
    return lambda wheel: wheel.with_first(added)


def _library_without_entry() -> Callable[[Wheel], Wheel]:
    content = bytearray(replace(_PE, is_dll=True).content())
    struct.pack_into("<I", content, _PE_ENTRY, 0)
    return _beside_codex(with_table(bytes(content), [Authenticode().over(bytes(content))]))


BOUNDS_TWINS = (
    Twin(
        "an unmapped Mach-O segment with debug data",
        _mac_added(
            _segment(b"__TEXT", 0x100000000, 0x4000, 0, 0x3000, 5, 5)
            + _segment(b"__DWARF", 0, 0, 0x3800, 0x10, 7, 0),
            instead_of=_segment(b"__TEXT", 0x100000000, 0x4000, 0, 0x4000, 5, 5),
        ),
        platform=_ARM64,
    ),
    Twin(
        "a program that starts by LC_UNIXTHREAD",
        _mac_added(_thread(0x100001000), instead_of=_LC_MAIN, of=_INTEL),
        platform=_X86_64,
    ),
    Twin("a static Intel program", _static_intel(), platform=_X86_64),
    Twin("a universal program", _universal(_INTEL, _MACH_O), platform=_ARM64),
    Twin("a DLL without an entry point", _library_without_entry(), platform=_AMD64),
)
