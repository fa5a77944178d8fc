"""Build the wheels of a run with the engine that was asked for, or with both."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import assert_never

from factory.build.assembler.assembler import AssemblingBuilder
from factory.build.backend.reference import ReferenceBuilder
from factory.build.builder import Builder, BuilderName, BuiltPackage, Engine, Package
from factory.build.deflate_cache import DeflateStore
from factory.core.digests import Sha256
from factory.core.errors import VerificationError
from factory.system.cache import Namespace
from factory.wheels.build_environment import BuildEnvironment, engine_at, prepare_toolchain
from factory.wheels.context import RunContext
from factory.wheels.plan import PlannedWheel, WheelsRequest


class EnginesDisagree(VerificationError):
    """The assembler and the backend made different bytes: a defect of the assembler."""

    hint = "Use '--engine backend' and report this with the tag and the platform."

    def __init__(self, name: str, digests: Mapping[Engine, Sha256]) -> None:
        told = ", ".join(f"{engine} made {digest}" for engine, digest in sorted(digests.items()))
        super().__init__(f"{name}: {told}")


class NotAsPublished(VerificationError):
    """Wheels made with the recipe of published ones have other bytes."""

    hint = "Run 'factory audit' on the release: it names what differs."

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(f"not the bytes that the index lists: {', '.join(names)}")


def build_packages(
    packages: Sequence[Package],
    request: WheelsRequest,
    environment: BuildEnvironment,
    context: RunContext,
    scratch: Path,
) -> tuple[BuiltPackage, ...]:
    """Build with the engine that was asked for, and with the other one as well where that was asked for."""
    engine = engine_at(request, environment.builder)
    is_cold = request.is_fresh or request.is_engine_checked
    deflated = scratch / "deflate" if is_cold else context.cache.root / Namespace.DEFLATE

    def made_by(maker: Engine, below: str) -> tuple[BuiltPackage, ...]:
        builder = _builder(maker, environment, context, deflated)
        return builder.build(packages, tag=request.tag, scratch=scratch / below)

    built = made_by(engine, "build")
    if request.is_engine_checked:
        (other,) = set(Engine) - {engine}
        _require_equal({engine: built, other: made_by(other, "check")})
    return built


def _builder(engine: Engine, environment: BuildEnvironment, context: RunContext, deflated: Path) -> Builder:
    """Make an engine's builder; the assembler runs on this host even when the environment is a container."""
    match engine:
        case Engine.BACKEND:
            return ReferenceBuilder(
                front_end=environment.front_end,
                progress=context.progress,
                jobs=context.jobs,
                stop=context.stop,
            )
        case Engine.ASSEMBLER:
            is_here = environment.builder is BuilderName.NATIVE
            toolchain = (
                environment.toolchain if is_here else prepare_toolchain(environment.toolchain.lock, context)
            )
            return AssemblingBuilder(
                toolchain=toolchain,
                runner=context.runner,
                progress=context.progress,
                host_env=context.host_env,
                jobs=context.jobs,
                store=DeflateStore(root=deflated, encoder=toolchain.interpreter.deflate.answer),
                stop=context.stop,
            )
        case _:
            assert_never(engine)


def _require_equal(built: Mapping[Engine, Sequence[BuiltPackage]]) -> None:
    by_name: dict[str, dict[Engine, Sha256]] = {}
    for engine, packages in built.items():
        for package in packages:
            for laid_out in package.wheels:
                by_name.setdefault(laid_out.wheel.name, {})[engine] = laid_out.wheel.sha256
    for name, digests in sorted(by_name.items()):
        if len(set(digests.values())) != 1:
            raise EnginesDisagree(name, digests)


def require_promised(planned: Sequence[PlannedWheel], built: Sequence[BuiltPackage]) -> None:
    """Refuse wheels that are made like published ones and are not the same.

    Raises:
        NotAsPublished: There are some.
    """
    promised = {wheel.recipe.platform.tag: wheel.promised for wheel in planned}
    made = [laid_out.wheel for package in built for laid_out in package.wheels]
    others = [wheel.name for wheel in made if promised[wheel.platform.tag] not in {None, wheel.sha256}]
    if others:
        raise NotAsPublished(others)
