"""macOS wheels with one broken executable."""

import struct
from collections.abc import Callable
from dataclasses import replace

from tests.images import Elf, FatMachO, MachO, MachOCpu, MachOType, code_signature
from tests.images.apple_signature import SOMEBODY, AppleSignature, signed
from tests.wheels import PACKAGE, Wheel
from tests.zoo.breakage import Breakage

_ARM64 = "macosx_11_0_arm64"
_X86_64 = "macosx_10_12_x86_64"
_RG = f"{PACKAGE}/codex-path/rg"
_AD_HOC_BYTES = len(code_signature(bytes(1 << 14)))
_INTEL = MachO(cpu=MachOCpu.X86_64, minimum_macos=(10, 12, 0))


def _rg(content: bytes) -> Callable[[Wheel], Wheel]:
    return lambda wheel: wheel.edited(_RG, lambda member: replace(member, content=content))


def _arm64e() -> bytes:
    code = bytearray(MachO(signature=bytes(_AD_HOC_BYTES)).content()[:-_AD_HOC_BYTES])
    struct.pack_into("<I", code, 8, 0x80000002)  # cpusubtype
    return bytes(code) + code_signature(bytes(code))


IMAGES_MACHO = (
    Breakage(
        name="a Mach-O file truncated in its load commands",
        check="image-unreadable",
        make=_rg(MachO().content()[:200]),
        platform=_ARM64,
    ),
    Breakage(
        name="a Mach-O file truncated in its signature",
        check="image-unreadable",
        make=_rg(MachO().content()[:-20]),
        platform=_ARM64,
    ),
    Breakage(
        name="a Linux program in a Mac wheel",
        check="image-foreign",
        make=_rg(Elf().content()),
        platform=_ARM64,
    ),
    Breakage(
        name="an Intel program in an Apple silicon wheel",
        check="macho-architecture",
        make=_rg(_INTEL.content()),
        platform=_ARM64,
    ),
    Breakage(
        name="an Apple silicon program in an Intel wheel",
        check="macho-architecture",
        make=_rg(MachO().content()),
        platform=_X86_64,
    ),
    Breakage(
        name="arm64e, which third parties cannot ship",
        check="macho-architecture",
        make=_rg(_arm64e()),
        platform=_ARM64,
    ),
    Breakage(
        name="a deployment target newer than the tag's",
        check="macho-minimum-macos",
        make=_rg(MachO(minimum_macos=(14, 0, 0)).content()),
        platform=_ARM64,
    ),
    Breakage(
        name="a deployment target newer by a minor version",
        check="macho-minimum-macos",
        make=_rg(replace(_INTEL, minimum_macos=(10, 15, 0)).content()),
        platform=_X86_64,
    ),
    Breakage(
        name="one slice of a universal file with a newer deployment target",
        check="macho-minimum-macos",
        make=_rg(FatMachO(slices=(_INTEL, MachO(minimum_macos=(12, 0, 0)))).content()),
        platform=_ARM64,
    ),
    Breakage(
        name="no deployment target",
        check="macho-no-minimum",
        make=_rg(MachO(version_command=None).content()),
        platform=_ARM64,
    ),
    Breakage(
        name="an iOS program", check="macho-platform", make=_rg(MachO(platform=2).content()), platform=_ARM64
    ),
    Breakage(
        name="a Mach-O object file",
        check="macho-type",
        make=_rg(MachO(type=MachOType.OBJECT).content()),
        platform=_ARM64,
    ),
    Breakage(
        name="a Homebrew library",
        check="macho-dependency",
        make=_rg(MachO(dylibs=("/opt/homebrew/lib/libssl.3.dylib",)).content()),
        platform=_ARM64,
    ),
    Breakage(
        name="an @rpath library that the wheel lacks",
        check="macho-dependency",
        make=_rg(MachO(dylibs=("@rpath/libown.1.dylib",)).content()),
        platform=_ARM64,
    ),
    Breakage(
        name="a Mach-O search path of the build machine",
        check="macho-search-path",
        make=_rg(MachO(rpaths=("/Users/runner/lib",)).content()),
        platform=_ARM64,
    ),
    Breakage(
        name="an unsigned Apple silicon program",
        check="macho-signature",
        make=_rg(MachO(signature=None).content()),
        platform=_ARM64,
    ),
    Breakage(
        name="a signature command without a signature",
        check="signature-not-valid",
        make=_rg(MachO(signature=b"not a SuperBlob").content()),
        platform=_ARM64,
    ),
    Breakage(
        name="a Mac program that was changed after signing",
        check="signature-not-valid",
        make=_rg(signed(MachO()).content().replace(b"libSystem.B", b"libSystem.C", 1)),
        platform=_ARM64,
    ),
    Breakage(
        name="a Mac program signed by another team",
        check="signer-unexpected",
        make=_rg(signed(MachO(), AppleSignature(by=SOMEBODY, team="ZZZZZZZZZZ")).content()),
        platform=_ARM64,
    ),
    Breakage(
        name="an unsigned Intel program",
        check="macho-signature-x86-64",
        make=_rg(replace(_INTEL, signature=None).content()),
        platform=_X86_64,
    ),
)
