"""Linux wheels with one broken executable."""

import struct
from collections.abc import Callable
from dataclasses import replace

from tests.images import Elf, ElfMachine, ElfType, MachO, Pe
from tests.wheels import PACKAGE, Wheel
from tests.zip_writer import ZipMember
from tests.zoo.breakage import Breakage, Twin, with_content

_MUSLLINUX = "musllinux_1_1_x86_64"
_RG = f"{PACKAGE}/codex-path/rg"
_GLIBC_LOADER = "/lib64/ld-linux-x86-64.so.2"
_RELR = (("libc.so.6", ("GLIBC_2.17", "GLIBC_ABI_DT_RELR")),)
_MUSL_LOADER = "/lib/ld-musl-x86_64.so.1"


_AARCH64 = "manylinux_2_17_aarch64"
_PROGRAM = Elf(output=b"hello\n")
_LIBRARY = Elf(type=ElfType.SHARED, soname="libown.so.1")
_LIBRARY_FILE = f"{PACKAGE}/codex-resources/lib/libown.so.1"
_CXX = (("libstdc++.so.6", ("GLIBCXX_3.4.19", "GLIBCXX_3.4.30")),)
_PRIVATE = (("libc.so.6", ("GLIBC_2.17", "GLIBC_PRIVATE")),)


def _damaged(layout: str, at: int, *values: int, program: Elf = _PROGRAM) -> Callable[[Wheel], Wheel]:
    """Overwrite fields of a program."""
    content = bytearray(program.content())
    struct.pack_into(layout, content, at, *values)
    return _rg(bytes(content))


def _segment(at: int, *values: int, program: Elf = _PROGRAM) -> Callable[[Wheel], Wheel]:
    """Overwrite fields of a program's first segment, which is at offset 64."""
    return _damaged(f"<{len(values)}Q", 64 + at, *values, program=program)


def _with_library(program: Elf, library: Elf = _LIBRARY) -> Callable[[Wheel], Wheel]:
    """Add a library, and replace rg by a program that may need it."""
    added = ZipMember(name=_LIBRARY_FILE.encode(), content=library.content(), mode=0o100755)
    return lambda wheel: _rg(program.content())(wheel).with_first(added)


def _second_segment(address: int) -> Callable[[Wheel], Wheel]:
    """Turn PT_DYNAMIC into a second segment to load; the first one starts at 0x400000."""
    fields = (1, 4, 0, address, address, 0x100, 0x100, 0x1000)
    return _damaged("<IIQQQQQQ", 64 + 56, *fields, program=Elf(runpath="$ORIGIN"))


def _file(name: str, content: bytes) -> ZipMember:
    return ZipMember(name=f"{PACKAGE}/codex-resources/{name}".encode(), content=content)


def _rg(content: bytes) -> Callable[[Wheel], Wheel]:
    return with_content(_RG, content)


