"""The Visual C++ runtime: which program of which wheel must start without it."""

from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from factory.core.digests import Sha256
from factory.core.model import Severity
from factory.core.tags import CodexTag
from factory.core.targets import Target
from factory.verify.baseline.executables import KnownExecutables, PackageExecutables
from factory.verify.checks.closed_world import Reference
from factory.verify.checks.visual_cpp import visual_cpp_checks
from factory.verify.reading.read import read_wheel
from tests.images import Pe
from tests.unit.verify.checks.image_wheels import CODEX_EXE, GOOD_PE, RG_EXE, wheel_file

NEEDING = replace(GOOD_PE, imports=("KERNEL32.dll", "VCRUNTIME140.dll"))
ABSENT = "needs VCRUNTIME140.dll: neither part of Windows nor beside it in the wheel"


def known(release: str) -> Reference:
    package = PackageExecutables(
        release=CodexTag.parse(release),
        target=Target("x86_64-pc-windows-msvc"),
        digests={PurePosixPath("bin/codex.exe"): Sha256.of([NEEDING.content()])},
    )
    return Reference(executables=lambda: KnownExecutables([package]))


def found(path: Path, tmp_path: Path, reference: Reference) -> list[tuple[str, str, str]]:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    contents = read_wheel(path, scratch=scratch)
    findings = [finding for check in visual_cpp_checks(reference) for finding in check.findings(contents)]
    severities = {"pe-visual-cpp": Severity.WARNING, "pe-visual-cpp-own": Severity.ERROR}
    assert all(finding.severity is severities[finding.check] for finding in findings)
    return [(finding.check, finding.place, finding.evidence) for finding in findings]


def wheel(tmp_path: Path, codex: Pe = NEEDING, *, version: str = "0.163.0") -> Path:
    path = wheel_file(tmp_path, "win_amd64", {CODEX_EXE: codex.content(), RG_EXE: GOOD_PE.content()})
    return path.rename(tmp_path / path.name.replace("0.163.0", version))


def test_a_codex_that_no_release_has_must_start_without_it(tmp_path: Path) -> None:
    assert found(wheel(tmp_path), tmp_path, known("0.162.0")) == [("pe-visual-cpp-own", CODEX_EXE, ABSENT)]


def test_the_program_of_another_release_is_not_excepted(tmp_path: Path) -> None:
    path = wheel(tmp_path, version="0.164.0")
    assert found(path, tmp_path, known("0.163.0")) == [("pe-visual-cpp-own", CODEX_EXE, ABSENT)]


@pytest.mark.parametrize("release", ["0.131.0", "0.132.0", "0.163.0"])
def test_the_program_of_a_release_with_published_wheels_is_a_warning(tmp_path: Path, release: str) -> None:
    path = wheel(tmp_path, version=release)
    assert found(path, tmp_path, known(release)) == [("pe-visual-cpp", CODEX_EXE, ABSENT)]


@pytest.mark.parametrize("release", ["0.128.0", "0.130.0", "0.131.0a4"])
def test_the_program_of_a_release_without_published_wheels_is_an_error(tmp_path: Path, release: str) -> None:
    path = wheel(tmp_path, version=release)
    assert found(path, tmp_path, known(release)) == [("pe-visual-cpp-own", CODEX_EXE, ABSENT)]


def test_loading_it_on_first_use_is_a_warning(tmp_path: Path) -> None:
    codex = replace(GOOD_PE, delay_imports=("MSVCP140.dll",))
    assert found(wheel(tmp_path, codex), tmp_path, known("0.162.0")) == [
        ("pe-visual-cpp", CODEX_EXE, ABSENT.replace("VCRUNTIME140", "MSVCP140"))
    ]


def test_another_program_is_a_warning(tmp_path: Path) -> None:
    path = wheel_file(tmp_path, "win_amd64", {CODEX_EXE: GOOD_PE.content(), RG_EXE: NEEDING.content()})
    assert found(path, tmp_path, known("0.162.0")) == [("pe-visual-cpp", RG_EXE, ABSENT)]
