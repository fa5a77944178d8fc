import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path, PurePosixPath

import pytest

from factory.cli.trust import remarks
from factory.core.digests import Sha256
from factory.core.errors import UsageError
from factory.core.progress import SilentProgress
from factory.core.tags import CodexTag
from factory.core.targets import Target
from factory.core.trust_level import Level
from factory.executables.signatures.policy import TrustPolicy
from factory.executables.signatures.requirement import Requirement
from factory.verify.authorship import TrustContext, TrustReport, assess_files
from factory.verify.baseline.executables import KnownExecutables, PackageExecutables
from factory.verify.checks.closed_world import BUNDLED, Reference
from factory.verify.output.report import RunStatus
from tests.authority import SIGNED_AT, TRUST
from tests.images import Elf, Pe
from tests.images.authenticode import SOMEBODY, Authenticode, signed
from tests.wheels import PACKAGE, good_wheel
from tests.zoo.package import of_another_project


def assessed(scratch: Path, *paths: Path, required: str = "", known: Reference = BUNDLED) -> TrustReport:
    own = scratch / "scratch"
    own.mkdir()
    policy = TrustPolicy(
        microsoft_roots=TRUST.microsoft_roots, now=TRUST.now, required=Requirement.parse(required)
    )
    context = TrustContext(
        policy=policy, progress=SilentProgress(), scratch=own, jobs=1, stop=threading.Event(), known=known
    )
    report = assess_files(paths, context)
    assert list(own.iterdir()) == []
    return report


def test_every_executable_of_a_wheel_is_assessed(tmp_path: Path) -> None:
    report = assessed(tmp_path, good_wheel("win_amd64").write(tmp_path))
    (file,) = report.files
    assert [(assessment.place, assessment.level) for assessment in file.assessments] == [
        (f"{PACKAGE}/bin/codex.exe", Level.AUTHORSHIP_VERIFIED),
        (f"{PACKAGE}/codex-path/rg.exe", Level.AUTHORSHIP_VERIFIED),
    ]
    assert report.status is RunStatus.PASSED
    assert report.counts[Level.AUTHORSHIP_VERIFIED] == 2


@pytest.mark.parametrize(
    ("platform", "required", "status"),
    [
        ("win_amd64", "windows", RunStatus.PASSED),
        ("manylinux_2_17_x86_64", "windows", RunStatus.PASSED),
        ("manylinux_2_17_x86_64", "", RunStatus.PASSED),
        ("manylinux_2_17_x86_64", "linux", RunStatus.REJECTED),
        ("manylinux_2_17_x86_64", "manylinux_2_17_x86_64", RunStatus.REJECTED),
    ],
)
def test_required_authorship_decides_the_status(
    platform: str, required: str, status: RunStatus, tmp_path: Path
) -> None:
    assert assessed(tmp_path, good_wheel(platform).write(tmp_path), required=required).status is status


@pytest.mark.parametrize(
    ("content", "required", "status"),
    [
        (signed(Pe()), "windows", RunStatus.PASSED),
        (signed(Pe(), Authenticode(by=SOMEBODY)), "", RunStatus.REJECTED),
        (signed(Pe(), Authenticode(at=None)), "", RunStatus.REJECTED),
        (Pe().content(), "", RunStatus.PASSED),
        (Pe().content(), "windows", RunStatus.REJECTED),
        (Elf().content(), "all", RunStatus.REJECTED),
    ],
    ids=["signed", "somebody", "no time", "unsigned", "unsigned and required", "elf and required"],
)
def test_a_single_executable(content: bytes, required: str, status: RunStatus, tmp_path: Path) -> None:
    path = tmp_path / "program"
    path.write_bytes(content)
    assert assessed(tmp_path, path, required=required).status is status


def test_a_wheel_that_cannot_be_read_is_inconclusive(tmp_path: Path) -> None:
    path = tmp_path / "some.whl"
    path.write_bytes(b"no zip")
    report = assessed(tmp_path, path, tmp_path / "absent.whl")
    assert report.status is RunStatus.INCONCLUSIVE
    assert [file.not_looked_at is not None for file in report.files] == [True, True]


def test_a_member_that_cannot_be_read_is_inconclusive(tmp_path: Path) -> None:
    name = f"{PACKAGE}/bin/codex.exe"
    wheel = good_wheel("win_amd64").edited(name, lambda member: replace(member, flags=member.flags | 1))
    path = wheel.write(tmp_path)
    report = assessed(tmp_path, path)
    assert report.status is RunStatus.INCONCLUSIVE
    assert "codex.exe" in (report.files[0].not_looked_at or "")


