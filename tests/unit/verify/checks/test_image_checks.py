"""The checks that hold for executable images of every format."""

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
def test_a_cut_off_image_is_unreadable_and_nothing_else(tmp_path: Path, platform: str) -> None:
    content, kind = TRUNCATED[platform]
    ((check, place, evidence),) = found(contents_of(tmp_path, platform, {RG: content}))
    assert (check, place) == ("image-unreadable", RG)
    assert evidence.startswith(f"as {kind}: ")


@pytest.mark.parametrize(
    ("platform", "content", "evidence"),
    [
        ("manylinux_2_17_x86_64", Pe().content(), "is pe, not elf as manylinux_2_17_x86_64 needs"),
        ("musllinux_1_1_x86_64", MachO().content(), "is mach-o, not elf as musllinux_1_1_x86_64 needs"),
        ("macosx_11_0_arm64", Elf().content(), "is elf, not mach-o as macosx_11_0_arm64 needs"),
        ("win_amd64", Elf().content(), "is elf, not pe as win_amd64 needs"),
    ],
)
def test_a_foreign_image_is_foreign_and_nothing_else(
    tmp_path: Path, platform: str, content: bytes, evidence: str
) -> None:
    assert found(contents_of(tmp_path, platform, {CODEX: content})) == [("image-foreign", CODEX, evidence)]


def test_a_wheel_for_no_known_system_is_judged_elsewhere(tmp_path: Path) -> None:
    assert found(contents_of(tmp_path, "any", {CODEX: Elf().content()})) == []
