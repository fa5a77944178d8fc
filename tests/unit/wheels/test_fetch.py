"""The packages that a run downloads: those of the wheels to build, and no others."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from factory.core.errors import IntegrityError
from factory.core.model import Local, ReleaseAsset, Remote
from factory.core.progress import SilentProgress
from factory.core.targets import Platform, Target
from factory.release.channels.directory import DirectoryChannel
from factory.release.download import Downloader
from factory.release.payload_cache import save_payload
from factory.wheels.context import RunContext
from factory.wheels.fetch import fetch_packages, source_of
from factory.wheels.plan import WheelsPlan, WheelsRequest, plan_wheels
from factory.wheels.run import make_wheels
from tests.fakes import Answer, FakeHttpClient, Request
from tests.packages import TAG, release_directory
from tests.runs import run_context

TARGETS = (Target.LINUX_AARCH64, Target.WINDOWS_AARCH64, Target.WINDOWS_X86_64)


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return release_directory(tmp_path_factory.mktemp("release") / "packages", targets=TARGETS)


def plan(packages: Path, out: Path, *platforms: str) -> WheelsPlan:
    request = WheelsRequest(tag=TAG, platforms=tuple(map(Platform.parse, platforms)) or None, out=out)
    return plan_wheels(request, DirectoryChannel(packages))


def url(target: Target) -> str:
    return f"https://registry.example/{target}.tgz"


def remote(plan: WheelsPlan) -> WheelsPlan:
    """Return a plan that downloads its packages."""

    def moved(asset: ReleaseAsset) -> ReleaseAsset:
        return replace(asset, location=Remote(url=url(asset.target)))

    return replace(
        plan,
        released=replace(plan.released, assets=tuple(map(moved, plan.released.assets))),
        wheels=tuple(replace(wheel, asset=moved(wheel.asset)) for wheel in plan.wheels),
    )


def downloading(cache: Path, client: FakeHttpClient) -> RunContext:
    context = run_context(cache)
    downloader = Downloader(cache=context.cache, client=client, progress=SilentProgress())
    return replace(context, downloader=downloader)


def client_for(plan: WheelsPlan, *targets: Target) -> FakeHttpClient:
    """Return a client that serves the packages of some targets once, and fails on all other requests."""
    script = {}
    for target in targets:
        asset = plan.released.for_target(target)
        assert asset is not None
        assert isinstance(asset.location, Local)
        script[url(target)] = (Answer(body=(asset.location.path.read_bytes(),)),)
    return FakeHttpClient(script)


def test_only_the_package_of_the_planned_platform_is_downloaded(packages: Path, tmp_path: Path) -> None:
    local = plan(packages, tmp_path / "dist", "win_arm64")
    client = client_for(local, Target.WINDOWS_AARCH64)

    assert make_wheels(remote(local), downloading(tmp_path / "cache", client)).built == (
        "openai_codex_cli_bin-0.163.0-py3-none-win_arm64.whl",
    )
    assert client.requests == [Request(url=url(Target.WINDOWS_AARCH64), headers={})]


def test_the_wheels_of_one_target_share_a_package(packages: Path, tmp_path: Path) -> None:
    local = plan(packages, tmp_path / "dist", "manylinux_2_17_aarch64", "win_amd64", "musllinux_1_1_aarch64")
    fetched = fetch_packages(local.wheels, run_context(tmp_path / "cache"))
    assert {package.target: tuple(wheel.platform.tag for wheel in package.wheels) for package in fetched} == {
        Target.LINUX_AARCH64: ("manylinux_2_17_aarch64", "musllinux_1_1_aarch64"),
        Target.WINDOWS_X86_64: ("win_amd64",),
    }
    for package in fetched:
        assert isinstance(package.asset.location, Local)
        assert package.size_bytes == package.asset.location.path.stat().st_size
        assert package.payload is None


def test_the_packages_of_reused_wheels_are_not_read(tmp_path: Path) -> None:
    packages = release_directory(tmp_path / "packages", targets=TARGETS)
    whole = plan(packages, tmp_path / "dist")
    names = make_wheels(whole, run_context(tmp_path / "cache")).built
    (damaged,) = (name for name in names if "win_arm64" in name)
    (whole.dist.directory / damaged).write_bytes(b"damaged")
    for asset in whole.released.assets:
        if asset.target is not Target.WINDOWS_AARCH64:
            assert isinstance(asset.location, Local)
            asset.location.path.unlink()

    assert make_wheels(whole, run_context(tmp_path / "cache")).built == (damaged,)


def test_the_payload_of_an_earlier_run_is_known(packages: Path, tmp_path: Path) -> None:
    local = plan(packages, tmp_path / "dist", "win_arm64")
    context = run_context(tmp_path / "cache")
    make_wheels(local, context)
    (package,) = fetch_packages(local.wheels, context)
    assert package.payload == package.source.scan(Target.WINDOWS_AARCH64)


def test_the_size_of_a_damaged_package_is_not_in_the_manifest(packages: Path, tmp_path: Path) -> None:
    """All contents are known and compressed, so that nothing else would notice the damage."""
    local = plan(packages, tmp_path / "dist", "win_arm64")
    first = make_wheels(
        remote(local), downloading(tmp_path / "cache", client_for(local, Target.WINDOWS_AARCH64))
    )
    (package,) = (tmp_path / "cache" / "assets").iterdir()
    package.write_bytes(b"[" * 100_000)
    shutil.rmtree(local.dist.directory)
    second = make_wheels(
        remote(local), downloading(tmp_path / "cache", client_for(local, Target.WINDOWS_AARCH64))
    )
    assert second.manifest == first.manifest


def change(package: Path) -> None:
    """Change the time in the gzip header (RFC 1952, 2.3), which only the digest shows."""
    content = bytearray(package.read_bytes())
    content[4] ^= 1
    package.chmod(0o644)
    package.write_bytes(content)


def test_a_local_package_that_changes_after_the_fetch_is_refused(tmp_path: Path) -> None:
    packages = release_directory(tmp_path / "packages", targets=(Target.WINDOWS_AARCH64,))
    (package,) = fetch_packages(plan(packages, tmp_path).wheels, run_context(tmp_path / "cache"))
    change(package.source.path)
    with pytest.raises(IntegrityError):
        package.source.scan(Target.WINDOWS_AARCH64)


def test_a_checked_fetch_trusts_neither_a_cached_package_nor_what_is_known_of_it(
    packages: Path, tmp_path: Path
) -> None:
    local = plan(packages, tmp_path, "win_arm64")
    context = downloading(tmp_path / "cache", client_for(local, Target.WINDOWS_AARCH64))
    (package,) = fetch_packages(remote(local).wheels, context)
    payload = package.source.scan(Target.WINDOWS_AARCH64)
    save_payload(context.cache, package.asset.digest, payload, package_bytes=package.size_bytes)
    (known,) = fetch_packages(remote(local).wheels, context)
    change(package.source.path)

    client = client_for(local, Target.WINDOWS_AARCH64)
    again = replace(context, downloader=replace(context.downloader, client=client))
    (checked,) = fetch_packages(remote(local).wheels, again, is_checked=True)
    assert checked.payload is None
    assert checked.source.scan(Target.WINDOWS_AARCH64) == known.payload


@pytest.mark.parametrize("is_local", [True, False])
def test_errors_name_the_asset_and_not_the_file(packages: Path, tmp_path: Path, *, is_local: bool) -> None:
    (wheel,) = plan(packages, tmp_path, "win_arm64").wheels
    assert isinstance(wheel.asset.location, Local)
    path = tmp_path / "blob"
    path.write_bytes(wheel.asset.location.path.read_bytes())
    cache = run_context(tmp_path / "cache").cache
    asset = wheel.asset if is_local else replace(wheel.asset, location=Remote(url="https://x.invalid/"))
    source = source_of(asset, path, cache)
    assert source.name == wheel.asset.name != "blob"
    if is_local:
        change(path)
        with pytest.raises(IntegrityError, match=f"^{re.escape(wheel.asset.name)}"):
            source.scan(Target.WINDOWS_AARCH64)


def test_a_downloaded_package_that_changes_after_the_fetch_is_refused(packages: Path, tmp_path: Path) -> None:
    local = plan(packages, tmp_path, "win_arm64")
    context = downloading(tmp_path / "cache", client_for(local, Target.WINDOWS_AARCH64))
    (package,) = fetch_packages(remote(local).wheels, context)
    change(package.source.path)
    with pytest.raises(IntegrityError):
        package.source.scan(Target.WINDOWS_AARCH64)
