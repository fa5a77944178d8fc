from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from factory.core.targets import PLATFORMS
from factory.verify.checks.across import CHECKS, Release
from factory.verify.reading.read import read_wheel
from tests.images import Elf
from tests.wheels import INFO, PACKAGE, Wheel, good_wheel

RG = f"{PACKAGE}/codex-path/rg"
INIT = f"{PACKAGE}/__init__.py"


def good_wheels() -> list[Wheel]:
    return [good_wheel(platform.tag) for platform in PLATFORMS]


def checks_of(wheels: Sequence[Wheel], directory: Path, *files: str) -> set[str]:
    release = Release(
        name="0.163.0",
        wheels=tuple(read_wheel(wheel.write(directory), scratch=directory) for wheel in wheels),
        files=files,
    )
    return {finding.check for check in CHECKS for finding in check.findings(release)}


def test_a_good_release_has_no_finding(tmp_path: Path) -> None:
    assert checks_of(good_wheels(), tmp_path) == set()


def test_a_missing_platform_is_found(tmp_path: Path) -> None:
    assert checks_of(good_wheels()[1:], tmp_path) == {"release-platforms"}


def test_two_wheels_for_one_platform_are_found(tmp_path: Path) -> None:
    wheels = good_wheels()
    again = replace(wheels[0], name=wheels[0].name.replace("0.163.0-", "0.163.0-1-"))
    assert checks_of([*wheels, again], tmp_path) == {"release-platform-once"}


def test_another_version_is_found(tmp_path: Path) -> None:
    first, *others = good_wheels()
    renamed = replace(first, name=first.name.replace("0.163.0", "0.162.0"))
    assert checks_of([renamed, *others], tmp_path) == {"release-version"}


def test_other_requirements_are_found(tmp_path: Path) -> None:
    first, *others = good_wheels()
    changed = first.edited_text(f"{INFO}/METADATA", ">=3.10", ">=3.11")
    assert checks_of([changed, *others], tmp_path) == {"release-requirements", "release-metadata"}


def test_another_metadata_version_alone_is_not_another_requirement(tmp_path: Path) -> None:
    """A newer hatchling made 0.147.0's musllinux wheels: Metadata-Version 2.5 beside 2.4."""
    first, *others = good_wheels()
    changed = first.edited_text(f"{INFO}/METADATA", "Metadata-Version: 2.4", "Metadata-Version: 2.5")
    assert checks_of([changed, *others], tmp_path) == {"release-metadata"}


def test_another_template_is_found(tmp_path: Path) -> None:
    first, *others = good_wheels()
    changed = first.edited_text(INIT, "def bundled_path_dir", "def tools")
    assert checks_of([changed, *others], tmp_path) == {"release-template"}


def test_line_ends_do_not_make_another_template(tmp_path: Path) -> None:
    first, *others = good_wheels()
    assert checks_of([first.edited_text(INIT, "\n", "\r\n"), *others], tmp_path) == set()


def test_another_generator_is_found(tmp_path: Path) -> None:
    first, *others = good_wheels()
    changed = first.edited_text(f"{INFO}/WHEEL", "1.33.0", "1.32.4")
    assert checks_of([changed, *others], tmp_path) == {"release-generator"}


def test_an_sdist_is_found(tmp_path: Path) -> None:
    found = checks_of(good_wheels(), tmp_path, "openai_codex_cli_bin-0.163.0.tar.gz", "SHA256SUMS")
    assert found == {"release-no-sdist"}


def test_a_companion_program_missing_from_one_wheel_is_found(tmp_path: Path) -> None:
    first, *others = good_wheels()
    assert checks_of([first.without(RG), *others], tmp_path) == {"release-companions"}


def test_different_executables_for_one_target_are_found(tmp_path: Path) -> None:
    first, *others = good_wheels()
    other = Elf(seed="other", size_bytes=9000).content()
    changed = first.edited(RG, lambda member: replace(member, content=other))
    assert checks_of([changed, *others], tmp_path) == {"release-executables"}
