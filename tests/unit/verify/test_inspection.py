from dataclasses import replace
from pathlib import Path

import pytest

from factory.core.digests import Sha256
from factory.core.errors import VerificationError
from factory.core.model import Local, Severity
from factory.core.tags import CodexTag
from factory.core.targets import Platform
from factory.verify.checks.registry import CHECKS
from factory.verify.inspection import WheelRejected, inspect, verify
from factory.verify.reading.contents import ExpectedWheel
from factory.verify.waivers import Waiver
from tests.images import Elf
from tests.index_of_executables import REAL_INDEX, index_at
from tests.wheels import INFO, PACKAGE, Wheel, built_wheel, own_wheel, payload_members
from tests.zip_writer import ZipMember

PLATFORM = Platform.parse("manylinux_2_17_x86_64")
RG = f"{PACKAGE}/codex-path/rg"
EXPECTED = ExpectedWheel(
    tag=CodexTag.parse("0.163.0"),
    platform=PLATFORM,
    payload={member.name.decode(): Sha256.of([member.content]) for member in payload_members(PLATFORM)},
)


def checks_of(wheel: Wheel, directory: Path, expected: ExpectedWheel = EXPECTED) -> set[str]:
    inspection = inspect(wheel.write(directory), scratch=directory, expected=expected)
    return {finding.check for finding in inspection.findings}


def test_a_own_wheel_is_verified(tmp_path: Path) -> None:
    wheel = built_wheel(own_wheel(), tmp_path)
    verified = verify(wheel, scratch=tmp_path)
    assert verified.wheel == wheel
    assert verified.findings == ()
    assert verified.checks == tuple(check.id for check in CHECKS)


def test_notes_and_warnings_do_not_reject(tmp_path: Path) -> None:
    changed = own_wheel().edited_text(f"{INFO}/METADATA", "Keywords: cli", "Keywords: command")
    verified = verify(built_wheel(changed, tmp_path), scratch=tmp_path)
    assert [(finding.check, finding.severity) for finding in verified.findings] == [
        ("closed-world-dist-info", Severity.WARNING)
    ]


def test_all_errors_are_reported_at_once(tmp_path: Path) -> None:
    broken = own_wheel().without(RG).edited_text(f"{PACKAGE}/__init__.py", "bundled_codex_path", "codex")
    with pytest.raises(WheelRejected) as caught:
        verify(built_wheel(broken, tmp_path), scratch=tmp_path)
    assert [finding.check for finding in caught.value.findings] == [
        "package-interface",
        "payload-missing",
        "closed-world-text",
    ]
    assert "is not verified, it has 3 errors:" in str(caught.value)
    assert isinstance(caught.value, VerificationError)


def test_a_waived_error_does_not_reject(tmp_path: Path) -> None:
    waivers = (
        Waiver(check="payload-missing", pattern=RG, reason="a test"),
        Waiver(check="package-json-tools", pattern="*", reason="a test"),
    )
    inspection = inspect(
        own_wheel().without(RG).write(tmp_path), scratch=tmp_path, expected=EXPECTED, waivers=waivers
    )
    assert inspection.findings == ()
    assert {waived.finding.check for waived in inspection.waived} == {"payload-missing", "package-json-tools"}
    verified = verify(built_wheel(own_wheel().without(RG), tmp_path), scratch=tmp_path, waivers=waivers)
    assert verified.waived == inspection.waived


def test_a_changed_payload_file_is_found(tmp_path: Path) -> None:
    other = Elf(seed="other", size_bytes=9000).content()
    wheel = own_wheel().edited(RG, lambda member: replace(member, content=other))
    assert checks_of(wheel, tmp_path) == {"payload-bytes"}


def test_a_missing_payload_file_is_found(tmp_path: Path) -> None:
    wheel = own_wheel().without(f"{PACKAGE}/codex-resources/bwrap")
    assert checks_of(wheel, tmp_path) == {"payload-missing"}


def test_an_executable_that_was_not_released_is_found(tmp_path: Path) -> None:
    name = f"{PACKAGE}/bin/codex-extra".encode()
    wheel = own_wheel().with_first(ZipMember(name=name, content=Elf().content(), mode=0o100755))
    assert checks_of(wheel, tmp_path) == {"payload-foreign"}


def test_another_release_is_found(tmp_path: Path) -> None:
    expected = replace(EXPECTED, tag=CodexTag.parse("0.164.0"))
    assert checks_of(own_wheel(), tmp_path, expected) == {"payload-tag"}


def test_another_platform_is_found(tmp_path: Path) -> None:
    expected = replace(EXPECTED, platform=Platform.parse("musllinux_1_1_x86_64"))
    assert checks_of(own_wheel(), tmp_path, expected) == {"payload-platform"}


def test_an_invalid_file_name_is_found(tmp_path: Path) -> None:
    wheel = replace(own_wheel(), name="codex.whl")
    inspection = inspect(wheel.write(tmp_path), scratch=tmp_path)
    assert [finding.check for finding in inspection.findings] == ["name-format"]


@pytest.mark.parametrize("is_local", [True, False], ids=["from a directory", "from a registry"])
def test_only_a_package_from_a_directory_may_be_a_build_of_the_user_s_own(
    *, is_local: bool, tmp_path: Path
) -> None:
    """The index that belongs to the factory lists 0.163.0, whose executables the wheel does not have."""
    wheel = built_wheel(own_wheel(), tmp_path)
    if is_local:
        local = replace(wheel.planned.asset, location=Local(path=tmp_path / "codex.tgz"))
        wheel = replace(wheel, planned=replace(wheel.planned, asset=local))
    with index_at(REAL_INDEX):
        if is_local:
            found = {finding.check for finding in verify(wheel, scratch=tmp_path).findings}
        else:
            with pytest.raises(WheelRejected) as caught:
                verify(wheel, scratch=tmp_path)
            found = {finding.check for finding in caught.value.findings}
    assert found == {"closed-world-own-build" if is_local else "closed-world-member"}
