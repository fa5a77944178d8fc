"""Small wheels with fabricated executables, read as `factory verify` reads them."""

import base64
import hashlib
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from factory.verify.checks import elf, elf_libraries, images, macho, pe
from factory.verify.checks.check import Check
from factory.verify.checks.visual_cpp import visual_cpp_checks
from factory.verify.reading.contents import WheelContents
from factory.verify.reading.read import read_wheel
from tests.images import Elf, ElfMachine, MachO, MachOCpu, Pe, PeMachine, VersionCommand

PACKAGE = b"""\
from pathlib import Path

def bundled_codex_path():
    return Path(__file__).parent / "bin/codex"
"""
CODEX = "codex_cli_bin/bin/codex"
RG = "codex_cli_bin/codex-path/rg"
CODEX_EXE = "codex_cli_bin/bin/codex.exe"
RG_EXE = "codex_cli_bin/codex-path/rg.exe"
CHECKS: tuple[Check[WheelContents], ...] = (
    *images.CHECKS,
    *elf.CHECKS,
    *elf_libraries.CHECKS,
    *macho.CHECKS,
    *pe.CHECKS,
    *visual_cpp_checks(),
)

GLIBC_LOADER = "/lib64/ld-linux-x86-64.so.2"
MUSL_LOADER = "/lib/ld-musl-x86_64.so.1"
GOOD_ELF = Elf()
DYNAMIC_ELF = Elf(
    interpreter=GLIBC_LOADER, needed=("libc.so.6",), versions=(("libc.so.6", ("GLIBC_2.2.5", "GLIBC_2.17")),)
)
GOOD_ARM64 = MachO()
GOOD_X86_64 = MachO(
    cpu=MachOCpu.X86_64,
    minimum_macos=(10, 12, 0),
    version_command=VersionCommand.VERSION_MIN_MACOSX,
)
GOOD_PE = Pe(security=b"a signature", imports=("KERNEL32.dll", "api-ms-win-core-synch-l1-2-0.dll"))

GOOD: Mapping[str, Mapping[str, bytes]] = {
    "manylinux_2_17_x86_64": {CODEX: GOOD_ELF.content(), RG: DYNAMIC_ELF.content()},
    "manylinux_2_17_aarch64": {CODEX: Elf(machine=ElfMachine.AARCH64).content()},
    "musllinux_1_1_x86_64": {
        CODEX: GOOD_ELF.content(),
        RG: Elf(interpreter=MUSL_LOADER, needed=("libc.musl-x86_64.so.1",)).content(),
    },
    "musllinux_1_1_aarch64": {CODEX: Elf(machine=ElfMachine.AARCH64).content()},
    "macosx_11_0_arm64": {CODEX: GOOD_ARM64.content()},
    "macosx_10_12_x86_64": {CODEX: GOOD_X86_64.content()},
    "win_amd64": {CODEX_EXE: GOOD_PE.content(), RG_EXE: GOOD_PE.content()},
    "win_arm64": {CODEX_EXE: replace(GOOD_PE, machine=PeMachine.ARM64).content()},
}
"""One good wheel per platform."""


def wheel_file(directory: Path, platform: str, files: Mapping[str, bytes]) -> Path:
    path = directory / f"openai_codex_cli_bin-0.163.0-py3-none-{platform}.whl"
    info = "openai_codex_cli_bin-0.163.0.dist-info"
    tags = "".join(f"Tag: py3-none-{tag}\n" for tag in platform.split("."))
    members = {
        "codex_cli_bin/__init__.py": PACKAGE,
        **files,
        f"{info}/METADATA": b"Metadata-Version: 2.1\nName: openai-codex-cli-bin\nVersion: 0.163.0\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: false\n{tags}".encode(),
    }
    members[f"{info}/RECORD"] = _record(members, f"{info}/RECORD")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            member = zipfile.ZipInfo(name, (2020, 2, 2, 0, 0, 0))
            member.create_system = 3
            member.external_attr = 0o100755 << 16
            archive.writestr(member, content)
    return path


def _record(members: Mapping[str, bytes], own_name: str) -> bytes:
    lines = [
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()},{len(data)}"
        for name, data in members.items()
    ]
    return "\n".join([*lines, f"{own_name},,", ""]).encode()


def contents_of(directory: Path, platform: str, files: Mapping[str, bytes]) -> WheelContents:
    scratch = directory / "scratch"
    scratch.mkdir(exist_ok=True)
    return read_wheel(wheel_file(directory, platform, files), scratch=scratch)


def found(
    contents: WheelContents, checks: Iterable[Check[WheelContents]] = CHECKS
) -> list[tuple[str, str, str]]:
    """Return the check, place and evidence of every finding."""
    return [
        (finding.check, finding.place, finding.evidence)
        for check in checks
        for finding in check.findings(contents)
    ]
