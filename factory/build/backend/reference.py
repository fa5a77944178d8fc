"""The reference engine: stage each platform on disk and let the real front end build it."""

import shutil
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from factory.build.backend.front_end import FrontEnd
from factory.build.builder import BuiltPackage, LaidOutWheel, Package
from factory.build.recipe import Recipe, lay_out
from factory.build.stage import StageRequest, stage_many
from factory.core.model import BuiltWheel, StagedRuntime
from factory.core.progress import Progress
from factory.core.tags import CodexTag
from factory.system.parallel import in_parallel


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceBuilder:
    """Builds with ``python -m build``, a process a wheel.

    Attributes:
        front_end: What builds a stage.
        progress: Is told of each stage.
        jobs: How many packages at once.
        stop: Is set when the run must end.
    """

    front_end: FrontEnd
    progress: Progress
    jobs: int
    stop: threading.Event

    def build(self, packages: Sequence[Package], *, tag: CodexTag, scratch: Path) -> tuple[BuiltPackage, ...]:
        """Build every wheel of every package; at most ``jobs`` packages are on disk at once.

        Raises:
            IntegrityError: A package is damaged or hostile.
            BuildError: The backend failed.
            CannotWrite: There is no room.
        """
        return in_parallel(
            lambda package: self._build_package(package, tag, scratch),
            packages,
            jobs=self.jobs,
            weight=lambda package: package.size_bytes,
            stop=self.stop,
        )

    def _build_package(self, package: Package, tag: CodexTag, scratch: Path) -> BuiltPackage:
        requests = tuple(
            StageRequest(destination=scratch / f"stage-{recipe.platform}", recipe=recipe)
            for recipe in package.recipes
        )
        with self.progress.task(f"stage {package.target}"):
            staged = stage_many(package.source, requests, tag=tag)
        wheels = tuple(
            LaidOutWheel(
                wheel=self._build_wheel(runtime, recipe, scratch),
                recipe=recipe,
                layout=lay_out(recipe, staged.payload),
            )
            for runtime, recipe in zip(staged.runtimes, package.recipes, strict=True)
        )
        return BuiltPackage(payload=staged.payload, wheels=wheels)

    def _build_wheel(self, staged: StagedRuntime, recipe: Recipe, scratch: Path) -> BuiltWheel:
        try:
            return self.front_end.build(
                staged, recipe, scratch=scratch / f"build-{staged.platform}", dist=scratch / "wheels"
            )
        finally:
            shutil.rmtree(staged.path, ignore_errors=True)
