"""macOS wheels with one broken executable."""

import struct
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from tests.authority import SIGNED_AT
from tests.images import Elf, FatMachO, MachO, MachOCpu, MachOType, code_signature
from tests.images.apple_signature import LEAKED, SOMEBODY, AppleSignature, signed
from tests.wheels import PACKAGE, Wheel
from tests.zip_writer import ZipMember
from tests.zoo.breakage import Breakage, Twin, with_content

_ARM64 = "macosx_11_0_arm64"
_X86_64 = "macosx_10_12_x86_64"
_RG = f"{PACKAGE}/codex-path/rg"
_AD_HOC_BYTES = len(code_signature(bytes(1 << 14)))
_INTEL = MachO(cpu=MachOCpu.X86_64, minimum_macos=(10, 12, 0))


def _rg(content: bytes) -> Callable[[Wheel], Wheel]:
    return with_content(_RG, content)


def _arm64e() -> bytes:
    code = bytearray(MachO(signature=bytes(_AD_HOC_BYTES)).content()[:-_AD_HOC_BYTES])
    struct.pack_into("<I", code, 8, 0x80000002)  # cpusubtype
    return bytes(code) + code_signature(bytes(code))


def _both_signed(apart: timedelta) -> Callable[[Wheel], Wheel]:
    """Sign codex and rg as upstream does, rg later."""
    codex = signed(MachO(), AppleSignature()).content()
    rg = signed(MachO(), AppleSignature(at=SIGNED_AT + apart)).content()
    return lambda wheel: with_content(_RG, rg)(with_content(f"{PACKAGE}/bin/codex", codex)(wheel))


