"""An unknown tag, architecture, kind, format version or flag is an error, and no check crashes on it."""

import struct
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from factory.core.model import Severity
from factory.verify.checks.check import Check
from factory.verify.checks.closed_world import CLOSED_WORLD_IDS
from factory.verify.checks.registry import CHECKS
from factory.verify.reading.contents import WheelContents
from factory.verify.reading.read import read_wheel
from tests.authority import TRUST
from tests.images import Elf, FatMachO, MachO, Pe, code_signature
from tests.images.authenticode import Authenticode, with_table
from tests.wheels import INFO, PACKAGE, Wheel, file_name, good_wheel
from tests.zip_writer import ZipMember

LINUX, MUSL, MACOS, WINDOWS = (
    "manylinux_2_17_x86_64",
    "musllinux_1_1_x86_64",
    "macosx_11_0_arm64",
    "win_amd64",
)
NOTICE = f"{PACKAGE}/codex-resources/NOTICE.md"
JUDGED = [check for check in CHECKS if check.id not in CLOSED_WORLD_IDS]
"""Without the checks that compare a wheel with the reviewed ones: those report every change."""

Case = tuple[str, str, Callable[[Wheel], Wheel]]


def _program(platform: str, content: bytes) -> Callable[[Wheel], Wheel]:
    name = f"{PACKAGE}/codex-path/rg{'.exe' if platform == WINDOWS else ''}"
    return lambda wheel: wheel.edited(name, lambda member: replace(member, content=content))


def _changed(content: bytes, layout: str, at: int, *values: int) -> bytes:
    changed = bytearray(content)
    struct.pack_into(layout, changed, at, *values)
    return bytes(changed)


def _elf(layout: str, at: int, *values: int, program: Elf | None = None) -> bytes:
    return _changed((program or Elf(output=b"x")).content(), layout, at, *values)


def _macho(layout: str, at: int, *values: int) -> bytes:
    """Change a program, and sign it as its maker would."""
    size = len(code_signature(bytes(1 << 14)))
    changed = _changed(MachO(signature=bytes(size)).content()[:-size], layout, at, *values)
    return changed + code_signature(changed)


def _pe(layout: str, at: int, *values: int) -> bytes:
    """Change a program, and sign it as its maker would; its PE header is at 64."""
    changed = _changed(Pe().content(), layout, at, *values)
    return with_table(changed, [Authenticode().over(changed)])


def _member(**fields: int) -> Callable[[Wheel], Wheel]:
    return lambda wheel: wheel.edited(NOTICE, lambda member: replace(member, **fields))  # type: ignore[arg-type]


def _text(name: str, old: str, new: str) -> Callable[[Wheel], Wheel]:
    return lambda wheel: wheel.edited_text(name, old, new)


def _tagged(tag: str) -> Callable[[Wheel], Wheel]:
    edit = _text(f"{INFO}/WHEEL", LINUX, tag)
    return lambda wheel: edit(replace(wheel, name=file_name(tag)))


def _tags() -> Iterator[Case]:
    for tag in ("solaris_11_x86_64", "emscripten_4_0_9_wasm32", "pyodide_2025_0_wasm32", "wasi_0_0_0_wasm32"):
        yield tag, LINUX, _tagged(tag)
    for tag in ("manylinux_2_17_loongarch64", "musllinux_1_2_ppc64le", "macosx_11_0_ppc64", "win_arm32"):
        yield tag, LINUX, _tagged(tag)
    for tag in (
        "manylinux_2_99_x86_64",
        "manylinux_1_17_x86_64",
        "musllinux_2_0_x86_64",
        "manylinux2030_x86_64",
    ):
        yield tag, LINUX, _tagged(tag)
    for tag in ("macosx_10_99_x86_64", "macosx_12_3_arm64", "macosx_11_0_fat64", "MANYLINUX_2_17_X86_64"):
        yield tag, LINUX, _tagged(tag)


def _architectures() -> Iterator[Case]:
    for machine in (0, 3, 20, 21, 22, 40, 183, 243, 247, 258, 0xFFFF):
        for platform in (LINUX, MUSL):
            content = _elf("<H", 18, machine, program=Elf(needed=("libc.so.6",)))
            yield f"e_machine {machine} for {platform}", platform, _program(platform, content)
    for machine in (0, 0x14C, 0x1C4, 0x200, 0x5064, 0x6264, 0xA641, 0xA64E, 0xFFFF):
        yield f"machine {machine:#x}", WINDOWS, _program(WINDOWS, _pe("<H", 68, machine))
    for cpu in (0, 7, 18, 0x01000007, 0x01000012, 0x0200000C, 0xFFFFFFFF):
        yield f"cputype {cpu:#x}", MACOS, _program(MACOS, _macho("<I", 4, cpu))
    for subtype in (3, 9, 0x7F, 0x80000002):
        yield f"cpusubtype {subtype:#x}", MACOS, _program(MACOS, _macho("<I", 8, subtype))
    slices = FatMachO(slices=(MachO(), MachO(cpu=18)))
    yield "an unknown slice only beside another system's", LINUX, _program(LINUX, slices.content())


