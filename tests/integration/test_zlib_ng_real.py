"""Another encoder for real: zlib-ng says what it is, is refused, and would indeed make another wheel."""

import os
import shutil
import sys
from functools import partial
from pathlib import Path

import pytest

from factory.audit.reproduce.differences import differences
from factory.audit.reproduce.zlib_ng import ZLIB_NG, zlib_ng_toolchain
from factory.build.backend.native import NativeFrontEnd
from factory.build.deflate_check import OtherDeflate, require_reference_deflate
from factory.build.exact_deflate.compiled import COMPILERS
from factory.build.recipe import our_recipe
from factory.build.stage import StageRequest, stage
from factory.build.template import bundled_template
from factory.build.toolchain import Lock, Toolchain, lock_for, lock_named, make_toolchain
from factory.core.digests import Sha256
from factory.core.progress import SilentProgress
from factory.core.targets import Platform, Target
from factory.release.payload import PackageSource
from factory.system.process import Command, SubprocessRunner
from tests.children import ROOT, factory
from tests.packages import TAG, package_directory, release_directory, release_files

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


_IN_PLACE_OF_ZLIB = "import sys, zlib_ng.zlib_ng\nsys.modules['zlib'] = zlib_ng.zlib_ng\n"


def test_a_factory_that_runs_with_zlib_ng_builds_the_same_wheels(tmp_path: Path) -> None:
    """With a C compiler: exact_deflate compresses, and its known answers replace the comparison with zlib."""
    if not any(shutil.which(name) for name in COMPILERS):
        pytest.skip("there is no C compiler")
    site, cache, packages = tmp_path / "site", tmp_path / "cache", tmp_path / "packages"
    lock = tmp_path / "lock.txt"
    lock.write_bytes(lock_named(ZLIB_NG).content)
    pip = (sys.executable, "-m", "pip", "install", "--require-hashes", "--target", str(site), "-r", str(lock))
    installed = SubprocessRunner().run(Command(argv=pip, env=os.environ))
    assert installed.returncode == 0, installed.output
    (site / "sitecustomize.py").write_text(_IN_PLACE_OF_ZLIB)
    release_directory(packages)

    def digests(name: str, path: str) -> dict[str, Sha256]:
        words = ("wheels", TAG.semver, "--channel", "directory", "--directory", str(packages), "--out", name)
        env = {"FACTORY_CACHE_DIR": str(cache), "PYTHONPATH": path}
        ended = factory(*words, "--fresh", cwd=tmp_path, env=env).run()
        assert ended.status == 0, ended.err
        return {wheel.name: Sha256.of_file(wheel) for wheel in (tmp_path / name).rglob("*.whl")}

    with_zlib = digests("zlib", str(ROOT))
    with_zlib_ng = digests("zlib-ng", f"{site}{os.pathsep}{ROOT}")
    assert len(with_zlib) == 8
    assert with_zlib_ng == with_zlib
