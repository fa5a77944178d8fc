import threading
from dataclasses import replace
from pathlib import Path

import pytest

from factory.core.errors import UsageError
from factory.core.progress import SilentProgress
from factory.core.trust_level import Level
from factory.executables.signatures.policy import TrustPolicy
from factory.executables.signatures.requirement import Requirement
from factory.verify.authorship import NothingExecutable, TrustContext, TrustReport, assess_files
from factory.verify.output.report import RunStatus
from tests.authority import TRUST
from tests.images import Elf, Pe
from tests.images.authenticode import SOMEBODY, Authenticode, signed
from tests.wheels import PACKAGE, good_wheel


def look(scratch: Path, *paths: Path, required: str = "") -> TrustReport:
    own = scratch / "scratch"
    own.mkdir()
    policy = TrustPolicy(
        microsoft_roots=TRUST.microsoft_roots, now=TRUST.now, required=Requirement.parse(required)
    )
    context = TrustContext(
        policy=policy, progress=SilentProgress(), scratch=own, jobs=1, stop=threading.Event()
    )
    done = assess_files(paths, context)
    assert list(own.iterdir()) == []
    return done


def test_a_wheel_has_a_standing_for_every_executable(tmp_path: Path) -> None:
    done = look(tmp_path, good_wheel("win_amd64").write(tmp_path))
    (file,) = done.files
    assert [(assessment.place, assessment.level) for assessment in file.assessments] == [
        (f"{PACKAGE}/bin/codex.exe", Level.AUTHORSHIP_VERIFIED),
        (f"{PACKAGE}/codex-path/rg.exe", Level.AUTHORSHIP_VERIFIED),
    ]
    assert done.status is RunStatus.PASSED
    assert done.counts[Level.AUTHORSHIP_VERIFIED] == 2


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
def test_required_authorship_is_a_gate(
    platform: str, required: str, status: RunStatus, tmp_path: Path
) -> None:
    assert look(tmp_path, good_wheel(platform).write(tmp_path), required=required).status is status


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
def test_a_lone_executable(content: bytes, required: str, status: RunStatus, tmp_path: Path) -> None:
    path = tmp_path / "program"
    path.write_bytes(content)
    assert look(tmp_path, path, required=required).status is status


def test_a_wheel_that_cannot_be_read_is_inconclusive(tmp_path: Path) -> None:
    path = tmp_path / "some.whl"
    path.write_bytes(b"no zip")
    done = look(tmp_path, path, tmp_path / "absent.whl")
    assert done.status is RunStatus.INCONCLUSIVE
    assert [file.not_looked_at is not None for file in done.files] == [True, True]


def test_a_member_that_cannot_be_read_is_inconclusive(tmp_path: Path) -> None:
    name = f"{PACKAGE}/bin/codex.exe"
    wheel = good_wheel("win_amd64").edited(name, lambda member: replace(member, flags=member.flags | 1))
    path = wheel.write(tmp_path)
    done = look(tmp_path, path)
    assert done.status is RunStatus.INCONCLUSIVE
    assert "codex.exe" in (done.files[0].not_looked_at or "")


def test_a_name_that_a_terminal_would_obey_is_escaped(tmp_path: Path) -> None:
    name = f"{PACKAGE}/bin/codex.exe"
    wheel = good_wheel("win_amd64").edited(
        name, lambda member: replace(member, name=name.encode() + b"\x1b[2J")
    )
    (file,) = look(tmp_path, wheel.write(tmp_path)).files
    assert file.assessments[0].place == f"{PACKAGE}/bin/codex.exe\\x1b[2J"


def test_a_directory_stands_for_the_executables_below_it(tmp_path: Path) -> None:
    below = tmp_path / "package" / "bin"
    below.mkdir(parents=True)
    (below / "codex.exe").write_bytes(signed(Pe()))
    (below / "read.me").write_text("text")
    done = look(tmp_path, tmp_path / "package")
    assert [file.name for file in done.files] == ["codex.exe"]


def test_what_has_no_executable_is_refused(tmp_path: Path) -> None:
    (tmp_path / "read.me").write_text("text")
    with pytest.raises(NothingExecutable, match="no wheel and no executable"):
        look(tmp_path, tmp_path / "read.me")


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read"):
        look(tmp_path, tmp_path / "absent.exe")
