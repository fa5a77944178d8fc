"""Build the wheels of a run with the requested engine, or with both."""

from collections.abc import Sequence
from pathlib import Path

from factory.build.assembler.assembler import AssemblingBuilder
from factory.build.backend.reference import ReferenceBuilder
from factory.build.builder import Builder, BuilderName, BuiltWheel, Engine, FetchedPackage
from factory.build.deflate_cache import DeflateCache
from factory.core.errors import VerificationError
from factory.system.cache import Namespace
from factory.wheels.build_environment import BuildEnvironment, prepare_toolchain
from factory.wheels.context import RunContext
from factory.wheels.plan import WheelsRequest


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
    compressed = scratch / "deflate" if is_cold else context.cache.root / Namespace.DEFLATE

    def build(engine: Engine, directory: str) -> tuple[BuiltWheel, ...]:
        builder = _builder(engine, environment, context, compressed)
        return builder.build(packages, scratch=scratch / directory)

    built = build(environment.engine, "build")
    if request.is_engine_checked:
        (other,) = set(Engine) - {environment.engine}
        _require_equal(environment.engine, built, other, build(other, "check"))
    return built


def _builder(engine: Engine, environment: BuildEnvironment, context: RunContext, compressed: Path) -> Builder:
    """Return the builder of an engine; the assembler runs on this host even if the backend does not."""
    match engine:
        case Engine.BACKEND:
            return ReferenceBuilder(
                front_end=environment.front_end,
                progress=context.progress,
                jobs=context.jobs,
                stop=context.stop,
            )
        case Engine.ASSEMBLER:
            toolchain = environment.toolchain
            if environment.builder is not BuilderName.NATIVE:
                toolchain = prepare_toolchain(toolchain.lock, context)
            return AssemblingBuilder(
                toolchain=toolchain,
                runner=context.runner,
                progress=context.progress,
                host_env=context.host_env,
                jobs=context.jobs,
                cache=DeflateCache(root=compressed, encoder=toolchain.interpreter.deflate.answer),
                stop=context.stop,
            )


def _require_equal(
    engine: Engine, built: Sequence[BuiltWheel], other: Engine, check: Sequence[BuiltWheel]
) -> None:
    digests = {wheel.planned.name: wheel.file.sha256 for wheel in check}
    for wheel in sorted(built, key=lambda wheel: wheel.planned.name):
        name, sha256 = wheel.planned.name, wheel.file.sha256
        if digests[name] != sha256:
            made = sorted({engine: sha256, other: digests[name]}.items())
            raise VerificationError(
                f"{name}: {', '.join(f'{one} made {digest}' for one, digest in made)}",
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
