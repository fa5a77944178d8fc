"""Windows wheels with one broken executable."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from tests.authority import SIGNED_AT
from tests.images import Elf, Pe, PeMachine, PeSubsystem
from tests.images.authenticode import ELSEWHERE, LEAKED, SOMEBODY, Authenticode, signed, with_table
from tests.wheels import PACKAGE, Wheel
from tests.zip_writer import ZipMember
from tests.zoo.breakage import Breakage, Twin, with_content
from tests.zoo.package import of_another_project

_AMD64 = "win_amd64"
_ARM64 = "win_arm64"
_CODEX = f"{PACKAGE}/bin/codex.exe"
_RG = f"{PACKAGE}/codex-path/rg.exe"
_GOOD = Pe()


def _patched(content: bytes) -> bytes:
    """Change an import of a signed program, as a patch would."""
    assert b"KERNEL32.dll" in content
    return content.replace(b"ExitProcess", b"ExitThread\0", 1)


def _program(content: bytes, name: str = _RG) -> Callable[[Wheel], Wheel]:
    return with_content(name, content)


IMAGES_PE = (
    Breakage(
        "a PE file truncated in its headers",
        "image-unreadable",
        _program(signed(_GOOD)[:100]),
        platform=_AMD64,
    ),
    Breakage(
        "a PE file with the optional header of a ROM image",
        "image-unreadable",
        _program(signed(_GOOD).replace(b"\x0b\x02", b"\x07\x01", 1)),
        platform=_AMD64,
    ),
    Breakage(
        "a PE file truncated in its signature",
        "image-unreadable",
        _program(signed(_GOOD)[:-8]),
        platform=_AMD64,
    ),
    Breakage(
        "a DOS program",
        "image-format",
        _program(b"MZ" + bytes(58) + b"\x40\0\0\0NE" + bytes(64)),
        platform=_AMD64,
    ),
    Breakage(
        "a Linux program in a Windows wheel", "image-foreign", _program(Elf().content()), platform=_AMD64
    ),
    Breakage(
        "an ARM64 program in an x86-64 wheel",
        "pe-machine",
        _program(signed(replace(_GOOD, machine=PeMachine.ARM64))),
        platform=_AMD64,
    ),
    Breakage("an x86-64 program in an ARM64 wheel", "pe-machine", _program(signed(_GOOD)), platform=_ARM64),
    Breakage(
        "ARM64EC code in an x86-64 wheel",
        "pe-machine",
        _program(signed(replace(_GOOD, has_arm64ec=True))),
        platform=_AMD64,
    ),
    Breakage(
        "an invented API set",
        "pe-api-set",
        _program(signed(replace(_GOOD, imports=("KERNEL32.dll", "api-ms-win-core-invented-l1-1-0.dll")))),
        platform=_AMD64,
    ),
    Breakage(
        "an invented level of an API set",
        "pe-api-set",
        _program(signed(replace(_GOOD, delay_imports=("api-ms-win-core-synch-l9-2-0.dll",)))),
        platform=_AMD64,
    ),
    Breakage(
        "a DLL that only begins as an API set does",
        "pe-dll",
        _program(signed(replace(_GOOD, imports=("KERNEL32.dll", "api-ms-win-core.dll")))),
        platform=_AMD64,
    ),
    Breakage(
        "a missing DLL",
        "pe-dll",
        _program(signed(replace(_GOOD, imports=("KERNEL32.dll", "libssl-3-x64.dll")))),
        platform=_AMD64,
    ),
    Breakage(
        "a missing delay-loaded DLL",
        "pe-delayed-dll",
        _program(signed(replace(_GOOD, delay_imports=("cudart64_12.dll",)))),
        platform=_AMD64,
    ),
    Breakage(
        "the Visual C++ runtime",
        "pe-visual-cpp",
        _program(signed(replace(_GOOD, imports=("KERNEL32.dll", "VCRUNTIME140.dll")))),
        platform=_AMD64,
    ),
    Breakage(
        "a codex.exe that needs the Visual C++ runtime",
        "pe-visual-cpp-own",
        _program(signed(replace(_GOOD, imports=("KERNEL32.dll", "VCRUNTIME140.dll"))), _CODEX),
        platform=_AMD64,
    ),
    Breakage(
        "a codex.exe that loads the Visual C++ runtime on first use",
        "pe-visual-cpp",
        _program(signed(replace(_GOOD, delay_imports=("MSVCP140.dll",))), _CODEX),
        platform=_AMD64,
    ),
    Breakage(
        "a driver",
        "pe-subsystem",
        _program(signed(replace(_GOOD, subsystem=PeSubsystem.NATIVE))),
        platform=_AMD64,
    ),
    Breakage(
        "codex without a console",
        "pe-subsystem",
        _program(signed(replace(_GOOD, subsystem=PeSubsystem.WINDOWS_GUI)), _CODEX),
        platform=_AMD64,
    ),
    Breakage(
        "a program at a fixed address",
        "pe-aslr",
        _program(signed(replace(_GOOD, dll_characteristics=0x0100))),
        platform=_AMD64,
    ),
    Breakage(
        "a random address without high entropy",
        "pe-aslr",
        _program(signed(replace(_GOOD, dll_characteristics=0x0140))),
        platform=_AMD64,
    ),
    Breakage(
        "executable data pages",
        "pe-nx",
        _program(signed(replace(_GOOD, dll_characteristics=0x0060))),
        platform=_AMD64,
    ),
    Breakage("an unsigned codex.exe", "pe-signature", _program(_GOOD.content(), _CODEX), platform=_AMD64),
    Breakage(
        "a program that was changed after signing",
        "signature-not-valid",
        _program(_patched(signed(_GOOD))),
        platform=_AMD64,
    ),
    Breakage(
        "a signature without a countersignature",
        "signature-not-valid",
        _program(signed(_GOOD, Authenticode(at=None))),
        platform=_AMD64,
    ),
    Breakage(
        "a signature of another program",
        "signature-not-valid",
        _program(with_table(_GOOD.content(), [Authenticode().over(Pe(seed="other").content() + b"x")])),
        platform=_AMD64,
    ),
    Breakage(
        "a codex.exe of another signer",
        "signer-unexpected",
        _program(signed(_GOOD, Authenticode(by=SOMEBODY)), _CODEX),
        platform=_AMD64,
    ),
    Breakage(
        "a codex.exe with a revoked certificate",
        "signer-revoked",
        _program(signed(_GOOD, Authenticode(by=LEAKED)), _CODEX),
        platform=_AMD64,
    ),
    Breakage(
        "an rg.exe that was signed another day",
        "signing-times-apart",
        _program(signed(_GOOD, Authenticode(at=SIGNED_AT + timedelta(hours=30)))),
        platform=_AMD64,
    ),
    Breakage(
        "a codex.exe that is signed under a root of somebody else",
        "signature-not-valid",
        _program(signed(_GOOD, Authenticode(by=ELSEWHERE)), _CODEX),
        platform=_AMD64,
    ),
    Breakage(
        "a program of another project under an unknown root",
        "signature-root-unknown",
        lambda wheel: of_another_project(_program(signed(_GOOD, Authenticode(by=ELSEWHERE)))(wheel)),
        platform=_AMD64,
        is_of_another_project=True,
    ),
    Breakage("an unsigned rg.exe", "pe-signature-bundled", _program(_GOOD.content()), platform=_AMD64),
)

TWINS_PE = (
    Twin(
        "libraries of newer versions of Windows",
        _program(
            signed(
                replace(
                    _GOOD,
                    imports=("d3d12.dll", "icuuc.dll", "icu.dll", "dcomp.dll", "dxcore.dll"),
                    delay_imports=("ProjectedFSLib.dll", "WinHvPlatform.dll"),
                )
            )
        ),
        platform=_AMD64,
    ),
    Twin(
        "a weak signature with a strong one nested in it",
        _program(signed(_GOOD, Authenticode(digest="sha1", nested=(Authenticode(),)))),
        platform=_AMD64,
    ),
    Twin(
        "a codex.exe with the Visual C++ runtime beside it",
        lambda wheel: _program(signed(replace(_GOOD, imports=("KERNEL32.dll", "VCRUNTIME140.dll"))), _CODEX)(
            wheel
        ).with_first(
            ZipMember(
                name=f"{PACKAGE}/bin/vcruntime140.dll".encode(),
                content=signed(replace(_GOOD, is_dll=True)),
                mode=0o100755,
            )
        ),
        platform=_AMD64,
    ),
    Twin(
        "ARM64X code in an ARM64 wheel",
        _program(signed(replace(_GOOD, machine=PeMachine.ARM64, has_arm64ec=True))),
        platform=_ARM64,
    ),
    Twin(
        "API sets of Windows, also in a newer minor version",
        _program(
            signed(
                replace(
                    _GOOD, imports=("api-ms-win-core-synch-l1-2-0.dll", "API-MS-Win-Core-Synch-L1-2-9.dll")
                )
            )
        ),
        platform=_AMD64,
    ),
)
