"""Another encoder for real: zlib-ng says what it is, is refused, and would indeed make another wheel."""

import os
import sys
from functools import partial
from pathlib import Path

import pytest

from factory.audit.reproduce.differences import differences
from factory.audit.reproduce.zlib_ng import zlib_ng_toolchain
from factory.build.backend.native import NativeFrontEnd
from factory.build.deflate_check import OtherDeflate, require_reference_deflate
from factory.build.recipe import our_recipe
from factory.build.stage import StageRequest, stage
from factory.build.template import bundled_template
from factory.build.toolchain import Lock, Toolchain, lock_for, make_toolchain
from factory.core.progress import SilentProgress
from factory.core.targets import Platform, Target
from factory.release.payload import PackageSource
from factory.system.process import SubprocessRunner
from tests.packages import TAG, package_directory, release_files

pytestmark = [pytest.mark.network, pytest.mark.slow]


def make(lock: Lock, *, cache: Path) -> Toolchain:
    return make_toolchain(
        lock=lock,
        base_python=Path(sys.executable),
        cache_dir=cache,
        env=os.environ,
        runner=SubprocessRunner(),
    )


def test_zlib_ng_is_refused_and_would_make_another_wheel(tmp_path: Path) -> None:
    lock = lock_for("1.33.0")
    making = partial(make, cache=tmp_path / "cache")
    other = zlib_ng_toolchain(lock, making, env=os.environ, runner=SubprocessRunner())
    assert other.interpreter.deflate.name == "zlib-ng"
    with pytest.raises(OtherDeflate):
        require_reference_deflate(other.interpreter.deflate)

    package = package_directory(tmp_path / "package", release_files(Target.WINDOWS_AARCH64))
    recipe = our_recipe(Platform.parse("win_arm64"), template=bundled_template())
    wheels = []
    for name, toolchain in (("plain", making(lock)), ("other", other)):
        staged = stage(
            PackageSource.directory(package),
            StageRequest(destination=tmp_path / "stage", tag=TAG, recipe=recipe),
        )
        front_end = NativeFrontEnd(
            toolchain=toolchain,
            runner=SubprocessRunner(),
            progress=SilentProgress(),
            host_env={},
            logs=tmp_path / "logs",
        )
        wheels.append(front_end.build(staged, scratch=tmp_path / "scratch", dist=tmp_path / name).path)
    told = differences(wheels[0], wheels[1])
    assert told
    assert all(" (compressed differently)" in one for one in told)
