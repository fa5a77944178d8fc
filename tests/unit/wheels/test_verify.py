"""The verification of the wheels of a run."""

from pathlib import Path

import pytest

from factory.core.errors import VerificationError
from factory.core.model import ChannelName, ReleaseAssets
from factory.core.tags import CodexTag
from factory.manifest.dist import Dist
from factory.wheels.plan import WheelsPlan, WheelsRequest
from factory.wheels.verify import verify_wheels
from tests.runs import run_context
from tests.wheels import PACKAGE, built_wheel, own_wheel

TAG = CodexTag.parse("0.163.0")


def plan(out: Path) -> WheelsPlan:
    return WheelsPlan(
        request=WheelsRequest(tag=TAG, platforms=None, out=out),
        released=ReleaseAssets(tag=TAG, channel=ChannelName.NPM, assets=()),
        wheels=(),
        not_released=(),
        dist=Dist(directory=out / "0.163.0"),
    )


def test_unpacked_executables_are_removed(tmp_path: Path) -> None:
    wheel = built_wheel(own_wheel(), tmp_path)
    (verified,) = verify_wheels([wheel], plan(tmp_path), run_context(tmp_path / "cache"), tmp_path)
    assert verified.wheel == wheel
    assert list(tmp_path.glob("verify-*")) == []


def test_the_errors_of_all_wheels_are_reported_together(tmp_path: Path) -> None:
    platforms = ("manylinux_2_17_x86_64", "win_amd64", "win_arm64")
    good, *broken = (own_wheel(platform) for platform in platforms)
    wheels = [built_wheel(good, tmp_path, platforms[0])]
    for wheel, platform in zip(broken, platforms[1:], strict=True):
        without = wheel.without(f"{PACKAGE}/codex-path/rg.exe")
        wheels.append(built_wheel(without, tmp_path, platform))

    with pytest.raises(VerificationError) as caught:
        verify_wheels(wheels, plan(tmp_path), run_context(tmp_path / "cache"), tmp_path)
    assert "factory explain" in caught.value.hint
    rejected = [line.split()[0] for line in str(caught.value).splitlines() if not line.startswith(" ")]
    assert rejected == [wheel.name for wheel in broken]
    assert str(caught.value).count(f"payload-missing: {PACKAGE}/codex-path/rg.exe") == 2
