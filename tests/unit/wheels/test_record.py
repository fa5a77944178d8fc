from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from factory.build.builder import BuilderName, Engine, WheelFile
from factory.build.deflate_check import DeflateIdentity, Interpreter
from factory.build.stage import StagedRuntime
from factory.build.toolchain import Lock, Toolchain
from factory.core.digests import Digest, Sha256
from factory.core.model import ChannelName
from factory.core.tags import CodexTag
from factory.core.targets import PLATFORMS, Platform, Target
from factory.manifest.manifest import AssetRecord, Manifest, ToolchainRecord, WheelRecord
from factory.release.channels.directory import DirectoryChannel
from factory.release.payload import Layout
from factory.wheels.build_environment import BuildEnvironment
from factory.wheels.plan import WheelsRequest, plan_wheels
from factory.wheels.record import ordered_wheels, record_run, record_toolchain
from tests.packages import TAG, npm_tarball, release_directory, release_files
from tests.runs import run_factory, run_request

TOOLCHAIN = ToolchainRecord(
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
    assert record_toolchain(environment) == TOOLCHAIN


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


def test_the_trust_assessment_of_each_executable_is_recorded(packages: Path, tmp_path: Path) -> None:
    manifest = run_factory(
        packages, tmp_path / "dist", cache=tmp_path / "cache", platforms=("win_amd64",)
    ).manifest
    assessed = {str(member.source): member.assessment is not None for member in manifest.wheels[0].payload}
    assert assessed == {
        "bin/codex.exe": True,
        "bin/codex-code-mode-host.exe": True,
        "codex-package.json": False,
        "codex-path/rg.exe": True,
        "codex-resources/codex-command-runner.exe": True,
        "codex-resources/codex-windows-sandbox-setup.exe": True,
    }


def record(platform: str, asset: Digest) -> WheelRecord:
    return WheelRecord(
        name=f"{platform}.whl",
        platform=platform,
        size_bytes=1,
        sha256=Sha256("1" * 64),
        recipe=Sha256("2" * 64),
        asset=asset,
        payload=(),
        left_out=(),
        checks=(),
        findings=(),
    )


def test_wheels_are_in_table_order_and_those_of_other_platforms_come_last() -> None:
    asset = Digest.parse("sha256:" + "3" * 64)
    tags = [platform.tag for platform in PLATFORMS]
    others = ["linux_x86_64", "macosx_10_9_x86_64"]
    records = [record(tag, asset) for tag in sorted([*tags, *others], reverse=True)]
    assert [wheel.platform for wheel in ordered_wheels(records)] == [*tags, *others]


def recorded_assets(packages: Path, out: Path, digests: Mapping[Target, Digest]) -> list[Target]:
    """Return the targets whose assets are recorded when a wheel for win_amd64 is reused.

    Args:
        packages: The release.
        out: The parent of the output directory.
        digests: The digests that the channel has now; the wheel was built from ``OLD``.
    """
    plan = plan_wheels(WheelsRequest(tag=TAG, platforms=None, out=out), DirectoryChannel(packages))
    assets = tuple(replace(asset, digest=digests[asset.target]) for asset in plan.released.assets)
    plan = replace(plan, released=replace(plan.released, assets=assets))
    earlier = Manifest(
        tag=TAG,
        channel=ChannelName.DIRECTORY,
        factory_version="1",
        assets=tuple(
            AssetRecord(
                target=asset.target, name=asset.name, purl=asset.purl, digest=asset.digest, size_bytes=5
            )
            for asset in assets
        ),
        toolchain=TOOLCHAIN,
        wheels=(),
    )
    reused = [record("win_amd64", OLD)]
    manifest = record_run(plan, TOOLCHAIN, (), (), reused=reused, earlier=earlier)
    assert [asset.size_bytes for asset in manifest.assets] == [5] * len(manifest.assets)
    return [asset.target for asset in manifest.assets]


OLD, NEW = Digest.parse("sha256:" + "4" * 64), Digest.parse("sha256:" + "5" * 64)


def test_a_package_that_no_wheel_was_built_from_is_not_recorded(packages: Path, tmp_path: Path) -> None:
    replaced = {Target.LINUX_AARCH64: OLD, Target.WINDOWS_X86_64: NEW}
    assert recorded_assets(packages, tmp_path, replaced) == []