IMAGES_MACHO = (
    Breakage(
        "a Mach-O file truncated in its load commands",
        "image-unreadable",
        _rg(MachO().content()[:200]),
        platform=_ARM64,
    ),
    Breakage(
        "a Mach-O file truncated in its signature",
        "image-unreadable",
        _rg(MachO().content()[:-20]),
        platform=_ARM64,
    ),
    Breakage("a Linux program in a Mac wheel", "image-foreign", _rg(Elf().content()), platform=_ARM64),
    Breakage(
        "an Intel program in an Apple silicon wheel",
        "macho-architecture",
        _rg(_INTEL.content()),
        platform=_ARM64,
    ),
    Breakage(
        "an Apple silicon program in an Intel wheel",
        "macho-architecture",
        _rg(MachO().content()),
        platform=_X86_64,
    ),
    Breakage(
        "arm64e, which third parties cannot ship", "macho-architecture", _rg(_arm64e()), platform=_ARM64
    ),
    Breakage(
        "code for Haswell and later only",
        "macho-architecture",
        _rg(replace(_INTEL, subtype=8).content()),
        platform=_X86_64,
    ),
    Breakage(
        "code for an unknown kind of x86-64",
        "macho-architecture",
        _rg(replace(_INTEL, subtype=9).content()),
        platform=_X86_64,
    ),
    Breakage(
        "a slice for Haswell with a newer deployment target",
        "macho-minimum-macos",
        _rg(FatMachO(slices=(_INTEL, replace(_INTEL, subtype=8, minimum_macos=(10, 15, 0)))).content()),
        platform=_X86_64,
    ),
    Breakage(
        "an invented library of macOS",
        "macho-system-library",
        _rg(MachO(dylibs=("/usr/lib/libSystem.B.dylib", "/usr/lib/libinvented.1.dylib")).content()),
        platform=_ARM64,
    ),
    Breakage(
        "a deployment target newer than the tag's",
        "macho-minimum-macos",
        _rg(MachO(minimum_macos=(14, 0, 0)).content()),
        platform=_ARM64,
    ),
    Breakage(
        "a deployment target newer by a minor version",
        "macho-minimum-macos",
        _rg(replace(_INTEL, minimum_macos=(10, 15, 0)).content()),
        platform=_X86_64,
    ),
    Breakage(
        "one slice of a universal file with a newer deployment target",
        "macho-minimum-macos",
        _rg(FatMachO(slices=(_INTEL, MachO(minimum_macos=(12, 0, 0)))).content()),
        platform=_ARM64,
    ),
    Breakage(
        "no deployment target",
        "macho-no-minimum",
        _rg(MachO(version_command=None).content()),
        platform=_ARM64,
    ),
    Breakage("an iOS program", "macho-platform", _rg(MachO(platform=2).content()), platform=_ARM64),
    Breakage(
        "a Mach-O object file as a program",
        "macho-type-program",
        _rg(MachO(type=MachOType.OBJECT).content()),
        platform=_ARM64,
    ),
    Breakage(
        "a Mach-O object file",
        "macho-type",
        lambda wheel: wheel.with_first(
            ZipMember(
                name=f"{PACKAGE}/codex-resources/start.o".encode(),
                content=MachO(type=MachOType.OBJECT).content(),
                mode=0o100755,
            )
        ),
        platform=_ARM64,
    ),
    Breakage(
        "a Mach-O file of an unknown type", "image-not-judged", _rg(MachO(type=99).content()), platform=_ARM64
    ),
    Breakage(
        "a Homebrew library",
        "macho-dependency",
        _rg(MachO(dylibs=("/opt/homebrew/lib/libssl.3.dylib",)).content()),
        platform=_ARM64,
    ),
    Breakage(
        "an @rpath library that the wheel lacks",
        "macho-dependency",
        _rg(MachO(dylibs=("@rpath/libown.1.dylib",)).content()),
        platform=_ARM64,
    ),
    Breakage(
        "a Mach-O search path of the build machine",
        "macho-search-path",
        _rg(MachO(rpaths=("/Users/runner/lib",)).content()),
        platform=_ARM64,
    ),
    Breakage(
        "an unsigned Apple silicon program",
        "macho-signature",
        _rg(MachO(signature=None).content()),
        platform=_ARM64,
    ),
    Breakage(
        "a signature command without a signature",
        "signature-not-valid",
        _rg(MachO(signature=b"not a SuperBlob").content()),
        platform=_ARM64,
    ),
    Breakage(
        "a Mac program that was changed after signing",
        "signature-not-valid",
        _rg(signed(MachO()).content().replace(b"libSystem.B", b"libresolv.9", 1)),
        platform=_ARM64,
    ),
    Breakage(
        "a Mac program signed by another team",
        "signer-unexpected",
        _rg(signed(MachO(), AppleSignature(by=SOMEBODY, team="ZZZZZZZZZZ")).content()),
        platform=_ARM64,
    ),
    Breakage(
        "a Mac program with a revoked certificate",
        "signer-revoked",
        _rg(signed(MachO(), AppleSignature(by=LEAKED)).content()),
        platform=_ARM64,
    ),
    Breakage(
        "an unsigned Intel program",
        "macho-signature-x86-64",
        _rg(replace(_INTEL, signature=None).content()),
        platform=_X86_64,
    ),
    Breakage(
        "an rg for macOS that was signed another day",
        "signing-times-apart",
        _both_signed(timedelta(hours=25)),
        platform=_ARM64,
    ),
)

TWINS_MACHO = (
    Twin("Mac programs that were signed within a day", _both_signed(timedelta(hours=24)), platform=_ARM64),
    Twin(
        "code for Haswell beside that for all of x86-64",
        _rg(FatMachO(slices=(_INTEL, replace(_INTEL, subtype=8))).content()),
        platform=_X86_64,
    ),
    Twin(
        "libraries of macOS",
        _rg(
            MachO(
                dylibs=(
                    "/usr/lib/libSystem.B.dylib",
                    "/usr/lib/libresolv.9.dylib",
                    "/usr/lib/swift/libswiftCore.dylib",
                    "/usr/lib/system/libxpc.dylib",
                    "/System/Library/Frameworks/Security.framework/Versions/A/Security",
                )
            ).content()
        ),
        platform=_ARM64,
    ),
)
