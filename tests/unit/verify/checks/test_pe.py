import contextlib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factory.executables.image_bytes import MalformedImage
from factory.executables.pe import Mitigation, PeFacts, read_pe
from tests.images import Pe, PeMachine, PeSubsystem
from tests.unit.verify.checks.image_wheels import CODEX_EXE, GOOD, GOOD_PE, RG_EXE, contents_of, found

ABSENT = "neither part of Windows nor beside it in the wheel"


def written(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "image"
    path.write_bytes(content)
    return path


def test_facts_of_a_signed_program(tmp_path: Path) -> None:
    image = Pe(imports=("KERNEL32.dll", "ws2_32.dll"), delay_imports=("dbghelp.dll",), security=b"signature")
    assert read_pe(written(tmp_path, image.content())) == PeFacts(
        machine=0x8664,
        is_64_bit=True,
        has_arm64ec=False,
        is_dll=False,
        subsystem=3,
        imports=("KERNEL32.dll", "ws2_32.dll"),
        delay_imports=("dbghelp.dll",),
        mitigations=Mitigation.HIGH_ENTROPY_VA | Mitigation.DYNAMIC_BASE | Mitigation.NX_COMPAT,
        is_signed=True,
    )


def test_facts_of_a_library_without_imports_and_mitigations(tmp_path: Path) -> None:
    image = Pe(machine=PeMachine.ARM64, imports=(), is_dll=True, dll_characteristics=0, subsystem=2)
    assert read_pe(written(tmp_path, image.content())) == PeFacts(
        machine=0xAA64,
        is_64_bit=True,
        has_arm64ec=False,
        is_dll=True,
        subsystem=2,
        imports=(),
        delay_imports=(),
        mitigations=Mitigation(0),
        is_signed=False,
    )


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_damaged_files_are_read_or_reported_as_malformed(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = bytearray(replace(GOOD_PE, delay_imports=("dbghelp.dll",)).content())
    for _ in range(data.draw(st.integers(0, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = written(tmp_path_factory.getbasetemp(), bytes(content[: data.draw(st.integers(0, len(content)))]))
    with contextlib.suppress(MalformedImage):
        read_pe(path)


def test_an_endless_list_of_dlls_is_malformed(tmp_path: Path) -> None:
    content = bytearray(replace(GOOD_PE, size_bytes=1 << 18).content())
    content[0x400 : 0x400 + (1 << 17)] = content[0x400 : 0x400 + 20] * 6553 + bytes(12)
    with pytest.raises(MalformedImage) as caught:
        read_pe(written(tmp_path, bytes(content)))
    assert caught.value.reason


@pytest.mark.parametrize("platform", ["win_amd64", "win_arm64"])
def test_good_wheels_have_no_findings(tmp_path: Path, platform: str) -> None:
    assert found(contents_of(tmp_path, platform, GOOD[platform])) == []


def test_dll_names_beside_the_program_ignore_case(tmp_path: Path) -> None:
    program = replace(GOOD_PE, imports=("VCRUNTIME140.dll", "Own.dll"))
    files = {
        CODEX_EXE: program.content(),
        "codex_cli_bin/bin/vcruntime140.dll": replace(GOOD_PE, is_dll=True).content(),
        "codex_cli_bin/bin/own.DLL": replace(GOOD_PE, is_dll=True, subsystem=2).content(),
    }
    assert found(contents_of(tmp_path, "win_amd64", files)) == []


BROKEN = {
    "wrong machine": (
        RG_EXE,
        replace(GOOD_PE, machine=PeMachine.ARM64),
        ("pe-machine", RG_EXE, "the format is PE32+ for ARM64, not PE32+ for x86-64"),
    ),
    "unknown DLL": (
        RG_EXE,
        replace(GOOD_PE, imports=("KERNEL32.dll", "libssl-3-x64.dll")),
        ("pe-dll", RG_EXE, f"needs libssl-3-x64.dll: {ABSENT}"),
    ),
    "unknown DLL on use": (
        RG_EXE,
        replace(GOOD_PE, delay_imports=("cudart64.dll",)),
        ("pe-delayed-dll", RG_EXE, f"loads cudart64.dll on first use: {ABSENT}"),
    ),
    "Visual C++ runtime": (
        RG_EXE,
        replace(GOOD_PE, imports=("VCRUNTIME140.dll", "KERNEL32.dll")),
        ("pe-visual-cpp", RG_EXE, f"needs VCRUNTIME140.dll: {ABSENT}"),
    ),
    "a driver": (
        RG_EXE,
        replace(GOOD_PE, subsystem=PeSubsystem.NATIVE),
        ("pe-subsystem", RG_EXE, "subsystem is 1; programs have 2 (GUI) or 3 (console)"),
    ),
    "codex without a console": (
        CODEX_EXE,
        replace(GOOD_PE, subsystem=PeSubsystem.WINDOWS_GUI),
        ("pe-subsystem", CODEX_EXE, "subsystem is 2 (GUI), which has no console to print to"),
    ),
    "fixed address": (
        RG_EXE,
        replace(GOOD_PE, dll_characteristics=0x0100),
        ("pe-aslr", RG_EXE, "DllCharacteristics lacks HIGH_ENTROPY_VA, DYNAMIC_BASE"),
    ),
    "low entropy": (
        RG_EXE,
        replace(GOOD_PE, dll_characteristics=0x0140),
        ("pe-aslr", RG_EXE, "DllCharacteristics lacks HIGH_ENTROPY_VA"),
    ),
    "executable data": (
        RG_EXE,
        replace(GOOD_PE, dll_characteristics=0x0060),
        ("pe-nx", RG_EXE, "DllCharacteristics lacks NX_COMPAT"),
    ),
    "unsigned codex": (
        CODEX_EXE,
        replace(GOOD_PE, security=None),
        ("pe-signature", CODEX_EXE, "it has no Authenticode signature"),
    ),
    "unsigned rg": (
        RG_EXE,
        replace(GOOD_PE, security=None),
        ("pe-signature-bundled", RG_EXE, "it has no Authenticode signature"),
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_each_breakage_has_only_its_own_finding(tmp_path: Path, name: str) -> None:
    place, image, expected = BROKEN[name]
    files = {CODEX_EXE: GOOD_PE.content(), place: image.content()}
    assert found(contents_of(tmp_path, "win_amd64", files)) == [expected]


def test_a_gui_helper_program_is_allowed(tmp_path: Path) -> None:
    runner = "codex_cli_bin/codex-resources/codex-command-runner.exe"
    files = {
        CODEX_EXE: GOOD_PE.content(),
        runner: replace(GOOD_PE, subsystem=PeSubsystem.WINDOWS_GUI).content(),
    }
    assert found(contents_of(tmp_path, "win_amd64", files)) == []


def test_a_dll_elsewhere_in_the_wheel_does_not_help_a_program(tmp_path: Path) -> None:
    files = {
        RG_EXE: replace(GOOD_PE, imports=("VCRUNTIME140.dll",)).content(),
        "codex_cli_bin/codex-resources/voice/bin/vcruntime140.dll": replace(GOOD_PE, is_dll=True).content(),
    }
    assert found(contents_of(tmp_path, "win_amd64", files)) == [
        ("pe-visual-cpp", RG_EXE, f"needs VCRUNTIME140.dll: {ABSENT}")
    ]


def extension(tmp_path: Path, name: str, dll: str) -> list[tuple[str, str, str]]:
    image = replace(GOOD_PE, is_dll=True, imports=("KERNEL32.dll", dll))
    return found(contents_of(tmp_path, "win_amd64", {CODEX_EXE: GOOD_PE.content(), name: image.content()}))


@pytest.mark.parametrize("dll", ["python3.dll", "python313.dll", "PYTHON314t.dll", "VCRUNTIME140.dll"])
def test_python_has_some_dlls_of_an_extension_module(tmp_path: Path, dll: str) -> None:
    assert extension(tmp_path, "codex_cli_bin/_rust.pyd", dll) == []


@pytest.mark.parametrize("dll", ["python2.dll", "pythoncom313.dll", "own.dll"])
def test_python_does_not_have_the_other_dlls(tmp_path: Path, dll: str) -> None:
    place = "codex_cli_bin/_rust.pyd"
    assert extension(tmp_path, place, dll) == [("pe-dll", place, f"needs {dll}: {ABSENT}")]


def test_a_library_that_python_does_not_load_needs_them(tmp_path: Path) -> None:
    place = "codex_cli_bin/own.dll"
    assert extension(tmp_path, place, "python313.dll") == [
        ("pe-dll", place, f"needs python313.dll: {ABSENT}")
    ]
