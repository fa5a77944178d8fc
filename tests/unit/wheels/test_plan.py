"""What a run will build, and which platforms the release cannot serve."""

from pathlib import Path

import pytest

from factory.build.recipe import our_recipe
from factory.build.template import bundled_template
from factory.core.errors import UpstreamError
from factory.core.targets import Platform, Target
from factory.manifest.dist import Dist
from factory.release.channels.directory import DirectoryChannel
from factory.wheels.plan import WheelsPlan, WheelsRequest, plan_wheels
from tests.packages import TAG

TARGETS = (Target.LINUX_AARCH64, Target.WINDOWS_X86_64)
"""The release has packages for two targets, one of which has two platforms."""


def plan(directory: Path, *platforms: str) -> WheelsPlan:
    names = [f"codex-{TAG.semver}-{target.npm_suffix}.tgz" for target in TARGETS]
    for name in names:
        (directory / name).touch()
    (directory / "SHA256SUMS").write_text("".join(f"{'a' * 64}  {name}\n" for name in names))
    request = WheelsRequest(
        tag=TAG, platforms=tuple(map(Platform.parse, platforms)) or None, out=directory / "dist"
    )
    return plan_wheels(request, DirectoryChannel(directory))


def test_every_platform_with_a_package_is_planned(tmp_path: Path) -> None:
    planned = plan(tmp_path)
    assert [(wheel.platform.tag, wheel.asset.target) for wheel in planned.wheels] == [
        ("manylinux_2_17_aarch64", Target.LINUX_AARCH64),
        ("musllinux_1_1_aarch64", Target.LINUX_AARCH64),
        ("win_amd64", Target.WINDOWS_X86_64),
    ]
    assert {platform.tag for platform in planned.not_released} == {
        "manylinux_2_17_x86_64",
        "musllinux_1_1_x86_64",
        "macosx_10_12_x86_64",
        "macosx_11_0_arm64",
        "win_arm64",
    }
    for wheel in planned.wheels:
        assert (wheel.tag, wheel.promised) == (TAG, None)
        assert wheel.recipe == our_recipe(wheel.platform, template=bundled_template())
    assert planned.released.tag == TAG
    assert planned.dist == Dist(directory=tmp_path / "dist/0.163.0")
    assert planned.lock.name == "hatchling-1.33.0"


def test_only_the_requested_platforms_are_planned(tmp_path: Path) -> None:
    planned = plan(tmp_path, "win_amd64", "manylinux_2_17_aarch64")
    assert [wheel.platform.tag for wheel in planned.wheels] == ["win_amd64", "manylinux_2_17_aarch64"]
    assert planned.not_released == ()
    assert plan(tmp_path, "win_amd64").lock.name == "hatchling-1.33.0"


def test_a_requested_platform_without_a_package_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UpstreamError) as caught:
        plan(tmp_path, "win_amd64", "win_arm64")
    assert str(caught.value) == (
        "channel directory has no package of rust-v0.163.0 for aarch64-pc-windows-msvc, which win_arm64 needs"
    )
    assert caught.value.hint == (
        "It has aarch64-unknown-linux-musl, x86_64-pc-windows-msvc."
        " Leave the platform out, or try another channel."
    )
