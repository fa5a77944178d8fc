"""Unwritable places and a different encoder are reported, and no file is left."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from factory.build.deflate_check import DeflateIdentity, OtherDeflate
from factory.build.toolchain import Toolchain
from factory.core.digests import Sha256
from factory.core.targets import Platform
from factory.release.channels.directory import DirectoryChannel
from factory.system.process import Command, SubprocessRunner
from factory.wheels.plan import WheelsRequest, plan_wheels
from factory.wheels.run import make_wheels
from tests.packages import TAG
from tests.runs import run_context
from tests.toolchains import running_toolchain
from tests.unit.cli.conftest import Factory

can_mount = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0 or shutil.which("mount") is None,
    reason="needs root to mount",
)


@contextmanager
def mounted(place: Path, options: str) -> Iterator[Path]:
    """Mount a file system in memory until the context ends."""
    runner, env = SubprocessRunner(), {"PATH": os.defpath}
    place.mkdir()
    mount = Command(argv=("mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)), env=env)
    if runner.run(mount).returncode != 0:
        pytest.skip("this system does not allow mounts")
    try:
        yield place
    finally:
        runner.run(Command(argv=("umount", str(place)), env=env))


def wheels(factory: Factory, packages: Path, out: Path) -> tuple[int, str]:
    command = ("wheels", "0.163.0", "--channel", "directory", "--directory", packages)
    ended = factory(*command, "--platform", "win_arm64", "--out", out)
    return ended.status, ended.complaint


@can_mount
def test_a_full_disk_is_reported_and_no_file_is_left(
    factory: Factory, packages: Path, tmp_path: Path
) -> None:
    with mounted(tmp_path / "small", "size=64k") as out:
        status, complaint = wheels(factory, packages, out)
        assert list(out.iterdir()) == []
    assert status == 25
    assert "No space left on device" in complaint
    assert "hint: Free some space" in complaint


@can_mount
def test_a_read_only_place_is_reported(factory: Factory, packages: Path, tmp_path: Path) -> None:
    with mounted(tmp_path / "fixed", "ro,size=1m") as out:
        status, complaint = wheels(factory, packages, out)
    assert status == 25
    assert complaint == (
        f"factory: cannot write {tmp_path / 'fixed' / '0.163.0'}: Read-only file system\n"
        "hint: Choose a writable directory, or correct its permissions.\n"
    )


def other_toolchain() -> Toolchain:
    toolchain = running_toolchain()
    deflate = DeflateIdentity(name="zlib-ng", version="2.2.4", answer=Sha256(64 * "b"))
    return replace(toolchain, interpreter=replace(toolchain.interpreter, deflate=deflate))


def test_another_encoder_stops_the_run_before_anything_is_written(packages: Path, tmp_path: Path) -> None:
    request = WheelsRequest(tag=TAG, platforms=(Platform.parse("win_arm64"),), out=tmp_path / "dist")
    with_other = replace(run_context(tmp_path / "cache"), toolchain_for=lambda _: other_toolchain())

    with pytest.raises(OtherDeflate) as caught:
        make_wheels(plan_wheels(request, DirectoryChannel(packages)), with_other)
    assert str(caught.value) == (
        "the deflate encoder of this Python (zlib-ng 2.2.4) gives other bytes than stock zlib"
    )
    assert caught.value.exit_code == 25
    assert "container builder" in caught.value.hint
    assert list(tmp_path.iterdir()) == []
