"""The run behind ``factory wheels``: one function, one step after the other."""

from dataclasses import dataclass, replace

from factory.manifest.manifest import Manifest
from factory.release.payload_cache import save_payload
from factory.system.cache_entries import Namespace
from factory.wheels.build import fetch_and_build, require_published_bytes
from factory.wheels.build_environment import open_build_environment
from factory.wheels.context import RunContext
from factory.wheels.own_records import remember_record
from factory.wheels.plan import WheelsPlan
from factory.wheels.record import record_run, record_toolchain
from factory.wheels.reuse import find_reusable, require_used_waivers
from factory.wheels.verify import verify_wheels


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelsRun:
    """The result of a run.

    Attributes:
        manifest: Lists every wheel in the output directory.
        built: The names of the wheels that this run built; an earlier run built the others.
    """

    manifest: Manifest
    built: tuple[str, ...]


def make_wheels(plan: WheelsPlan, context: RunContext) -> WheelsRun:
    """Build the planned wheels that the output directory lacks, and publish all of them or none.

    Raises:
        FactoryError: A step failed; the output directory is unchanged.
    """
    request, dist = plan.request, plan.dist
    with open_build_environment(plan, context) as environment:
        toolchain = record_toolchain(environment)
        earlier = dist.read_manifest()
        reused = find_reusable(plan, earlier, toolchain, context)
        missing = plan.without(reused)
        if earlier is not None and not missing:
            dist.remove_leftovers()
            require_used_waivers(request.waivers, reused)
            toolchain = replace(toolchain, encoder=earlier.toolchain.encoder)
            dist.restore(record_run(plan, toolchain, (), (), reused=reused, earlier=earlier))
            return WheelsRun(manifest=earlier, built=())
        with dist.scratch() as scratch:
            packages, built = fetch_and_build(
                missing, request=request, environment=environment, context=context, scratch=scratch
            )
            require_published_bytes(built)
            sizes = {package.asset.digest: package.size_bytes for package in packages}
            for wheel in built:
                asset = wheel.planned.asset.digest
                save_payload(context.cache, asset, wheel.layout.payload, package_bytes=sizes[asset])
            verified = verify_wheels(built, plan, context, scratch)
            toolchain = replace(toolchain, encoder=context.encoders.label)
            manifest = record_run(plan, toolchain, packages, verified, reused=reused, earlier=earlier)
            require_used_waivers(request.waivers, manifest.wheels)
            dist.publish(manifest, [wheel.file.path for wheel in built])
            for record in manifest.wheels:
                remember_record(context.cache, record)
    context.cache.trim(Namespace.DEFLATE, max_bytes=context.deflate_limit_bytes)
    return WheelsRun(manifest=manifest, built=tuple(wheel.file.name for wheel in built))
