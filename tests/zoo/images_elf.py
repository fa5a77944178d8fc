"""Linux wheels with one broken executable."""

from collections.abc import Callable

from tests.images import Elf, ElfMachine, ElfType, MachO, Pe
from tests.wheels import PACKAGE, Wheel
from tests.zoo.breakage import Breakage, with_content

_MUSLLINUX = "musllinux_1_1_x86_64"
_RG = f"{PACKAGE}/codex-path/rg"
_GLIBC_LOADER = "/lib64/ld-linux-x86-64.so.2"
_RELR = (("libc.so.6", ("GLIBC_2.17", "GLIBC_ABI_DT_RELR")),)
_MUSL_LOADER = "/lib/ld-musl-x86_64.so.1"


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
    Breakage("an object file", "elf-type", _rg(Elf(type=ElfType.RELOCATABLE).content())),
    Breakage("a FreeBSD program", "elf-type", _rg(Elf(os_abi=9).content())),
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
    Breakage("text relocations", "elf-text-relocations", _rg(Elf(has_text_relocations=True).content())),
)
