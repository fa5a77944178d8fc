"""The checks of executable images of every format."""

from pathlib import Path

import pytest

from tests.images import Elf, MachO, Pe
from tests.unit.verify.checks.image_wheels import CODEX, RG, contents_of, found

TRUNCATED = {
    "manylinux_2_17_x86_64": (Elf(needed=("libc.so.6",)).content()[:80], "elf"),
    "macosx_11_0_arm64": (MachO().content()[:40], "mach-o"),
    "win_amd64": (Pe().content()[:100], "pe"),
}


@pytest.mark.parametrize("platform", TRUNCATED)
def test_a_truncated_image_has_only_the_finding_image_unreadable(tmp_path: Path, platform: str) -> None:
    content, kind = TRUNCATED[platform]
    ((check, place, evidence),) = found(contents_of(tmp_path, platform, {RG: content}))
    assert (check, place) == ("image-unreadable", RG)
    assert evidence.startswith(f"not a valid {kind} file: ")


@pytest.mark.parametrize(
    ("platform", "content", "evidence"),
    [
        ("manylinux_2_17_x86_64", Pe().content(), "the format is pe; manylinux_2_17_x86_64 needs elf"),
        ("musllinux_1_1_x86_64", MachO().content(), "the format is mach-o; musllinux_1_1_x86_64 needs elf"),
        ("macosx_11_0_arm64", Elf().content(), "the format is elf; macosx_11_0_arm64 needs mach-o"),
        ("win_amd64", Elf().content(), "the format is elf; win_amd64 needs pe"),
    ],
)
def test_an_image_of_another_format_has_only_the_finding_image_foreign(
    tmp_path: Path, platform: str, content: bytes, evidence: str
) -> None:
    assert found(contents_of(tmp_path, platform, {CODEX: content})) == [("image-foreign", CODEX, evidence)]


def test_image_checks_skip_a_wheel_for_an_unknown_system(tmp_path: Path) -> None:
    assert found(contents_of(tmp_path, "any", {CODEX: Elf().content()})) == []
