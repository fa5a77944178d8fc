"""Build the wheels of a run with the requested engine, or with both."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from factory.build.assembler.assembler import AssemblingBuilder
from factory.build.backend.reference import ReferenceBuilder
from factory.build.builder import Builder, BuilderName, BuiltWheel, Engine, FetchedPackage, PlannedWheel
from factory.build.deflate_cache import DeflateCache
from factory.build.deflate_check import REFERENCE_ANSWER, require_reference_deflate
from factory.core.errors import VerificationError
from factory.system.cache import made_again
from factory.system.cache_entries import Namespace
from factory.system.lease import Lease
from factory.wheels.build_environment import BuildEnvironment, prepare_toolchain
from factory.wheels.context import RunContext
from factory.wheels.fetch import fetch_packages
from factory.wheels.plan import WheelsRequest


def fetch_and_build(
    wheels: Sequence[PlannedWheel],
    *,
    request: WheelsRequest,
    environment: BuildEnvironment,
    context: RunContext,
    scratch: Path,
) -> tuple[tuple[FetchedPackage, ...], tuple[BuiltWheel, ...]]:
    """Download the packages of some wheels and build them; if the cache was damaged, both once more.

    Raises:
        FactoryError: A download or the build failed.
    """

    def attempt(is_checked: bool) -> tuple[tuple[FetchedPackage, ...], tuple[BuiltWheel, ...]]:  # noqa: FBT001 - see `made_again`
        context.stop.clear()  # the threads of the failed attempt have ended
        packages = fetch_packages(wheels, context, is_checked=is_checked)
        sizes = {wheel.platform: package.content_bytes for package in packages for wheel in package.wheels}
        context.progress.plan({f"verify {platform}": size for platform, size in sizes.items()})
        place = scratch / ("again" if is_checked else "once")
        return packages, build_wheels(packages, request, environment, context, place)

    return made_again(attempt)


def build_wheels(
    packages: Sequence[FetchedPackage],
    request: WheelsRequest,
    environment: BuildEnvironment,
    context: RunContext,
    scratch: Path,
) -> tuple[BuiltWheel, ...]:
    """Build every wheel of some packages; with ``--check-engine`` build it with the other engine, too.

    Raises:
        VerificationError: The two engines wrote different bytes.
        FactoryError: The build failed.
    """
    # A check of the engines must not read what an earlier run compressed.
    is_cold = request.is_fresh or request.is_engine_checked
    spare = scratch / "deflate"
    compressed = _Compressed(
        root=spare if is_cold else context.cache.root / Namespace.DEFLATE,
        lease=None if is_cold else context.cache.lease,
        spare=spare,
    )

    def build(engine: Engine, directory: str) -> tuple[BuiltWheel, ...]:
        builder = _builder(engine, environment, context, compressed)
        return builder.build(packages, scratch=scratch / directory)

    built = build(environment.engine, "build")
    if request.is_engine_checked:
        (other,) = set(Engine) - {environment.engine}
        made = {environment.engine: built, other: build(other, "check")}
        if _differing(*made.values()) and not context.encoders.current().is_zlib:
            # The backend has compressed with zlib: let the assembler do the same, past the cache.
            builder = _with_zlib(environment, context, compressed)
            made[Engine.ASSEMBLER] = builder.build(packages, scratch=scratch / "zlib")
            if not _differing(*made.values()):
                _refuse_encoder(context, built, made[environment.engine])
        _require_equal(made)
        return made[environment.engine]
    return built


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compressed:
    """Where the compressed files of a run are; see `DeflateCache`."""

    root: Path
    lease: Lease | None
    spare: Path


def _builder(
    engine: Engine, environment: BuildEnvironment, context: RunContext, compressed: _Compressed
) -> Builder:
    """Return the builder of an engine; the assembler runs on this host even if the backend does not."""
    match engine:
        case Engine.BACKEND:
            require_reference_deflate(environment.toolchain.interpreter.deflate)  # the backend's is not ours
            return ReferenceBuilder(
                front_end=environment.front_end,
                progress=context.progress,
                jobs=context.jobs,
                stop=context.stop,
            )
        case Engine.ASSEMBLER:
            return _assembler(environment, context, compressed)


def _assembler(
    environment: BuildEnvironment, context: RunContext, compressed: _Compressed
) -> AssemblingBuilder:
    toolchain = environment.toolchain
    if environment.builder is not BuilderName.NATIVE:
        toolchain = prepare_toolchain(toolchain.lock, context)
    return AssemblingBuilder(
        toolchain=toolchain,
        runner=context.runner,
        progress=context.progress,
        host_env=context.host_env,
        jobs=context.jobs,
        cache=DeflateCache(
            root=compressed.root,
            answer=REFERENCE_ANSWER,
            encoder=context.encoders.current(),
            lease=compressed.lease,
            spare=compressed.spare,
        ),
        stop=context.stop,
        encoders=context.encoders,
    )


def _with_zlib(
    environment: BuildEnvironment, context: RunContext, compressed: _Compressed
) -> AssemblingBuilder:
    builder = _assembler(environment, context, compressed)
    cache = DeflateCache(root=compressed.spare / "zlib", answer=REFERENCE_ANSWER)
    return replace(builder, cache=cache)


def _refuse_encoder(context: RunContext, built: Sequence[BuiltWheel], right: Sequence[BuiltWheel]) -> None:
    names = ", ".join(_differing(built, right)) or "a wheel"
    context.encoders.refuse(f"{context.encoders.current().label} gives other bytes than zlib for {names}")


def _differing(built: Sequence[BuiltWheel], others: Sequence[BuiltWheel]) -> list[str]:
    """Return the names of the wheels that have other bytes."""
    digests = {wheel.planned.name: wheel.file.sha256 for wheel in others}
    return sorted(wheel.planned.name for wheel in built if digests[wheel.planned.name] != wheel.file.sha256)


def _require_equal(made: Mapping[Engine, Sequence[BuiltWheel]]) -> None:
    for name in _differing(*made.values())[:1]:
        digests = sorted(
            (engine, wheel.file.sha256)
            for engine, wheels in made.items()
            for wheel in wheels
            if wheel.planned.name == name
        )
        raise VerificationError(
            f"{name}: {', '.join(f'{engine} made {digest}' for engine, digest in digests)}",
            hint="Use '--engine backend' and report this with the tag and the platform.",
        )


def require_published_bytes(built: Sequence[BuiltWheel]) -> None:
    """Refuse rebuilds of published wheels that have other bytes than the published ones.

    Raises:
        VerificationError: A wheel does not have its promised digest.
    """
    others = [
        wheel.planned.name for wheel in built if wheel.planned.promised not in {None, wheel.file.sha256}
    ]
    if others:
        raise VerificationError(
            f"not the bytes that the index lists: {', '.join(others)}",
            hint="Run 'factory audit' on the release: it names what differs.",
        )
