from pathlib import Path

import pytest

from factory.build.builder import BuilderName, Engine, WheelFile
from factory.build.deflate_check import DeflateIdentity, Interpreter
from factory.build.stage import StagedRuntime
from factory.build.toolchain import Lock, Toolchain
from factory.core.digests import Sha256
from factory.core.tags import CodexTag
from factory.core.targets import Platform, Target
from factory.manifest.manifest import ToolchainRecord
from factory.release.payload import Layout
from factory.wheels.build_environment import BuildEnvironment
from factory.wheels.plan import WheelsRequest
from factory.wheels.record import record_toolchain
from tests.packages import npm_tarball, release_directory, release_files
from tests.runs import run_factory, run_request

LOCK = b"hatchling==1.33.0 \\\n    --hash=sha256:00\npackaging==26.2 \\\n    --hash=sha256:00\n"


class NoFrontEnd:
    """A front end that must not be used."""

    def build(self, staged: StagedRuntime, *, scratch: Path, dist: Path) -> WheelFile:
        raise AssertionError((staged, scratch, dist))


def test_the_record_of_a_toolchain_has_no_paths() -> None:
    toolchain = Toolchain(
        python=Path("/cache/python"),
        interpreter=Interpreter(
            executable=Path("/opt/python"),
            implementation="CPython",
            version="3.12.1",
            deflate=DeflateIdentity(name="zlib", version="1.2.13", answer=Sha256("ab" * 32)),
        ),
        lock=Lock(name="hatchling-1.33.0", content=LOCK),
    )
    environment = BuildEnvironment(
        builder=BuilderName.DOCKER,
        engine=Engine.BACKEND,
        reason="Docker 20.10.24 answers and has the image",
        toolchain=toolchain,
        front_end=NoFrontEnd(),
        image="sha256:" + "cd" * 32,
    )
    assert record_toolchain(environment) == ToolchainRecord(
        builder="docker",
        reason="Docker 20.10.24 answers and has the image",
        image="sha256:" + "cd" * 32,
        engine="backend",
        python="CPython 3.12.1",
        deflate="zlib 1.2.13",
        deflate_answer=Sha256("ab" * 32),
        lock=Sha256("8f6c955c946234f5560c917e9ef1e77f6630f670d94336214b4a34db1b57f887"),
        packages={"hatchling": "1.33.0", "packaging": "26.2"},
    )


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    targets = (Target.LINUX_AARCH64, Target.WINDOWS_X86_64)
    return release_directory(tmp_path_factory.mktemp("release") / "packages", targets=targets, voice=True)


def test_wheels_and_assets_are_in_table_order(packages: Path, tmp_path: Path) -> None:
    tags = ("win_amd64", "musllinux_1_1_aarch64", "manylinux_2_17_aarch64")
    manifest = run_factory(packages, tmp_path / "dist", cache=tmp_path / "cache", platforms=tags).manifest
    assert [wheel.platform for wheel in manifest.wheels] == [
        "manylinux_2_17_aarch64",
        "musllinux_1_1_aarch64",
        "win_amd64",
    ]
    assert [asset.target for asset in manifest.assets] == [Target.LINUX_AARCH64, Target.WINDOWS_X86_64]
    assert manifest.assets[0].size_bytes == (packages / manifest.assets[0].name).stat().st_size


def test_only_assets_of_recorded_wheels_are_recorded(packages: Path, tmp_path: Path) -> None:
    manifest = run_factory(
        packages, tmp_path / "dist", cache=tmp_path / "cache", platforms=("win_amd64",)
    ).manifest
    assert [asset.target for asset in manifest.assets] == [Target.WINDOWS_X86_64]


def test_a_package_with_many_targets_is_recorded_for_those_that_were_built(tmp_path: Path) -> None:
    tag = CodexTag.parse("0.98.0")
    targets = (Target.LINUX_AARCH64, Target.WINDOWS_X86_64)
    packages = tmp_path / "packages"
    packages.mkdir()
    files = {target: release_files(target, tag, Layout.LEGACY) for target in targets}
    tarball = npm_tarball(packages / "codex-0.98.0.tgz", files, tag=tag)
    (packages / "SHA256SUMS").write_text(f"{Sha256.of_file(tarball)}  {tarball.name}\n")
    request = WheelsRequest(tag=tag, platforms=(Platform.parse("win_amd64"),), out=tmp_path / "dist")
    manifest = run_request(request, packages, cache=tmp_path / "cache").manifest
    assert [asset.target for asset in manifest.assets] == [Target.WINDOWS_X86_64]


def test_every_payload_file_is_a_member_or_is_left_out_with_a_reason(packages: Path, tmp_path: Path) -> None:
    manifest = run_factory(
        packages, tmp_path / "dist", cache=tmp_path / "cache", platforms=("musllinux_1_1_aarch64",)
    ).manifest
    (wheel,) = manifest.wheels
    files = release_files(Target.LINUX_AARCH64, voice=True)
    members = {str(member.source): (member.mode, member.sha256) for member in wheel.payload}
    left_out = {str(item.source): item.sha256 for item in wheel.left_out}
    assert members["bin/codex"] == (0o755, Sha256.of([files["bin/codex"][0]]))
    assert members["codex-package.json"][0] == 0o644
    assert members.keys() | left_out.keys() == files.keys()
    assert not members.keys() & left_out.keys()
    assert all(item.reason for item in wheel.left_out)
