"""Which entry points exist: by the source, as far as it was read."""

from pathlib import Path

import pytest

from factory.verify.checks.entry_points import CHECKS
from factory.verify.reading.read import read_wheel
from factory.verify.reading.unpack import UnpackLimits
from tests.wheels import PACKAGE, good_wheel
from tests.zip_writer import ZipMember

LIMITS = UnpackLimits()


def found(tmp_path: Path, reference: str, limits: UnpackLimits = LIMITS) -> list[str]:
    wheel = good_wheel().with_info("entry_points.txt", f"[tools]\nname = {reference}\n")
    for name, content in (
        ("data/numbers.txt", b"1"),
        ("_fast.abi3.so", b"1"),
        ("nested.py", b"if 1:\n    x = 1\n"),
    ):
        wheel = wheel.with_first(ZipMember(name=f"{PACKAGE}/{name}".encode(), content=content))
    contents = read_wheel(wheel.write(tmp_path), scratch=tmp_path, limits=limits)
    (check,) = CHECKS
    return [finding.evidence for finding in check.findings(contents)]


@pytest.mark.parametrize(
    "reference",
    [
        "codex_cli_bin:bundled_codex_path",
        "codex_cli_bin",
        "codex_cli_bin.data",
        "codex_cli_bin.nested:x.y [extra]",
        "codex_cli_bin._fast:main",
    ],
)
def test_an_entry_point_exists(tmp_path: Path, reference: str) -> None:
    assert found(tmp_path, reference) == []


@pytest.mark.parametrize(
    "reference",
    [
        "codex_cli_bin:main",
        "codex_cli_bin.other",
        "codex_cli_bin.data:x",
        "codex_cli_bin.nested:y",
        "os:getcwd",
    ],
)
def test_an_entry_point_does_not_exist(tmp_path: Path, reference: str) -> None:
    assert found(tmp_path, reference) == [f"tools: name names {reference}, which the wheel does not define"]


def test_source_that_was_not_read_is_not_judged(tmp_path: Path) -> None:
    (evidence,) = found(tmp_path, "codex_cli_bin:main", UnpackLimits(python_bytes=1))
    assert evidence == (
        "tools: name names codex_cli_bin:main, which is not judged: codex_cli_bin/__init__.py is damaged, "
        "not UTF-8, or above the limit python_bytes"
    )
