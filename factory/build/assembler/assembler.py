"""The fast engine: deflate each distinct content once, then fill the backend's empty wheels.

Three steps, each over all packages at once: compress (nearly all of the time; in
parallel, the largest package first), one call of the backend for all skeletons,
assemble.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from factory.build.assembler.assemble import assemble
from factory.build.assembler.backend import build_skeletons, plan_skeletons
from factory.build.assembler.compress import CompressedPackage, compress, recall
from factory.build.assembler.skeleton import Skeleton
from factory.build.builder import BuiltPackage, LaidOutWheel, Package
from factory.build.deflate import Deflated
from factory.build.deflate_cache import DeflateStore
from factory.build.recipe import Recipe, WheelLayout, lay_out
from factory.build.stage import StageRequest, stage_skeleton
from factory.build.template import PACKAGE
from factory.build.toolchain import Toolchain
from factory.core.model import BuiltWheel
from factory.core.progress import Progress
from factory.core.tags import CodexTag
from factory.system.files import writing
from factory.system.parallel import in_parallel, usable_cores
from factory.system.process import Runner


@dataclass(frozen=True, slots=True, kw_only=True)
class _WheelOrder:
    """A wheel whose payload is compressed."""

    recipe: Recipe
    layout: WheelLayout
    package: CompressedPackage

    @property
    def size_bytes(self) -> int:
        """How much will be written, nearly."""
        return sum(
            self.package.contents[member.file.sha256].compressed_bytes for member in self.layout.members
        )

    def contents(self) -> Mapping[str, Deflated]:
        """Return the deflated payload by its member name in the wheel."""
        return {
            f"{PACKAGE}/{member.path}": self.package.contents[member.file.sha256]
            for member in self.layout.members
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class AssemblingBuilder:
    """Builds with the assembler.

    Attributes:
        toolchain: The environment that has the backend.
        runner: What starts its one process.
        progress: Is told of each package compressed and each wheel assembled.
        host_env: Variables without which no process runs on this host.
        jobs: How many packages or wheels at once.
        store: Where deflated contents are kept.
        stop: Is set when the run must end.
    """

    toolchain: Toolchain
    runner: Runner
    progress: Progress
    host_env: Mapping[str, str]
    jobs: int
    store: DeflateStore
    stop: threading.Event

    def build(self, packages: Sequence[Package], *, tag: CodexTag, scratch: Path) -> tuple[BuiltPackage, ...]:
        """Build every wheel of every package into ``scratch``.

        Raises:
            IntegrityError: A package is damaged or hostile.
            BuildError: The backend failed, or laid a wheel out in a way that is not understood.
            CannotWrite: There is no room.
        """
        compressed = in_parallel(
            self._compress,
            packages,
            jobs=min(self.jobs, usable_cores()),  # deflate is bound by the processor
            weight=lambda package: package.size_bytes,
            stop=self.stop,
        )
        orders = [
            _WheelOrder(recipe=recipe, layout=lay_out(recipe, done.payload), package=done)
            for package, done in zip(packages, compressed, strict=True)
            for recipe in package.recipes
        ]
        jobs = list(zip(orders, self._skeletons(orders, tag, scratch), strict=True))
        wheels = iter(
            in_parallel(
                lambda job: self._assemble(*job, scratch),
                jobs,
                jobs=self.jobs,
                weight=lambda job: job[0].size_bytes,
                stop=self.stop,
            )
        )
        return tuple(
            BuiltPackage(
                payload=done.payload,
                wheels=tuple(next(wheels) for _ in package.recipes),
            )
            for package, done in zip(packages, compressed, strict=True)
        )

    def _compress(self, package: Package) -> CompressedPackage:
        if package.payload is not None:
            recalled = recall(package.payload, package=package, store=self.store)
            if recalled is not None:
                return recalled
        return compress(package, store=self.store, progress=self.progress, stop=self.stop)

    def _skeletons(self, orders: Sequence[_WheelOrder], tag: CodexTag, scratch: Path) -> tuple[Skeleton, ...]:
        """Let the backend lay all wheels out, in one process."""
        stages = tuple(
            stage_skeleton(
                StageRequest(destination=scratch / f"skeleton-{order.recipe.platform}", recipe=order.recipe),
                order.layout,
                tag=tag,
            )
            for order in orders
        )
        plan = plan_skeletons(
            stages=stages, toolchain=self.toolchain, scratch=scratch / "skeletons", host_env=self.host_env
        )
        with self.progress.task("lay out"):
            return build_skeletons(plan, runner=self.runner)

    def _assemble(self, order: _WheelOrder, skeleton: Skeleton, scratch: Path) -> LaidOutWheel:
        wheels = scratch / "wheels"
        with writing(wheels):
            wheels.mkdir(parents=True, exist_ok=True)
            with self.progress.task(
                f"assemble {order.recipe.platform}", total_bytes=order.size_bytes
            ) as task:
                assembled = assemble(
                    skeleton,
                    order.contents(),
                    create_system=order.recipe.container.create_system,
                    into=wheels / skeleton.name,
                    task=task,
                )
        wheel = BuiltWheel(
            path=wheels / skeleton.name,
            platform=order.recipe.platform,
            size_bytes=assembled.size_bytes,
            sha256=assembled.sha256,
        )
        return LaidOutWheel(wheel=wheel, recipe=order.recipe, layout=order.layout)
