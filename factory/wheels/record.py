"""Write a run into its manifest; no function here reads or writes a file."""

from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from factory import __version__
from factory.build.builder import FetchedPackage
from factory.build.template import PACKAGE
from factory.core.platform_tags import platform_of_tag
from factory.core.targets import PLATFORMS, Target
from factory.manifest.manifest import (
    AssetRecord,
    LeftOutRecord,
    Manifest,
    MemberRecord,
    ToolchainRecord,
    WheelRecord,
)
from factory.verify.inspection import VerifiedWheel
from factory.wheels.build_environment import BuildEnvironment
from factory.wheels.plan import WheelsPlan


def record_toolchain(environment: BuildEnvironment) -> ToolchainRecord:
    """Record the tools that decide the bytes of the wheels."""
    toolchain = environment.toolchain
    interpreter = toolchain.interpreter
    return ToolchainRecord(
        builder=environment.builder.value,
        reason=environment.reason,
        image=environment.image,
        engine=environment.engine.value,
        python=f"{interpreter.implementation} {interpreter.version}",
        deflate=f"{interpreter.deflate.name} {interpreter.deflate.version}",
        deflate_answer=interpreter.deflate.answer,
        lock=toolchain.lock.sha256,
        packages=dict(toolchain.lock.requirements),
    )


def record_run(
    plan: WheelsPlan,
    toolchain: ToolchainRecord,
    packages: Sequence[FetchedPackage],
    verified: Sequence[VerifiedWheel],
    *,
    reused: Sequence[WheelRecord],
    earlier: Manifest | None,
) -> Manifest:
    """Record the wheels of a run and those that it reused, and the assets that their payload is from.

    The results of acceptance tests in the earlier manifest are kept for wheels with the same bytes.
    """
    wheels = ordered_wheels([*reused, *(_record_wheel(wheel) for wheel in verified)])
    used = {wheel.asset for wheel in wheels}
    targets = {platform_of_tag(wheel.platform).target for wheel in wheels}
    sizes = {asset.digest: asset.size_bytes for asset in (earlier.assets if earlier else ())}
    sizes |= {package.asset.digest: package.size_bytes for package in packages}
    manifest = Manifest(
        tag=plan.released.tag,
        channel=plan.released.channel,
        factory_version=__version__,
        assets=ordered_assets(
            AssetRecord(
                target=asset.target,
                name=asset.name,
                purl=asset.purl,
                digest=asset.digest,
                size_bytes=sizes[asset.digest],
            )
            for asset in plan.released.assets
            if asset.digest in used and asset.target in targets
        ),
        toolchain=toolchain,
        wheels=wheels,
    )
    tried = earlier.wheels if earlier else ()
    return manifest.with_acceptance({wheel.sha256: wheel.acceptance for wheel in tried if wheel.acceptance})


def ordered_wheels(wheels: Iterable[WheelRecord]) -> tuple[WheelRecord, ...]:
    """Sort wheels by the platform table; platforms that only published wheels have come last."""
    place = {platform.tag: index for index, platform in enumerate(PLATFORMS)}
    return tuple(sorted(wheels, key=lambda wheel: (place.get(wheel.platform, len(place)), wheel.platform)))


def ordered_assets(assets: Iterable[AssetRecord]) -> tuple[AssetRecord, ...]:
    """Sort release assets by the table of targets."""
    return tuple(sorted(assets, key=lambda asset: list(Target).index(asset.target)))


def _record_wheel(verified: VerifiedWheel) -> WheelRecord:
    wheel = verified.wheel
    planned, layout = wheel.planned, wheel.layout
    assessments = {assessment.place: assessment for assessment in verified.assessments}
    return WheelRecord(
        name=wheel.file.name,
        platform=planned.platform.tag,
        size_bytes=wheel.file.size_bytes,
        sha256=wheel.file.sha256,
        recipe=planned.recipe.identity,
        asset=planned.asset.digest,
        payload=tuple(
            MemberRecord(
                path=PurePosixPath(PACKAGE, member.path),
                source=member.file.path,
                mode=member.mode,
                size_bytes=member.file.size_bytes,
                sha256=member.file.sha256,
                assessment=assessments.get(f"{PACKAGE}/{member.path}"),
            )
            for member in layout.members
        ),
        left_out=tuple(
            LeftOutRecord(source=left_out.file.path, sha256=left_out.file.sha256, reason=left_out.reason)
            for left_out in layout.left_out
        ),
        checks=verified.checks,
        findings=verified.findings,
        waived=verified.waived,
    )
