"""The work of verify is linear in the members: counted in calls of functions, so that no clock decides."""

import ast
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import FrameType
from unittest.mock import patch

import pytest

from tests.growing_wheels import SHAPES, Shape, grown
from tests.wheels import INFO, Wheel, good_wheel
from tests.zip_writer import ZipMember
from tests.zoo.judge import findings_of

MEMBERS = 60
LINES = 120


@pytest.fixture(autouse=True, scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Import and read once what is then kept."""
    findings_of(good_wheel(), tmp_path_factory.mktemp("warm"))


def calls(wheel: Wheel, directory: Path) -> int:
    count = 0

    def note(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    directory.mkdir()
    before = sys.getprofile()
    sys.setprofile(note)
    try:
        findings_of(wheel, directory)
    finally:
        sys.setprofile(before)
    return count


TEXTS = {
    "classifiers": ("METADATA", "Classifier: Private :: {}"),
    "dependencies": ("METADATA", "Requires-Dist: x{}>=1"),
    "tags": ("WHEEL", "Tag: py3-none-x{}"),
    "unknown fields of WHEEL": ("WHEEL", "X{}: x"),
}


@pytest.mark.parametrize(("name", "line"), TEXTS.values(), ids=list(TEXTS))
def test_twice_the_lines_are_twice_the_work(name: str, line: str, tmp_path: Path) -> None:
    def with_lines(number: int) -> Wheel:
        added = "".join(f"{line.format(one)}\n" for one in range(number))
        edit = partial(_with_lines, added=added)
        return good_wheel().edited(f"{INFO}/{name}", edit)

    none, some, twice = (
        calls(with_lines(number), tmp_path / str(number)) for number in (0, LINES, 2 * LINES)
    )
    assert some > none
    assert twice - none < 2.2 * (some - none)


def _with_lines(member: ZipMember, added: str) -> ZipMember:
    """Add lines to the head of a text."""
    first, _, rest = member.content.partition(b"\n")
    return replace(member, content=first + b"\n" + added.encode() + rest)


def test_more_different_fields_than_a_format_has_are_not_judged(tmp_path: Path) -> None:
    fields = "".join(f"X{one}: x\n" for one in range(5000))
    wheel = good_wheel().edited_text(f"{INFO}/METADATA", "Requires-Python", f"{fields}Requires-Python")
    found = [one for one in findings_of(wheel, tmp_path) if one.check.startswith("metadata-")]
    assert [(one.check, one.evidence) for one in found] == [
        ("metadata-valid", "not judged: it has 5008 different fields")
    ]


@pytest.mark.parametrize(
    ("old", "new", "check", "evidence"),
    [
        (
            "text/markdown",
            "text/" + '"' * 20_000,
            "metadata-valid",
            "not judged: Description-Content-Type has 20005",
        ),
        (
            "Version: 0.163.0",
            "Version: " + "1" * 5000,
            "metadata-valid",
            "not judged: a field is nested too deeply",
        ),
        (
            "Requires-Python",
            "Requires-Dist: x; " + "(" * 4000 + 'python_version>"3"' + ")" * 4000 + "\nRequires-Python",
            "metadata-valid",
            "not judged: a field is nested too deeply",
        ),
        (
            ">=3.10",
            "===" + "3" * 5000,
            "metadata-python",
            "not judged: Requires-Python has too large a number",
        ),
    ],
    ids=["a long value", "a version of many digits", "a nested marker", "a Python of many digits"],
)
def test_a_value_that_packaging_cannot_take_is_not_judged(
    old: str, new: str, check: str, evidence: str, tmp_path: Path
) -> None:
    found = findings_of(good_wheel().edited_text(f"{INFO}/METADATA", old, new), tmp_path)
    assert "check-crashed" not in {one.check for one in found}
    assert [one.evidence for one in found if one.check == check and one.evidence.startswith(evidence)] != []


def test_a_long_licence_text_in_a_field_is_judged(tmp_path: Path) -> None:
    text = "License: " + "word " * 3000 + "\nRequires-Python"
    found = findings_of(good_wheel().edited_text(f"{INFO}/METADATA", "Requires-Python", text), tmp_path)
    assert "metadata-valid" not in {one.check for one in found}


def test_a_module_with_many_entry_points_is_parsed_once(tmp_path: Path) -> None:
    points = "".join(f"e{one} = codex_cli_bin:PACKAGE_NAME\n" for one in range(500))
    with patch("ast.parse", wraps=ast.parse) as parse:
        findings_of(good_wheel().with_info("entry_points.txt", f"[x]\n{points}"), tmp_path)
    assert parse.call_count < 20


def test_a_set_of_millions_of_tags_is_not_expanded(tmp_path: Path) -> None:
    many = ".".join(f"a{one}" for one in range(3000))
    wheel = good_wheel().edited_text(f"{INFO}/WHEEL", "Tag:", f"Tag: {many}-{many}-x\nTag:")
    evidence = [one.evidence for one in findings_of(wheel, tmp_path) if one.check == "wheel-tags"]
    assert len(evidence) == 1
    assert evidence[0].endswith("which is not a tag, or a set of more than 4096")


@pytest.mark.parametrize("shape", SHAPES.values(), ids=list(SHAPES))
def test_twice_the_members_are_twice_the_work(shape: Shape, tmp_path: Path) -> None:
    none, some, twice = (
        calls(grown(shape, number), tmp_path / str(number)) for number in (0, MEMBERS, 2 * MEMBERS)
    )
    assert some > none
    assert twice - none < 2.2 * (some - none)
