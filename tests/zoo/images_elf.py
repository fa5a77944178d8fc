"""Linux wheels with one broken executable."""

from collections.abc import Callable
from dataclasses import replace

from tests.images import Elf, ElfMachine, ElfType, MachO, Pe
from tests.wheels import PACKAGE, Wheel
from tests.zoo.breakage import Breakage

_MUSLLINUX = "musllinux_1_1_x86_64"
_RG = f"{PACKAGE}/codex-path/rg"
_GLIBC_LOADER = "/lib64/ld-linux-x86-64.so.2"
_RELR = (("libc.so.6", ("GLIBC_2.17", "GLIBC_ABI_DT_RELR")),)
_MUSL_LOADER = "/lib/ld-musl-x86_64.so.1"


def _rg(content: bytes) -> Callable[[Wheel], Wheel]:
    return lambda wheel: wheel.edited(_RG, lambda member: replace(member, content=content))


IMAGES_ELF = (
    Breakage(
        name="an ELF file truncated in its program headers",
        check="image-unreadable",
        make=_rg(Elf(needed=("libc.so.6",)).content()[:80]),
    ),
    Breakage(
        name="an ELF file truncated before its dynamic section",
        check="image-unreadable",
        make=_rg(Elf(needed=("libc.so.6",)).content()[:300]),
    ),
    Breakage(name="a Windows program in a Linux wheel", check="image-foreign", make=_rg(Pe().content())),
    Breakage(name="a Mac program in a Linux wheel", check="image-foreign", make=_rg(MachO().content())),
    Breakage(
        name="one program for another processor",
        check="elf-machine",
        make=_rg(Elf(machine=ElfMachine.AARCH64).content()),
    ),
    Breakage(name="a 32-bit program", check="elf-class", make=_rg(Elf(bits=32).content())),
    Breakage(name="a big-endian program", check="elf-class", make=_rg(Elf(is_big_endian=True).content())),
    Breakage(name="an object file", check="elf-type", make=_rg(Elf(type=ElfType.RELOCATABLE).content())),
    Breakage(name="a FreeBSD program", check="elf-type", make=_rg(Elf(os_abi=9).content())),
    Breakage(
        name="a glibc newer than the tag's",
        check="elf-glibc-floor",
        make=_rg(
            Elf(
                interpreter=_GLIBC_LOADER,
                needed=("libc.so.6",),
                versions=(("libc.so.6", ("GLIBC_2.17", "GLIBC_2.34")),),
            ).content()
        ),
    ),
    Breakage(
        name="a glibc feature newer than the tag's",
        check="elf-glibc-floor",
        make=_rg(Elf(needed=("libc.so.6",), versions=_RELR).content()),
    ),
    Breakage(
        name="a symbol version that CentOS 7 backported",
        check="elf-glibc-backport",
        make=_rg(
            Elf(
                machine=ElfMachine.AARCH64,
                needed=("libc.so.6",),
                versions=(("libc.so.6", ("GLIBC_2.17", "GLIBC_2.18")),),
            ).content()
        ),
        platform="manylinux_2_17_aarch64",
    ),
    Breakage(
        name="musl's loader under manylinux",
        check="elf-interpreter",
        make=_rg(Elf(interpreter=_MUSL_LOADER).content()),
    ),
    Breakage(
        name="a build machine's loader",
        check="elf-interpreter",
        make=_rg(Elf(interpreter="/nix/store/0-glibc/lib/ld.so").content()),
    ),
    Breakage(
        name="a library outside the manylinux policy",
        check="elf-needed",
        make=_rg(Elf(interpreter=_GLIBC_LOADER, needed=("libc.so.6", "libssl.so.3")).content()),
    ),
    Breakage(
        name="a glibc program under musllinux",
        check="elf-musl",
        make=_rg(Elf(interpreter=_GLIBC_LOADER, needed=("libc.so.6",)).content()),
        platform=_MUSLLINUX,
    ),
    Breakage(
        name="a glibc library under musllinux",
        check="elf-musl",
        make=_rg(
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
        name="a library that musl lacks",
        check="elf-musl",
        make=_rg(Elf(interpreter=_MUSL_LOADER, needed=("libc.musl-x86_64.so.1", "libz.so.1")).content()),
        platform=_MUSLLINUX,
    ),
    Breakage(
        name="a search path of the build machine",
        check="elf-search-path",
        make=_rg(Elf(runpath="/home/runner/work/lib").content()),
    ),
    Breakage(
        name="an empty search path",
        check="elf-search-path",
        make=_rg(Elf(rpath="$ORIGIN:").content()),
    ),
    Breakage(
        name="a search path to a missing directory",
        check="elf-search-path",
        make=_rg(Elf(runpath="$ORIGIN/../_solib_k8").content()),
    ),
    Breakage(
        name="an executable stack",
        check="elf-executable-stack",
        make=_rg(Elf(is_stack_executable=True).content()),
    ),
    Breakage(
        name="text relocations",
        check="elf-text-relocations",
        make=_rg(Elf(has_text_relocations=True).content()),
    ),
)
