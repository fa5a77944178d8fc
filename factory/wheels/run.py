"""The run behind ``factory wheels``: fetch, build, verify, publish; one function a step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from factory.build.builder import BuiltPackage, Package
from factory.build.toolchain import lock_for
from factory.core.digests import Digest
from factory.core.model import Local, ReleaseAsset
from factory.core.targets import targets_of
from factory.manifest.manifest import Manifest
from factory.release.payload import PackageSource
from factory.release.payload_cache import load_payload, save_payload
from factory.system.cache import Cache, Namespace
from factory.system.files import read_verified
from factory.wheels.build import build_packages, require_promised
from factory.wheels.build_environment import BuildEnvironment, engine_at, open_build_environment
from factory.wheels.context import RunContext
from factory.wheels.plan import PlannedWheel, WheelsPlan
from factory.wheels.record import record_run, record_toolchain, record_wheels
from factory.wheels.reuse import evidence_of, keep, missing_of, require_used_waivers
from factory.wheels.verify import verify_wheels

DOWNLOADS = 4
"""How many downloads at once; they wait for the network, not for a core."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelsRun:
    """How a run ended.

    Attributes:
        manifest: Every wheel that the output directory has now.
        made: The names of those that this run made; the others were there, whole and current.
    """

    manifest: Manifest
    made: tuple[str, ...]


def make_wheels(plan: WheelsPlan, context: RunContext) -> WheelsRun:
    """Make what the plan says and is not there yet; publish all of it or nothing.

    Raises:
        FactoryError: A step failed; the output directory is as it was.
    """
    lock = lock_for(plan.wheels[0].recipe.backend.version)
    with open_build_environment(plan.request, lock, context) as environment:
        return _make(plan, context, environment)


def _make(plan: WheelsPlan, context: RunContext, environment: BuildEnvironment) -> WheelsRun:
    record = record_toolchain(environment, engine=engine_at(plan.request, environment.builder))
    earlier = plan.dist.read_manifest()
    kept = keep(plan, earlier, record, jobs=context.jobs)
    missing = missing_of(plan, kept)
    if earlier is not None and not missing:
        plan.dist.remove_leftovers()
        require_used_waivers(plan.request.waivers, kept)
        return WheelsRun(manifest=earlier, made=())
    with plan.dist.scratch() as scratch:
        packages = _fetch(missing, plan, context)
        built = build_packages(packages, plan.request, environment, context, scratch)
        require_promised(missing, built)
        for package, done in zip(packages, built, strict=True):
            save_payload(context.cache, package.asset.digest, done.payload)
        verified = verify_wheels(plan, built, context, scratch)
        manifest = record_run(
            plan.released,
            toolchain=record,
            wheels=(*kept, *record_wheels(packages, built, verified)),
            sizes=_sizes(packages, earlier),
        ).with_acceptance(evidence_of(earlier))
        require_used_waivers(plan.request.waivers, manifest.wheels)
        plan.dist.publish(manifest, [wheel.wheel.path for wheel in verified])
    context.cache.trim(Namespace.DEFLATE, max_bytes=context.deflate_limit_bytes)
    return WheelsRun(manifest=manifest, made=tuple(wheel.wheel.name for wheel in verified))


def build_wheels(
    plan: WheelsPlan, context: RunContext, environment: BuildEnvironment, *, scratch: Path
) -> tuple[BuiltPackage, ...]:
    """Build all that a plan says, below a directory, and neither judge nor publish it.

    It is for comparing bytes: published wheels have findings, and are made again all the same.

    Raises:
        FactoryError: A step failed.
    """
    return build_packages(_fetch(plan.wheels, plan, context), plan.request, environment, context, scratch)


def _fetch(missing: Sequence[PlannedWheel], plan: WheelsPlan, context: RunContext) -> tuple[Package, ...]:
    """Fetch what the missing wheels need, and group them by the package that feeds them."""
    targets = targets_of(wheel.recipe.platform for wheel in missing)
    assets = tuple(asset for asset in plan.assets if asset.target in targets)
    paths = context.downloader.fetch_all(assets, jobs=DOWNLOADS)
    return tuple(
        Package(
            asset=asset,
            source=source_of(asset, path, context.cache),
            size_bytes=path.stat().st_size,
            payload=load_payload(context.cache, asset.digest, asset.target),
            recipes=tuple(wheel.recipe for wheel in missing if wheel.recipe.platform.target is asset.target),
        )
        for asset, path in zip(assets, paths, strict=True)
    )


def source_of(asset: ReleaseAsset, path: Path, cache: Cache) -> PackageSource:
    """Name a package so that its digest is checked again as it is read."""
    if isinstance(asset.location, Local):
        opened = partial(read_verified, path, asset.digest, name=asset.name)
    else:
        opened = partial(cache.open, asset.digest)
    return PackageSource.archive(path, asset.format, opened=opened, name=asset.name)


def _sizes(packages: Sequence[Package], earlier: Manifest | None) -> Mapping[Digest, int]:
    """Return the sizes of the assets read now, and of those that fed the wheels that were kept."""
    known = {} if earlier is None else {asset.digest: asset.size_bytes for asset in earlier.assets}
    return {**known, **{package.asset.digest: package.size_bytes for package in packages}}
