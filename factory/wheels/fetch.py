"""Download the release packages that the planned wheels need."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from factory.build.builder import FetchedPackage, PlannedWheel
from factory.core.model import Local, ReleaseAsset
from factory.core.targets import Target
from factory.release.payload import PackageSource
from factory.release.payload_cache import load_payload
from factory.system.cache import Cache
from factory.system.files import read_verified
from factory.wheels.context import RunContext

DOWNLOADS = 4
"""The number of downloads at once; they wait for the network, not for a core."""


def fetch_packages(
    wheels: Sequence[PlannedWheel], context: RunContext, *, is_checked: bool = False
) -> tuple[FetchedPackage, ...]:
    """Download each package that some wheel needs, once, and group the wheels by their package.

    Args:
        wheels: The wheels.
        context: The services of the run.
        is_checked: Check cached packages, and read them again instead of using what is known of them.

    Raises:
        FactoryError: A download failed, or a package does not have the digest of its asset.
    """
    by_target: dict[Target, list[PlannedWheel]] = {}
    for wheel in wheels:
        by_target.setdefault(wheel.asset.target, []).append(wheel)
    assets = [group[0].asset for group in by_target.values()]
    paths = context.downloader.fetch_all(assets, jobs=DOWNLOADS, is_checked=is_checked)
    packages = []
    for asset, path in zip(assets, paths, strict=True):
        size_bytes = path.stat().st_size
        payload = load_payload(context.cache, asset.digest, asset.target, package_bytes=size_bytes)
        packages.append(
            FetchedPackage(
                asset=asset,
                source=source_of(asset, path, context.cache),
                size_bytes=size_bytes,
                payload=None if is_checked else payload,
                wheels=tuple(by_target[asset.target]),
            )
        )
    return tuple(packages)


def source_of(asset: ReleaseAsset, path: Path, cache: Cache) -> PackageSource:
    """Return a package that checks its digest again while it is read."""
    if isinstance(asset.location, Local):
        opened = partial(read_verified, path, asset.digest, name=asset.name)
    else:
        opened = partial(cache.open, asset.digest)
    return PackageSource.archive(path, asset.format, opened=opened, name=asset.name)