IMAGES_ELF = (
    Breakage(
        "an ELF file truncated in its program headers",
        "image-unreadable",
        _rg(Elf(needed=("libc.so.6",)).content()[:80]),
    ),
    Breakage(
        "an ELF file truncated before its dynamic section",
        "image-unreadable",
        _rg(Elf(needed=("libc.so.6",)).content()[:300]),
    ),
    Breakage("a Windows program in a Linux wheel", "image-foreign", _rg(Pe().content())),
    Breakage("a Mac program in a Linux wheel", "image-foreign", _rg(MachO().content())),
    Breakage(
        "one program for another processor", "elf-machine", _rg(Elf(machine=ElfMachine.AARCH64).content())
    ),
    Breakage("a 32-bit program", "elf-class", _rg(Elf(bits=32).content())),
    Breakage("a big-endian program", "elf-class", _rg(Elf(is_big_endian=True).content())),
    Breakage("an object file as a program", "elf-type-program", _rg(Elf(type=ElfType.RELOCATABLE).content())),
    Breakage(
        "an object file",
        "elf-type",
        lambda wheel: wheel.with_first(
            ZipMember(
                name=f"{PACKAGE}/codex-resources/start.o".encode(),
                content=Elf(type=ElfType.RELOCATABLE).content(),
                mode=0o100755,
            )
        ),
    ),
    Breakage("a WebAssembly program", "image-format", _rg(b"\0asm\1\0\0\0")),
    Breakage("a program of an unknown format", "image-format", _rg(b"\x01\xdf\0\1" + bytes(60))),
    Breakage(
        "a library that is not one",
        "image-format",
        lambda wheel: wheel.with_first(_file("lib/libown.so.1", b"BC\xc0\xde")),
    ),
    Breakage("a FreeBSD program", "image-not-judged", _rg(Elf(os_abi=9).content())),
    Breakage("an ELF file of an unknown type", "image-not-judged", _damaged("<H", 16, 7)),
    Breakage("an unknown version of the OS ABI", "image-not-judged", _damaged("B", 8, 1)),
    Breakage("an unknown ELF version", "image-unreadable", _damaged("B", 6, 2)),
    Breakage("an unknown e_version", "image-unreadable", _damaged("<I", 20, 0)),
    Breakage("an entry point in no segment", "image-unreadable", _damaged("<Q", 24, 0x10)),
    Breakage("an entry point in data", "image-unreadable", _damaged("<I", 68, 6)),
    Breakage("no program headers", "image-unreadable", _damaged("<H", 56, 0)),
    Breakage("program headers of another size", "image-unreadable", _damaged("<H", 54, 57)),
    Breakage("program headers beyond the file", "image-unreadable", _damaged("<Q", 32, 1 << 40)),
    Breakage("no segment to load", "image-unreadable", _damaged("<I", 64, 4)),
    Breakage("a segment beyond the file", "image-unreadable", _segment(32, 1 << 20, 1 << 20)),
    Breakage("a segment that is smaller in memory", "image-unreadable", _segment(40, 0x10)),
    Breakage("a segment that does not fit into memory", "image-unreadable", _segment(40, 1 << 40)),
    Breakage("an alignment that is not a power of 2", "image-unreadable", _segment(48, 0x1800)),
    Breakage("an address that the alignment does not allow", "image-unreadable", _segment(48, 1 << 33)),
    Breakage("a segment at an address that Linux does not map", "image-unreadable", _segment(16, 0x1000)),
    Breakage("overlapping segments", "image-unreadable", _second_segment(0x400000)),
    Breakage("segments that are not in order", "image-unreadable", _second_segment(0x300000)),
    Breakage("a static program cut to half", "image-unreadable", _rg(_PROGRAM.content()[:180])),
    Breakage(
        "an interpreter without an end",
        "image-unreadable",
        _segment(32, len(_GLIBC_LOADER), program=Elf(interpreter=_GLIBC_LOADER)),
    ),
    Breakage(
        "an interpreter beyond the file",
        "image-unreadable",
        _segment(8, 1 << 20, program=Elf(interpreter=_GLIBC_LOADER)),
    ),
    Breakage(
        "a dynamic section beyond the file",
        "image-unreadable",
        _damaged("<Q", 120 + 8, 1 << 20, program=Elf(runpath="$ORIGIN")),
    ),
    Breakage(
        "a dynamic section at another address",
        "image-unreadable",
        _damaged("<Q", 120 + 16, 0x400000, program=Elf(runpath="$ORIGIN")),
    ),
    Breakage(
        "a dynamic section without an end",
        "image-unreadable",
        _damaged("<Q", 120 + 32, 32, program=Elf(runpath="$ORIGIN")),
    ),
    Breakage(
        "segments for AArch64 with pages of 4 KiB only",
        "elf-page-size",
        _rg(Elf(machine=ElfMachine.AARCH64, alignment=0x1000).content()),
        platform=_AARCH64,
    ),
    Breakage(
        "a glibc newer than the tag's",
        "elf-glibc-floor",
        _rg(
            Elf(
                interpreter=_GLIBC_LOADER,
                needed=("libc.so.6",),
                versions=(("libc.so.6", ("GLIBC_2.17", "GLIBC_2.34")),),
            ).content()
        ),
    ),
    Breakage(
        "a glibc feature newer than the tag's",
        "elf-glibc-floor",
        _rg(Elf(needed=("libc.so.6",), versions=_RELR).content()),
    ),
    Breakage(
        "a symbol version that CentOS 7 backported",
        "elf-glibc-backport",
        _rg(
            Elf(
                machine=ElfMachine.AARCH64,
                needed=("libc.so.6",),
                versions=(("libc.so.6", ("GLIBC_2.17", "GLIBC_2.18")),),
            ).content()
        ),
        platform="manylinux_2_17_aarch64",
    ),
    Breakage(
        "musl's loader under manylinux", "elf-interpreter", _rg(Elf(interpreter=_MUSL_LOADER).content())
    ),
    Breakage(
        "a build machine's loader",
        "elf-interpreter",
        _rg(Elf(interpreter="/nix/store/0-glibc/lib/ld.so").content()),
    ),
    Breakage(
        "a library outside the manylinux policy",
        "elf-needed",
        _rg(Elf(interpreter=_GLIBC_LOADER, needed=("libc.so.6", "libssl.so.3")).content()),
    ),
    Breakage(
        "an invented loader",
        "elf-needed",
        _rg(Elf(interpreter=_GLIBC_LOADER, needed=("libc.so.6", "ld-linux-x86-64.so.9")).content()),
    ),
    Breakage(
        "a library that no search path leads to",
        "elf-unreached",
        _with_library(Elf(interpreter=_GLIBC_LOADER, needed=("libown.so.1",))),
    ),
    Breakage(
        "a library in another directory than the search path",
        "elf-unreached",
        _with_library(Elf(interpreter=_GLIBC_LOADER, needed=("libown.so.1",), runpath="$ORIGIN")),
    ),
    Breakage(
        "a library that needs one in another directory",
        "elf-unreached-library",
        lambda wheel: _with_library(Elf())(wheel).with_first(
            ZipMember(
                name=f"{PACKAGE}/codex-resources/libuser.so.1".encode(),
                content=replace(_LIBRARY, soname="libuser.so.1", needed=("libown.so.1",)).content(),
                mode=0o100755,
            )
        ),
    ),
    Breakage(
        "a libstdc++ newer than the tag's",
        "elf-symbol-version",
        _rg(
            Elf(
                interpreter=_GLIBC_LOADER,
                needed=("libstdc++.so.6",),
                versions=_CXX,
                symbols=(("_Znwm", _CXX[0][1][1]),),
            ).content()
        ),
    ),
    Breakage(
        "an unknown version of glibc's interface",
        "elf-symbol-version",
        _rg(Elf(needed=("libc.so.6",), versions=(("libc.so.6", ("GLIBC_ABI_DT_NEW",)),)).content()),
    ),
    Breakage(
        "a private symbol of glibc",
        "elf-private-symbol",
        _rg(Elf(needed=("libc.so.6",), versions=_PRIVATE, symbols=(("_dl_sym", "GLIBC_PRIVATE"),)).content()),
    ),
    Breakage(
        "a glibc program under musllinux",
        "elf-musl",
        _rg(Elf(interpreter=_GLIBC_LOADER, needed=("libc.so.6",)).content()),
        platform=_MUSLLINUX,
    ),
    Breakage(
        "a glibc library under musllinux",
        "elf-musl",
        _rg(
            Elf(
                type=ElfType.SHARED,
                soname="libown.so.1",
                needed=("libc.so.6",),
                versions=(("libc.so.6", ("GLIBC_2.2.5",)),),
            ).content()
        ),
        platform=_MUSLLINUX,
    ),
    Breakage(
        "a library that musl lacks",
        "elf-musl",
        _rg(Elf(interpreter=_MUSL_LOADER, needed=("libc.musl-x86_64.so.1", "libz.so.1")).content()),
        platform=_MUSLLINUX,
    ),
    Breakage(
        "a search path of the build machine",
        "elf-search-path",
        _rg(Elf(runpath="/home/runner/work/lib").content()),
    ),
    Breakage("an empty search path", "elf-search-path", _rg(Elf(rpath="$ORIGIN:").content())),
    Breakage(
        "a search path to a missing directory",
        "elf-search-path",
        _rg(Elf(runpath="$ORIGIN/../_solib_k8").content()),
    ),
    Breakage("an executable stack", "elf-executable-stack", _rg(Elf(is_stack_executable=True).content())),
    Breakage("no PT_GNU_STACK", "elf-executable-stack", _rg(Elf(is_stack_executable=None).content())),
    Breakage(
        "a library with an executable stack",
        "elf-library-stack",
        _with_library(_PROGRAM, replace(_LIBRARY, is_stack_executable=True)),
    ),
    Breakage(
        "a library without PT_GNU_STACK",
        "elf-library-stack",
        _with_library(_PROGRAM, replace(_LIBRARY, is_stack_executable=None)),
    ),
    Breakage("text relocations", "elf-text-relocations", _rg(Elf(has_text_relocations=True).content())),
)