def _kinds() -> Iterator[Case]:
    for kind in (0, 1, 4, 5, 0xFE00, 0xFFFF):
        yield f"e_type {kind}", LINUX, _program(LINUX, _elf("<H", 16, kind))
    for kind in (0, 3, 4, 5, 7, 9, 10, 11, 12, 0xFF):
        yield f"filetype {kind}", MACOS, _program(MACOS, _macho("<I", 12, kind))
    for name, magic in (
        ("wasm", b"\0asm"),
        ("dex", b"dex\n035\0"),
        ("XCOFF", b"\x01\xdf\0\1"),
        ("a.out", b"\x0b\x01\x64\0"),
        ("Java", b"\xca\xfe\xba\xbe\0\0\0\x34"),
        ("NE", b"MZ" + bytes(58) + b"\x40\0\0\0NE"),
        ("zeros", bytes(64)),
    ):
        for platform in (LINUX, MACOS, WINDOWS):
            yield f"{name} for {platform}", platform, _program(platform, magic.ljust(80, b"\0"))


def _versions() -> Iterator[Case]:
    for value in (0, 2, 0xFF):
        yield f"EI_VERSION {value}", LINUX, _program(LINUX, _elf("B", 6, value))
        yield f"e_version {value}", LINUX, _program(LINUX, _elf("<I", 20, value))
    for value in (0, 3, 0xFF):
        yield f"EI_CLASS {value}", LINUX, _program(LINUX, _elf("B", 4, value))
        yield f"EI_DATA {value}", LINUX, _program(LINUX, _elf("B", 5, value))
    for value in (1, 2, 0xFF):
        yield f"EI_ABIVERSION {value}", LINUX, _program(LINUX, _elf("B", 8, value))
    for value in (0, 0x107, 0x10B, 0xFFFF):
        yield f"optional header {value:#x}", WINDOWS, _program(WINDOWS, _pe("<H", 88, value))
    for old, new in (("1.0", "1.1"), ("1.0", "2.0"), ("1.0", "x")):
        edit = _text(f"{INFO}/WHEEL", f"Wheel-Version: {old}", f"Wheel-Version: {new}")
        yield f"Wheel-Version {new}", LINUX, edit
    for new in ("0.9", "2.99", "3.0", "x"):
        edit = _text(f"{INFO}/METADATA", "Metadata-Version: 2.4", f"Metadata-Version: {new}")
        yield f"Metadata-Version {new}", LINUX, edit
    for value in (46, 50, 63, 99, 255):
        yield f"needs zip {value}", LINUX, _member(version=value)
    layout = _text(f"{PACKAGE}/codex-package.json", '"layoutVersion": 1', '"layoutVersion": 9')
    yield "layoutVersion 9", LINUX, layout


def _flags() -> Iterator[Case]:
    for bit in (0, 4, 5, 6, 7, 8, 9, 10, 12, 13, 14, 15):
        yield f"flag bit {bit}", LINUX, _member(flags=1 << bit)
    for method in (1, 6, 9, 10, 12, 14, 93, 95, 98, 99):
        yield f"method {method}", LINUX, _member(method=method)
    for value in (1, 2, 6, 9, 12, 64, 97, 255):
        yield f"EI_OSABI {value}", LINUX, _program(LINUX, _elf("B", 7, value))
    for value in (0, 1, 5, 7, 9, 10, 14, 16, 0xFFFF):
        yield f"subsystem {value}", WINDOWS, _program(WINDOWS, _pe("<H", 156, value))
    for kind in (0o010644, 0o020644, 0o060644, 0o110644, 0o120777, 0o140755, 0o170644):
        yield f"type bits {kind:o}", LINUX, _member(mode=kind)


CASES = [
    pytest.param(platform, make, id=f"{kind}: {name}")
    for kind, cases in (
        ("tag", _tags),
        ("architecture", _architectures),
        ("kind", _kinds),
        ("version", _versions),
        ("flag", _flags),
    )
    for name, platform, make in cases()
]


def read(wheel: Wheel, directory: Path) -> WheelContents:
    return read_wheel(wheel.write(directory), scratch=directory, trust=TRUST)


def errors(check: Check[WheelContents], contents: WheelContents) -> list[str]:
    return [one.evidence for one in check.findings(contents) if one.severity is Severity.ERROR]


@pytest.mark.parametrize("platform", [LINUX, MUSL, MACOS, WINDOWS])
def test_what_is_known_has_no_error(platform: str, tmp_path: Path) -> None:
    contents = read(good_wheel(platform), tmp_path)
    assert [error for check in JUDGED for error in errors(check, contents)] == []


@pytest.mark.parametrize(
    ("platform", "content"),
    [(LINUX, _elf("<H", 16, 2)), (MACOS, _macho("<I", 12, 2)), (WINDOWS, _pe("<H", 156, 3))],
    ids=["ELF", "Mach-O", "PE"],
)
def test_a_known_value_written_by_the_same_functions_has_no_error(
    platform: str, content: bytes, tmp_path: Path
) -> None:
    contents = read(_program(platform, content)(good_wheel(platform)), tmp_path)
    assert [error for check in JUDGED for error in errors(check, contents)] == []


@pytest.mark.parametrize(("platform", "make"), CASES)
def test_what_is_unknown_is_an_error(platform: str, make: Callable[[Wheel], Wheel], tmp_path: Path) -> None:
    contents = read(make(good_wheel(platform)), tmp_path)
    assert [error for check in JUDGED for error in errors(check, contents)] != []


def test_an_unknown_program_beside_the_known_ones_is_an_error(tmp_path: Path) -> None:
    added = ZipMember(
        name=f"{PACKAGE}/codex-resources/tool".encode(), content=b"\0asm\1\0\0\0", mode=0o100755
    )
    contents = read(good_wheel().with_first(added), tmp_path)
    assert [check.id for check in JUDGED if errors(check, contents)] == ["image-format"]
