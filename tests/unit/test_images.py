import hashlib
import io
import platform
import struct
import sys
from pathlib import Path

import pefile  # type: ignore[import-untyped]
import pytest
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection
from macholib.MachO import MachO as ParsedMachO  # type: ignore[import-untyped]

from factory.process import Command, SubprocessRunner
from tests.images import (
    Elf,
    ElfMachine,
    ElfType,
    FatMachO,
    MachO,
    MachOCpu,
    MachOType,
    Pe,
    PeMachine,
    VersionCommand,
    code_signature,
    filler,
)


def parsed(elf: Elf) -> ELFFile:
    return ELFFile(io.BytesIO(elf.content()))


def segments(elf: Elf) -> list[str]:
    return [segment["p_type"] for segment in parsed(elf).iter_segments()]


def commands(path: Path, image: MachO | FatMachO) -> list[list[str]]:
    path.write_bytes(image.content())
    return [
        [command.get_cmd_name() for command, _, _ in header.commands]
        for header in ParsedMachO(str(path)).headers
    ]


def test_a_static_elf_has_no_interpreter_and_no_dynamic_section() -> None:
    elf = Elf(machine=ElfMachine.AARCH64)

    assert segments(elf) == ["PT_LOAD", "PT_GNU_STACK"]
    assert parsed(elf).header["e_machine"] == "EM_AARCH64"
    assert parsed(elf).header["e_type"] == "ET_EXEC"


@pytest.mark.parametrize("bits", [64, 32])
@pytest.mark.parametrize("is_big_endian", [False, True])
def test_a_dynamic_elf_says_what_it_needs(bits: int, is_big_endian: bool) -> None:  # noqa: FBT001
    elf = Elf(
        type=ElfType.SHARED,
        bits=bits,
        is_big_endian=is_big_endian,
        interpreter="/lib64/ld-linux-x86-64.so.2",
        needed=("libc.so.6", "libm.so.6"),
        versions=(("libc.so.6", ("GLIBC_2.17", "GLIBC_2.34")), ("libm.so.6", ("GLIBC_2.29",))),
        soname="libx.so",
        rpath="/old",
        runpath="$ORIGIN",
        has_text_relocations=True,
        is_stack_executable=None,
    )
    file = parsed(elf)
    dynamic, needs = file.get_section_by_name(".dynamic"), file.get_section_by_name(".gnu.version_r")
    assert isinstance(dynamic, DynamicSection)
    assert isinstance(needs, GNUVerNeedSection)
    tags = list(dynamic.iter_tags())

    assert segments(elf) == ["PT_INTERP", "PT_LOAD", "PT_DYNAMIC"]
    named = [vars(tag) for tag in tags]
    assert [names["needed"] for names in named if "needed" in names] == ["libc.so.6", "libm.so.6"]
    assert [names["runpath"] for names in named if "runpath" in names] == ["$ORIGIN"]
    assert "DT_TEXTREL" in [tag.entry.d_tag for tag in tags]
    assert [
        (need.name, [version.name for version in versions]) for need, versions in needs.iter_versions()
    ] == [("libc.so.6", ["GLIBC_2.17", "GLIBC_2.34"]), ("libm.so.6", ["GLIBC_2.29"])]


@pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64", reason="runs an x86-64 Linux program"
)
def test_a_static_program_runs_and_says_its_output(tmp_path: Path) -> None:
    program = tmp_path / "codex"
    program.write_bytes(Elf(output=b"codex-cli 0.163.0\n", size_bytes=5000).content())
    program.chmod(0o755)

    done = SubprocessRunner().run(Command(argv=(str(program), "--version")))

    assert (done.returncode, done.output) == (0, "codex-cli 0.163.0\n")


def test_a_macho_tells_its_deployment_target_either_way(tmp_path: Path) -> None:
    new = MachO(minimum_macos=(11, 0, 0))
    old = MachO(
        cpu=MachOCpu.X86_64,
        minimum_macos=(10, 12, 0),
        version_command=VersionCommand.VERSION_MIN_MACOSX,
        rpaths=("@loader_path",),
        signature=None,
    )

    assert commands(tmp_path / "new", new) == [
        [
            "LC_SEGMENT_64", "LC_SEGMENT_64", "LC_LOAD_DYLINKER", "LC_MAIN", "LC_BUILD_VERSION",
            "LC_LOAD_DYLIB", "LC_CODE_SIGNATURE",
        ]
    ]  # fmt: skip
    assert commands(tmp_path / "old", old)[0][-3:] == ["LC_VERSION_MIN_MACOSX", "LC_LOAD_DYLIB", "LC_RPATH"]


def test_a_fat_macho_holds_its_slices(tmp_path: Path) -> None:
    fat = FatMachO(slices=(MachO(), MachO(cpu=MachOCpu.X86_64, type=MachOType.EXECUTE)))
    path = tmp_path / "fat"

    assert len(commands(path, fat)) == 2
    assert [header.header.cputype for header in ParsedMachO(str(path)).headers] == [0x0100000C, 0x01000007]


def test_an_ad_hoc_signature_holds_the_hashes_of_the_pages() -> None:
    body = filler(5000, seed="pages")
    signature = code_signature(body, identifier="x")

    assert signature[:4] == bytes.fromhex("fade0cc0")
    assert struct.unpack(">I", signature[4:8])[0] == len(signature)
    assert signature.endswith(hashlib.sha256(body[:4096]).digest() + hashlib.sha256(body[4096:]).digest())


def test_a_signed_macho_signs_all_that_stands_before_the_signature() -> None:
    content = MachO(size_bytes=40_000).content()
    at = content.rindex(bytes.fromhex("fade0cc0"))

    assert content[at:] == code_signature(content[:at])


def test_a_pe_says_what_it_imports() -> None:
    pe = pefile.PE(
        data=Pe(
            machine=PeMachine.ARM64,
            imports=("KERNEL32.dll", "ntdll.dll"),
            delay_imports=("VCRUNTIME140.dll",),
            security=b"certificate",
            size_bytes=9000,
        ).content()
    )

    assert pe.FILE_HEADER.Machine == 0xAA64
    assert [(entry.dll, entry.imports[0].name) for entry in pe.DIRECTORY_ENTRY_IMPORT] == [
        (b"KERNEL32.dll", b"ExitProcess"),
        (b"ntdll.dll", b"ExitProcess"),
    ]
    assert [entry.dll for entry in pe.DIRECTORY_ENTRY_DELAY_IMPORT] == [b"VCRUNTIME140.dll"]
    assert pe.OPTIONAL_HEADER.DATA_DIRECTORY[4].Size == 24


def test_a_pe_without_imports_has_no_import_directory() -> None:
    pe = pefile.PE(data=Pe(imports=(), is_dll=True).content())

    assert not hasattr(pe, "DIRECTORY_ENTRY_IMPORT")
    assert pe.is_dll()


@pytest.mark.parametrize("image", [Elf(size_bytes=70_000), MachO(size_bytes=70_000), Pe(size_bytes=70_000)])
def test_images_grow_to_the_size_asked_for_and_are_the_same_each_time(image: Elf | MachO | Pe) -> None:
    content = image.content()

    assert 70_000 <= len(content) <= 71_500
    assert content == image.content()


def test_filler_begins_with_its_seed() -> None:
    assert filler(16, seed="codex").startswith(b"codex\n")
    assert len(filler(16, seed="codex", is_compressible=False)) == 16