TWINS_ELF = (
    Twin(
        "a public symbol of glibc",
        _rg(
            Elf(
                needed=("libc.so.6",),
                versions=(("libc.so.6", ("GLIBC_2.17",)),),
                symbols=(("puts", "GLIBC_2.17"),),
            ).content()
        ),
    ),
    Twin("a static program that states Linux as its OS ABI", _rg(replace(_PROGRAM, os_abi=3).content())),
    Twin("a library without an executable stack", _with_library(_PROGRAM)),
    Twin(
        "data with the numbers of a version in its name",
        lambda wheel: wheel.with_first(_file("model-1.so.bin", b"\0" * 64)),
    ),
    Twin(
        "a library that the search path leads to",
        _with_library(
            Elf(interpreter=_GLIBC_LOADER, needed=("libown.so.1",), runpath="$ORIGIN/../codex-resources/lib")
        ),
    ),
    Twin(
        "a library that DT_RPATH leads to",
        _with_library(
            Elf(interpreter=_GLIBC_LOADER, needed=("libown.so.1",), rpath="${ORIGIN}/../codex-resources/lib")
        ),
    ),
    Twin("the loader as a library", _rg(Elf(needed=("ld-linux-x86-64.so.2", "libc.so.6")).content())),
    Twin(
        "a libstdc++ of the tag",
        _rg(Elf(needed=("libstdc++.so.6",), versions=(("libstdc++.so.6", ("GLIBCXX_3.4.19",)),)).content()),
    ),
    Twin(
        "segments for AArch64 with pages of 64 KiB",
        _rg(Elf(machine=ElfMachine.AARCH64, alignment=0x10000).content()),
        platform=_AARCH64,
    ),
    Twin("segments for x86-64 with pages of 4 KiB", _rg(Elf(alignment=0x1000).content())),
    Twin("segments in order", _second_segment(0x401000)),
    Twin("a position-independent program", _rg(Elf(type=ElfType.SHARED, output=b"hello").content())),
)
