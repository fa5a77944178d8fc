"""Locked toolchains that no other real test installs: each builds, and says which backend it is."""

import os
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from factory.build.backend.native import NativeFrontEnd
from factory.build.recipe import our_recipe
from factory.build.stage import StageRequest, stage
from factory.build.template import Template, bundled_template
from factory.build.toolchain import lock_for, make_toolchain
from factory.core.progress import SilentProgress
from factory.core.targets import Platform, Target
from factory.release.payload import PackageSource
from factory.system.process import SubprocessRunner
from tests.packages import TAG, package_directory, release_files

pytestmark = pytest.mark.network


def requiring(version: str) -> Template:
    files = (
        replace(file, content=file.content.replace(b"hatchling==1.33.0", f"hatchling=={version}".encode()))
        for file in bundled_template().files
    )
    return Template(files=tuple(files))


@pytest.mark.parametrize("version", ["1.30.1", "1.32.3"])
def test_a_locked_backend_builds_and_says_which_it_is(version: str, tmp_path: Path) -> None:
    toolchain = make_toolchain(
        lock=lock_for(version),
        base_python=Path(sys.executable),
        cache_dir=tmp_path / "cache",
        env=os.environ,
        runner=SubprocessRunner(),
    )
    package = package_directory(tmp_path / "package", release_files(Target.WINDOWS_AARCH64))
    recipe = our_recipe(Platform.parse("win_arm64"), template=requiring(version))
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
    wheel = front_end.build(staged, scratch=tmp_path / "scratch", dist=tmp_path / "dist")
    with zipfile.ZipFile(wheel.path) as archive:
        said = archive.read(f"openai_codex_cli_bin-{TAG.pep440}.dist-info/WHEEL").decode()
    assert f"Generator: hatchling {version}\n" in said
    assert "Tag: py3-none-win_arm64\n" in said
