"""Files of ``.data`` that installers can spread; the zoo has those that they cannot."""

from pathlib import Path

import pytest

from tests.wheels import good_wheel
from tests.zip_writer import ZipMember
from tests.zoo.judge import findings_of
from tests.zoo.package import of_another_project

DATA = "tool-0.163.0.data"


def found(directory: Path, *names: str, entry_points: str = "") -> set[str]:
    wheel = good_wheel()
    if entry_points:
        wheel = wheel.with_info("entry_points.txt", entry_points)
    added = [ZipMember(name=name.encode(), content=f"{name}\n".encode()) for name in names]
    findings = findings_of(of_another_project(wheel.with_first(*added)), directory)
    return {finding.evidence for finding in findings if finding.check != "project-other"}


@pytest.mark.parametrize(
    "names",
    [
        ("purelib/other.py", "platlib/another.py"),
        ("headers/tool.h",),
        ("scripts/one", "data/bin/two", "data/share/one"),
        ("data/share/site-packages.txt",),
        ("purelib/one.dist-info.txt/x",),
    ],
)
def test_files_with_a_place_of_their_own_are_no_finding(names: tuple[str, ...], tmp_path: Path) -> None:
    assert found(tmp_path, *(f"{DATA}/{name}" for name in names)) == set()


def test_an_entry_point_beside_another_script_is_no_finding(tmp_path: Path) -> None:
    points = "[console_scripts]\ntool = tool:bundled_codex_path\n"
    assert found(tmp_path, f"{DATA}/scripts/other", entry_points=points) == set()


def test_the_script_of_an_entry_point_and_a_script_have_one_place_where_case_is_ignored(
    tmp_path: Path,
) -> None:
    points = "[gui_scripts]\nTool = tool:bundled_codex_path\n"
    assert found(tmp_path, f"{DATA}/scripts/tool", entry_points=points) == {
        "installed at the same place as the entry point Tool"
    }


def test_a_file_of_the_package_and_one_of_purelib_have_one_place(tmp_path: Path) -> None:
    assert found(tmp_path, f"{DATA}/purelib/TOOL/__init__.py") == {
        "installed at the same place as tool/__init__.py"
    }


def test_the_directory_must_have_the_name_of_dist_info(tmp_path: Path) -> None:
    assert found(tmp_path, "tool-0.163.data/purelib/other.py") == {f"expected {DATA}"}
