"""Which wheel is tested, and how this host starts its executable."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from factory.core.digests import Sha256
from factory.core.errors import UsageError
from factory.core.tags import MalformedTag
from factory.core.targets import Architecture, OperatingSystem, Platform
from factory.manifest.manifest import Manifest
from factory.sdk.accept.wheel_under_test import (
    CannotLaunch,
    LaunchMethod,
    choose_runtime_wheel,
    launch_method,
    read_runtime_wheel,
)
from factory.system.files import WrongDigest
from factory.system.host import Host, Libc
from tests.packages import release_directory
from tests.runs import run_factory

NAME = "openai_codex_cli_bin-0.163.0-py3-none-{}.whl"
QEMU = Path("/usr/bin/qemu-aarch64-static")
LINUX = Host(
    operating_system=OperatingSystem.LINUX,
    architecture=Architecture.X86_64,
    libc=Libc.GLIBC,
    python=Path("/usr/bin/python3"),
    emulators={Architecture.AARCH64: QEMU},
    env={},
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("whole")
    run_factory(release_directory(root / "packages"), root, cache=root / "cache")
    return root / "0.163.0"


def manifest_of(directory: Path) -> Manifest:
    return Manifest.parse((directory / "manifest.json").read_bytes())


def test_the_hosts_own_platform_is_started_natively() -> None:
    assert launch_method(Platform.parse("manylinux_2_17_x86_64"), LINUX) == LaunchMethod(how="natively")


def test_another_processor_is_started_by_its_emulator() -> None:
    way = launch_method(Platform.parse("manylinux_2_17_aarch64"), LINUX)
    assert way == LaunchMethod(how="under qemu-aarch64-static", emulator=QEMU)


@pytest.mark.parametrize(
    ("platform", "reason"),
    [
        ("win_amd64", "win_amd64 is for win32, and this host is not"),
        ("musllinux_1_1_x86_64", "can only be installed on a musl system"),
        ("manylinux_2_17_aarch64", "no emulator is installed"),
    ],
)
def test_a_wheel_that_cannot_be_started_is_refused(platform: str, reason: str) -> None:
    with pytest.raises(CannotLaunch, match=reason) as caught:
        launch_method(Platform.parse(platform), replace(LINUX, emulators={}))
    assert caught.value.exit_code == 25


def test_a_musl_host_starts_the_musl_wheel() -> None:
    musl = replace(LINUX, libc=Libc.MUSL)
    assert launch_method(Platform.parse("musllinux_1_1_x86_64"), musl) == LaunchMethod(how="natively")


def test_a_wheel_is_read_with_its_digest(tmp_path: Path) -> None:
    path = tmp_path / NAME.format("manylinux_2_17_aarch64")
    path.write_bytes(b"wheel")
    runtime = read_runtime_wheel(path)
    assert (runtime.tag.semver, runtime.platform.tag) == ("0.163.0", "manylinux_2_17_aarch64")
    assert runtime.sha256 == Sha256.of([b"wheel"])


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("notes.txt", "its name is not a wheel's"),
        ("other-1.0-py3-none-any.whl", "it is a wheel of other"),
        ("absent/openai_codex_cli_bin-0.163.0-py3-none-win_amd64.whl", "No such file"),
    ],
)
def test_a_file_that_is_not_a_runtime_wheel_is_refused(tmp_path: Path, name: str, reason: str) -> None:
    if "/" not in name:
        (tmp_path / name).touch()
    with pytest.raises(UsageError, match=reason):
        read_runtime_wheel(tmp_path / name)


def test_a_version_that_is_not_a_release_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "openai_codex_cli_bin-1.0.dev1-py3-none-win_amd64.whl"
    path.touch()
    with pytest.raises(MalformedTag):
        read_runtime_wheel(path)


def test_a_manifest_gives_the_wheel_for_this_host_or_the_named_platform(whole: Path) -> None:
    own = choose_runtime_wheel(manifest_of(whole), whole, platform=None, host=LINUX)
    assert own.wheel == whole / NAME.format("manylinux_2_17_x86_64")
    platform = Platform.parse("win_arm64")
    asked = choose_runtime_wheel(manifest_of(whole), whole, platform=platform, host=LINUX)
    assert asked.wheel == whole / NAME.format("win_arm64")


def test_a_manifest_without_such_a_wheel_is_refused(whole: Path) -> None:
    manifest = replace(manifest_of(whole), wheels=())
    with pytest.raises(UsageError, match="it has no wheel for this host"):
        choose_runtime_wheel(manifest, whole, platform=None, host=LINUX)
    with pytest.raises(UsageError, match="it has no wheel for win_arm64"):
        choose_runtime_wheel(manifest, whole, platform=Platform.parse("win_arm64"), host=LINUX)


def test_a_replaced_file_is_not_tested(whole: Path, tmp_path: Path) -> None:
    directory = Path(shutil.copytree(whole, tmp_path / "dist"))
    (directory / NAME.format("manylinux_2_17_x86_64")).write_bytes(b"another")
    assert json.loads((directory / "manifest.json").read_text())["wheels"]
    with pytest.raises(WrongDigest):
        choose_runtime_wheel(manifest_of(directory), directory, platform=None, host=LINUX)
