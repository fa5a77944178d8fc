from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from factory.core.model import Finding
from factory.executables.signatures.requirement import Requirement
from factory.verify.inspection import inspect
from tests.authority import SIGNED_AT, TRUST
from tests.images import Pe
from tests.images.authenticode import LEAKED, SOMEBODY, Authenticode, signed
from tests.wheels import PACKAGE, Wheel, own_wheel


def found(wheel: Wheel, directory: Path, *, required: str) -> list[tuple[str, str]]:
    scratch = directory / "scratch"
    scratch.mkdir()
    trust = replace(TRUST, required=Requirement.parse(required))
    findings: tuple[Finding, ...] = inspect(wheel.write(directory), scratch=scratch, trust=trust).findings
    return [(finding.check, finding.place) for finding in findings]


@pytest.mark.parametrize("platform", ["win_amd64", "win_arm64"])
def test_a_wheel_with_verified_authors_passes_required_authorship(platform: str, tmp_path: Path) -> None:
    assert found(own_wheel(platform), tmp_path, required="windows") == []


def test_a_companion_known_as_unsigned_passes_required_authorship(tmp_path: Path) -> None:
    wheel = own_wheel("win_amd64").edited(
        f"{PACKAGE}/codex-path/rg.exe", lambda member: replace(member, content=Pe().content())
    )
    assert found(wheel, tmp_path, required="all") == [
        ("pe-signature-bundled", f"{PACKAGE}/codex-path/rg.exe")
    ]


def test_unverified_authors_fail_required_authorship(tmp_path: Path) -> None:
    assert found(own_wheel(), tmp_path, required="linux") == [
        ("authorship-required", f"{PACKAGE}/bin/codex"),
        ("authorship-required", f"{PACKAGE}/codex-path/rg"),
        ("authorship-required", f"{PACKAGE}/codex-resources/bwrap"),
    ]


def test_authorship_is_not_required_on_other_platforms(tmp_path: Path) -> None:
    assert found(own_wheel(), tmp_path, required="windows,macos") == []


def with_rg(content: bytes) -> Wheel:
    return own_wheel("win_amd64").edited(
        f"{PACKAGE}/codex-path/rg.exe", lambda member: replace(member, content=content)
    )


@pytest.mark.parametrize(("hours", "ids"), [(24, []), (25, ["signing-times-apart"])])
def test_signing_times_may_be_a_day_apart(hours: int, ids: list[str], tmp_path: Path) -> None:
    wheel = with_rg(signed(Pe(), Authenticode(at=SIGNED_AT + timedelta(hours=hours))))
    assert [check for check, _ in found(wheel, tmp_path, required="")] == ids


def test_the_older_executable_is_named(tmp_path: Path) -> None:
    later = Authenticode(at=SIGNED_AT + timedelta(hours=30))
    wheel = with_rg(signed(Pe(), later))
    ((_, place),) = found(wheel, tmp_path, required="windows")
    assert place != f"{PACKAGE}/codex-path/rg.exe"


def test_signing_times_of_different_signers_are_not_compared(tmp_path: Path) -> None:
    wheel = with_rg(signed(Pe(), Authenticode(by=SOMEBODY, at=SIGNED_AT + timedelta(hours=30))))
    assert [check for check, _ in found(wheel, tmp_path, required="")] == ["signer-unexpected"]


def test_a_revoked_certificate_fails_required_authorship(tmp_path: Path) -> None:
    wheel = with_rg(signed(Pe(), Authenticode(by=LEAKED)))
    place = f"{PACKAGE}/codex-path/rg.exe"
    assert found(wheel, tmp_path, required="windows") == [
        ("signer-revoked", place),
        ("authorship-required", place),
    ]
