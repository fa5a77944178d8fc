"""Make the manifest of a run: pure, from what was planned, built and verified."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath

from factory import __version__
from factory.build.builder import BuiltPackage, Engine, LaidOutWheel, Package
from factory.build.template import PACKAGE
from factory.core.digests import Digest
from factory.core.model import ReleaseAssets, VerifiedWheel
from factory.core.targets import PLATFORMS, Platform, Target
from factory.manifest.manifest import (
    AssetRecord,
    LeftOutRecord,
    Manifest,
    MemberRecord,
    ToolchainRecord,
    WheelRecord,
)
from factory.wheels.build_environment import BuildEnvironment


def record_toolchain(environment: BuildEnvironment, *, engine: Engine) -> ToolchainRecord:
    """Record what turns payload and recipe into bytes."""
    toolchain = environment.toolchain
    interpreter = toolchain.interpreter
    return ToolchainRecord(
        builder=environment.builder.value,
        reason=environment.reason,
        image=environment.image,
        engine=engine.value,
        python=f"{interpreter.implementation} {interpreter.version}",
        deflate=f"{interpreter.deflate.name} {interpreter.deflate.version}",
        deflate_answer=interpreter.deflate.answer,
        lock=toolchain.lock.sha256,
        packages=dict(toolchain.lock.requirements),
    )


def record_wheels(
    packages: Sequence[Package], built: Sequence[BuiltPackage], verified: Iterable[VerifiedWheel]
) -> tuple[WheelRecord, ...]:
    """Record every wheel that was built and verified; one that is not verified has no record."""
    by_name = {wheel.wheel.name: wheel for wheel in verified}
    return tuple(
        _record_wheel(laid_out, package.asset.digest, by_name[laid_out.wheel.name])
        for package, done in zip(packages, built, strict=True)
        for laid_out in done.wheels
    )


def record_run(
    released: ReleaseAssets,
    *,
    toolchain: ToolchainRecord,
    wheels: Iterable[WheelRecord],
    sizes: Mapping[Digest, int],
) -> Manifest:
    """Record a whole run, wheels and assets in the order of the tables.

    Args:
        released: What the channel has; only assets that fed a wheel are recorded.
        toolchain: What made the wheels.
        wheels: Those made now and those kept from an earlier run.
        sizes: The size of each asset in bytes; channels do not all promise one.
    """
    ordered = ordered_wheels(wheels)
    used = {wheel.asset for wheel in ordered}
    fed = {Platform.of_tag(wheel.platform).target for wheel in ordered}
    return Manifest(
        tag=released.tag,
        channel=released.channel,
        factory_version=__version__,
        assets=ordered_assets(
            AssetRecord(
                target=asset.target,
                name=asset.name,
                purl=asset.purl,
                digest=asset.digest,
                size_bytes=sizes[asset.digest],
            )
            for asset in released.assets
            if asset.digest in used and asset.target in fed
        ),
        toolchain=toolchain,
        wheels=ordered,
    )


def ordered_wheels(wheels: Iterable[WheelRecord]) -> tuple[WheelRecord, ...]:
    """Put wheels in the platform table's order; platforms that only published wheels have come last."""
    place = {platform.tag: index for index, platform in enumerate(PLATFORMS)}
    return tuple(sorted(wheels, key=lambda wheel: (place.get(wheel.platform, len(place)), wheel.platform)))


def ordered_assets(assets: Iterable[AssetRecord]) -> tuple[AssetRecord, ...]:
    """Put release assets in the order of their targets."""
    return tuple(sorted(assets, key=lambda asset: list(Target).index(asset.target)))


def _record_wheel(laid_out: LaidOutWheel, asset: Digest, verified: VerifiedWheel) -> WheelRecord:
    assessments = {assessment.place: assessment for assessment in verified.assessments}
    return WheelRecord(
        name=laid_out.wheel.name,
        platform=laid_out.recipe.platform.tag,
        size_bytes=laid_out.wheel.size_bytes,
        sha256=laid_out.wheel.sha256,
        recipe=laid_out.recipe.identity,
        asset=asset,
        payload=tuple(
            MemberRecord(
                path=PurePosixPath(PACKAGE, member.path),
                source=member.file.path,
                mode=member.mode,
                size_bytes=member.file.size_bytes,
                sha256=member.file.sha256,
                assessment=assessments.get(f"{PACKAGE}/{member.path}"),
            )
            for member in laid_out.layout.members
        ),
        left_out=tuple(
            LeftOutRecord(source=left_out.file.path, sha256=left_out.file.sha256, reason=left_out.reason)
            for left_out in laid_out.layout.left_out
        ),
        checks=verified.checks,
        findings=verified.findings,
        waived=verified.waived,
    )