def test_control_characters_in_names_are_escaped(tmp_path: Path) -> None:
    name = f"{PACKAGE}/bin/codex.exe"
    wheel = good_wheel("win_amd64").edited(
        name, lambda member: replace(member, name=name.encode() + b"\x1b[2J")
    )
    (file,) = assessed(tmp_path, wheel.write(tmp_path)).files
    assert file.assessments[0].place == f"{PACKAGE}/bin/codex.exe\\x1b[2J"


def test_a_directory_names_the_executables_in_it(tmp_path: Path) -> None:
    below = tmp_path / "package" / "bin"
    below.mkdir(parents=True)
    (below / "codex.exe").write_bytes(signed(Pe()))
    (below / "read.me").write_text("text")
    report = assessed(tmp_path, tmp_path / "package")
    assert [file.name for file in report.files] == ["codex.exe"]


def test_a_file_that_is_not_an_executable_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "read.me").write_text("text")
    with pytest.raises(UsageError, match="is not a wheel or an executable, and contains neither"):
        assessed(tmp_path, tmp_path / "read.me")


def test_a_missing_file_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read"):
        assessed(tmp_path, tmp_path / "absent.exe")


def test_an_executable_of_an_older_release_is_an_error(tmp_path: Path) -> None:
    wheel = good_wheel("win_amd64")
    place = f"{PACKAGE}/bin/codex.exe"
    tag, target = CodexTag.parse("0.163.0"), Target.WINDOWS_X86_64
    older = PackageExecutables(
        release=CodexTag.parse("0.162.1"),
        target=target,
        digests={PurePosixPath("bin/codex.exe"): Sha256.of([wheel.member(place).content])},
    )
    current = PackageExecutables(
        release=tag, target=target, digests={PurePosixPath("bin/codex.exe"): Sha256.of([b"another"])}
    )
    known = Reference(executables=lambda: KnownExecutables([older, current]))
    report = assessed(tmp_path, wheel.write(tmp_path), known=known)
    (file,) = report.files
    assert [(review.name, review.evidence) for review in file.misplaced] == [
        (name, "it is codex.exe of 0.162.1 for x86_64-pc-windows-msvc")
        for name in (place, f"{PACKAGE}/codex-path/rg.exe")  # the good wheel's rg has the same bytes
    ]
    assert next(remarks(file)) == (
        f"{place}: It is a file of another release: the wheel is not what its version says."
        " it is codex.exe of 0.162.1 for x86_64-pc-windows-msvc"
    )
    assert report.status is RunStatus.REJECTED


def test_another_project_s_wheel_may_have_another_signer(tmp_path: Path) -> None:
    ours = good_wheel("win_amd64").edited(
        f"{PACKAGE}/bin/codex.exe",
        lambda member: replace(member, content=signed(Pe(), Authenticode(by=SOMEBODY))),
    )
    assert assessed(tmp_path, ours.write(tmp_path)).status is RunStatus.REJECTED
    (tmp_path / "scratch").rmdir()
    report = assessed(tmp_path, of_another_project(ours).write(tmp_path))
    assert report.status is RunStatus.PASSED


@pytest.mark.parametrize(("hours", "apart"), [(24, []), (25, [f"{PACKAGE}/bin/codex.exe"])])
def test_executables_signed_over_a_day_apart_are_pointed_out(
    hours: int, apart: list[str], tmp_path: Path
) -> None:
    rg = f"{PACKAGE}/codex-path/rg.exe"
    later = signed(Pe(), Authenticode(at=SIGNED_AT + timedelta(hours=hours)))
    wheel = good_wheel("win_amd64").edited(rg, lambda member: replace(member, content=later))
    report = assessed(tmp_path, wheel.write(tmp_path))
    (file,) = report.files
    assert [place for place, _ in file.apart] == apart
    assert report.status is RunStatus.PASSED
    assert list(remarks(file)) == [
        f"{place}: over a day older than another executable: signed at {SIGNED_AT:%Y-%m-%d %H:%M},"
        f" but {rg} at {SIGNED_AT + timedelta(hours=hours):%Y-%m-%d %H:%M}"
        for place in apart
    ]
