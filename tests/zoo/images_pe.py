"""Windows wheels with one broken executable."""

from collections.abc import Callable
from dataclasses import replace

from tests.images import Elf, Pe, PeMachine, PeSubsystem
from tests.images.authenticode import SOMEBODY, Authenticode, signed, with_table
from tests.wheels import PACKAGE, Wheel
from tests.zoo.breakage import Breakage

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
    return lambda wheel: wheel.edited(name, lambda member: replace(member, content=content))


IMAGES_PE = (
    Breakage(
        name="a PE file truncated in its headers",
        check="image-unreadable",
        make=_program(signed(_GOOD)[:100]),
        platform=_AMD64,
    ),
    Breakage(
        name="a PE file with the optional header of a ROM image",
        check="image-unreadable",
        make=_program(signed(_GOOD).replace(b"\x0b\x02", b"\x07\x01", 1)),
        platform=_AMD64,
    ),
    Breakage(
        name="a PE file truncated in its signature",
        check="image-unreadable",
        make=_program(signed(_GOOD)[:-8]),
        platform=_AMD64,
    ),
    Breakage(
        name="a Linux program in a Windows wheel",
        check="image-foreign",
        make=_program(Elf().content()),
        platform=_AMD64,
    ),
    Breakage(
        name="an ARM64 program in an x86-64 wheel",
        check="pe-machine",
        make=_program(signed(replace(_GOOD, machine=PeMachine.ARM64))),
        platform=_AMD64,
    ),
    Breakage(
        name="an x86-64 program in an ARM64 wheel",
        check="pe-machine",
        make=_program(signed(_GOOD)),
        platform=_ARM64,
    ),
    Breakage(
        name="a missing DLL",
        check="pe-dll",
        make=_program(signed(replace(_GOOD, imports=("KERNEL32.dll", "libssl-3-x64.dll")))),
        platform=_AMD64,
    ),
    Breakage(
        name="a missing delay-loaded DLL",
        check="pe-delayed-dll",
        make=_program(signed(replace(_GOOD, delay_imports=("cudart64_12.dll",)))),
        platform=_AMD64,
    ),
    Breakage(
        name="the Visual C++ runtime",
        check="pe-visual-cpp",
        make=_program(signed(replace(_GOOD, imports=("KERNEL32.dll", "VCRUNTIME140.dll")))),
        platform=_AMD64,
    ),
    Breakage(
        name="a driver",
        check="pe-subsystem",
        make=_program(signed(replace(_GOOD, subsystem=PeSubsystem.NATIVE))),
        platform=_AMD64,
    ),
    Breakage(
        name="codex without a console",
        check="pe-subsystem",
        make=_program(signed(replace(_GOOD, subsystem=PeSubsystem.WINDOWS_GUI)), _CODEX),
        platform=_AMD64,
    ),
    Breakage(
        name="a program at a fixed address",
        check="pe-aslr",
        make=_program(signed(replace(_GOOD, dll_characteristics=0x0100))),
        platform=_AMD64,
    ),
    Breakage(
        name="a random address without high entropy",
        check="pe-aslr",
        make=_program(signed(replace(_GOOD, dll_characteristics=0x0140))),
        platform=_AMD64,
    ),
    Breakage(
        name="executable data pages",
        check="pe-nx",
        make=_program(signed(replace(_GOOD, dll_characteristics=0x0060))),
        platform=_AMD64,
    ),
    Breakage(
        name="an unsigned codex.exe",
        check="pe-signature",
        make=_program(_GOOD.content(), _CODEX),
        platform=_AMD64,
    ),
    Breakage(
        name="a program that was changed after signing",
        check="signature-not-valid",
        make=_program(_patched(signed(_GOOD))),
        platform=_AMD64,
    ),
    Breakage(
        name="a signature without a countersignature",
        check="signature-not-valid",
        make=_program(signed(_GOOD, Authenticode(at=None))),
        platform=_AMD64,
    ),
    Breakage(
        name="a signature of another program",
        check="signature-not-valid",
        make=_program(with_table(_GOOD.content(), [Authenticode().over(Pe(seed="other").content() + b"x")])),
        platform=_AMD64,
    ),
    Breakage(
        name="a codex.exe of another signer",
        check="signer-unexpected",
        make=_program(signed(_GOOD, Authenticode(by=SOMEBODY)), _CODEX),
        platform=_AMD64,
    ),
    Breakage(
        name="an unsigned rg.exe",
        check="pe-signature-bundled",
        make=_program(_GOOD.content()),
        platform=_AMD64,
    ),
)
