"""Build the wheels of a run with the engine that was asked for, or with both."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from factory.builders.assembler import AssemblingBuilder
from factory.builders.native import NativeFrontEnd
from factory.builders.package import Builder, BuiltPackage, Engine, Package
from factory.builders.reference import ReferenceBuilder
from factory.deflate_store import DeflateStore
from factory.digests import Sha256
from factory.errors import VerificationError
from factory.planning import PlannedWheel, WheelsPlan
from factory.store import Namespace
from factory.toolchain import Toolchain, lock_for
from factory.workshop import Workshop
from factory.zlib_identity import deflate_identity, require_reference_deflate


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


def prepare_toolchain(plan: WheelsPlan, workshop: Workshop) -> Toolchain:
    """Make the locked environment, and let both encoders answer for themselves.

    The assembler deflates with this process's zlib, the backend with the toolchain's.

    Raises:
        OtherDeflate: One of them is not the reference.
    """
    with ThreadPoolExecutor(max_workers=1) as pool:  # each takes its time, and they do not need each other
        making = pool.submit(workshop.toolchain_for, lock_for(plan.wheels[0].recipe.backend.version))
        try:
            require_reference_deflate(deflate_identity())
            toolchain = making.result()
        except BaseException:
            workshop.stop.set()
            raise
    require_reference_deflate(toolchain.interpreter.deflate)
    return toolchain


def build_packages(
    packages: Sequence[Package],
    plan: WheelsPlan,
    toolchain: Toolchain,
    workshop: Workshop,
    scratch: Path,
) -> tuple[BuiltPackage, ...]:
    """Build with the engine that was asked for, and with the other one as well where that was asked for."""
    order = plan.order
    is_cold = order.is_fresh or order.is_engine_checked
    deflated = scratch / "deflate" if is_cold else workshop.store.root / Namespace.DEFLATE
    makers = {
        Engine.ASSEMBLER: _assembling(toolchain, workshop, deflated),
        Engine.BACKEND: _reference(toolchain, workshop),
    }
    built = makers[order.engine].build(packages, tag=order.tag, scratch=scratch / "build")
    if order.is_engine_checked:
        (other,) = set(Engine) - {order.engine}
        check = makers[other].build(packages, tag=order.tag, scratch=scratch / "check")
        _require_equal({order.engine: built, other: check})
    return built


def _assembling(toolchain: Toolchain, workshop: Workshop, deflated: Path) -> Builder:
    return AssemblingBuilder(
        toolchain=toolchain,
        runner=workshop.runner,
        progress=workshop.progress,
        host_env=workshop.host_env,
        jobs=workshop.jobs,
        store=DeflateStore(root=deflated, encoder=toolchain.interpreter.deflate.answer),
        stop=workshop.stop,
    )


def _reference(toolchain: Toolchain, workshop: Workshop) -> Builder:
    front_end = NativeFrontEnd(
        toolchain=toolchain,
        runner=workshop.runner,
        progress=workshop.progress,
        host_env=workshop.host_env,
    )
    return ReferenceBuilder(
        front_end=front_end, progress=workshop.progress, jobs=workshop.jobs, stop=workshop.stop
    )


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
