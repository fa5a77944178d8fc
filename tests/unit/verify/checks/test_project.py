"""Which wheels are of this project, and which checks apply to the others."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from factory.core.tags import CodexTag
from factory.core.targets import Platform
from factory.verify.checks.project import is_of_this_project
from factory.verify.checks.registry import CHECKS, checks_for
from factory.verify.reading.contents import ExpectedWheel
from factory.verify.reading.read import read_wheel
from tests.wheels import INFO, Wheel, good_wheel
from tests.zip_writer import ZipMember
from tests.zoo.package import of_another_project, renamed


@pytest.mark.parametrize(
    "claim",
    [
        lambda wheel: replace(wheel, name=good_wheel().name),
        lambda wheel: replace(wheel, name="OpenAI.Codex_CLI_Bin-1-py3-none-any.whl"),
        lambda wheel: renamed(wheel, lambda name: name.replace(b"tool-0.163.0.dist-info", INFO.encode())),
        lambda wheel: wheel.edited_text(
            "tool-0.163.0.dist-info/METADATA", "Name: tool", "Name: OpenAI_codex.cli-bin"
        ),
        lambda wheel: wheel.edited_text(
            "tool-0.163.0.dist-info/METADATA", "Name: tool", "name: openai-codex-cli-bin"
        ),
        lambda wheel: wheel.with_first(ZipMember(name=b"codex_cli_bin/x.txt", content=b"")),
        lambda wheel: wheel.with_first(ZipMember(name=b"Codex_CLI_bin/x.txt", content=b"")),
        lambda wheel: wheel.with_first(ZipMember(name=b"codex_cli_bin.abi3.so", content=b"")),
    ],
    ids=["file name", "spelling", "dist-info", "METADATA", "field", "member", "case", "module"],
)
def test_one_claim_makes_a_wheel_one_of_this_project(claim: Callable[[Wheel], Wheel], tmp_path: Path) -> None:
    other = of_another_project(good_wheel())
    assert not is_of_this_project(read_wheel(other.write(tmp_path), scratch=tmp_path))
    assert is_of_this_project(read_wheel(claim(other).write(tmp_path), scratch=tmp_path))


def test_a_wheel_that_the_factory_built_is_of_this_project(tmp_path: Path) -> None:
    expected = ExpectedWheel(
        tag=CodexTag.parse("0.163.0"), platform=Platform.parse("manylinux_2_17_x86_64"), payload={}
    )
    path = of_another_project(good_wheel()).write(tmp_path)
    assert is_of_this_project(read_wheel(path, scratch=tmp_path, expected=expected))


def test_the_checks_of_this_project_do_not_apply_to_other_wheels(tmp_path: Path) -> None:
    ours, other = tmp_path / "ours", tmp_path / "other"
    ours.mkdir()
    other.mkdir()
    all_checks = checks_for(read_wheel(good_wheel().write(ours), scratch=ours))
    general = checks_for(read_wheel(of_another_project(good_wheel()).write(other), scratch=other))
    assert all_checks == CHECKS
    left_out = {check.id for check in all_checks} - {check.id for check in general}
    assert left_out >= {"top-level", "wheel-tag-form", "package-init", "package-json-present"}
    assert not left_out & {"path-file", "record-hash", "elf-machine", "wheel-platform-not-judged"}
