"""Random changes of the structures of executables: headers, segments, sections, load commands, and cuts."""

import random
import struct
from collections.abc import Callable

from tests.images import Elf, ElfType, FatMachO, MachO, MachOCpu, Pe, code_signature
from tests.images.authenticode import Authenticode, with_table
from tests.wheels import PACKAGE, Wheel, good_wheel
from tests.zoo.breakage import with_content

LINUX, MACOS, WINDOWS = "manylinux_2_17_x86_64", "macosx_11_0_arm64", "win_amd64"
_STRUCTURES_BYTES = 0x300
_NUMBERS = (0, 1, 2, 7, 0x10, 0xFF, 0x1000, 0x4000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, (1 << 64) - 1)
_SIGNATURE_BYTES = len(code_signature(bytes(1 << 14)))
_ELFS = (
    Elf(output=b"hello"),
    Elf(type=ElfType.SHARED, output=b"hello"),
    Elf(
        interpreter="/lib64/ld-linux-x86-64.so.2",
        needed=("libc.so.6",),
        versions=(("libc.so.6", ("GLIBC_2.17",)),),
        runpath="$ORIGIN",
    ),
)
_PES = (Pe(), Pe(delay_imports=("dbghelp.dll",)), Pe(has_arm64ec=True), Pe(size_bytes=1 << 14))


def changed_image(chance: random.Random) -> Wheel:
    """Return a wheel for Linux, macOS or Windows in which ``rg`` has random changes."""
    platform, change = chance.choice(((LINUX, _elf), (MACOS, _macho), (WINDOWS, _pe)))
    name = "rg.exe" if platform == WINDOWS else "rg"
    return with_content(f"{PACKAGE}/codex-path/{name}", change(chance))(good_wheel(platform))


def _elf(chance: random.Random) -> bytes:
    return _changed(chance.choice(_ELFS).content(), chance)


def _macho(chance: random.Random) -> bytes:
    """Change a thin or a universal file; mostly a thin one that is signed after the change."""
    intel = MachO(cpu=MachOCpu.X86_64, minimum_macos=(10, 12, 0))
    if chance.random() < 0.3:
        return _changed(FatMachO(slices=(intel, MachO())).content(), chance)
    code = MachO(rpaths=("@loader_path",), signature=bytes(_SIGNATURE_BYTES)).content()[:-_SIGNATURE_BYTES]
    changed = _changed(code, chance)
    return changed + code_signature(changed) if chance.random() < 0.7 else changed


def _pe(chance: random.Random) -> bytes:
    """Change a file; mostly one that is signed after the change."""
    content = chance.choice(_PES).content()
    changed = _changed(content, chance)
    if len(changed) < _STRUCTURES_BYTES or chance.random() < 0.3:
        return changed
    return with_table(changed, [Authenticode().over(changed)])


def _changed(content: bytes, chance: random.Random) -> bytes:
    for _ in range(chance.randint(1, 3)):
        content = chance.choice(_CHANGES)(content, chance)
    return content


def _place(content: bytes, chance: random.Random) -> int:
    return chance.randrange(min(len(content), _STRUCTURES_BYTES) or 1)


def _byte(content: bytes, chance: random.Random) -> bytes:
    at = _place(content, chance)
    return content[:at] + bytes([chance.randrange(256)]) + content[at + 1 :]


def _bit(content: bytes, chance: random.Random) -> bytes:
    at = _place(content, chance)
    return (
        content[:at] + bytes([content[at] ^ 1 << chance.randrange(8)]) + content[at + 1 :] if content else b""
    )


def _number(content: bytes, chance: random.Random) -> bytes:
    """Write a number of 2, 4 or 8 bytes at an aligned place."""
    size, layout = chance.choice(((2, "<H"), (4, "<I"), (8, "<Q")))
    at = _place(content, chance) // size * size
    number = chance.choice((*_NUMBERS, len(content), len(content) + 1)) & ((1 << 8 * size) - 1)
    return content[:at] + struct.pack(layout, number) + content[at + size :]


def _cut(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.choice((_place(content, chance), chance.randrange(len(content) or 1)))]


def _inserted(content: bytes, chance: random.Random) -> bytes:
    at = _place(content, chance)
    return content[:at] + content[at : at + chance.choice((4, 8, 40, 56, 72))] + content[at:]


_CHANGES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _byte,
    _bit,
    _bit,
    _number,
    _number,
    _number,
    _cut,
    _inserted,
)
