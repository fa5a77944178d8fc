"""The reference engine: stage each wheel on disk, and let the PEP 517 front end build it."""

import shutil
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from factory.build.backend.front_end import FrontEnd
from factory.build.builder import BuiltWheel, FetchedPackage
from factory.build.recipe import lay_out
from factory.build.stage import StageRequest, stage_many
from factory.core.progress import Progress
from factory.system.parallel import in_parallel


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceBuilder:
    """Builds with ``python -m build``, one process for each wheel.

    Attributes:
        jobs: The largest number of packages at once.
        stop: Set when the run must end.
    """

    front_end: FrontEnd
    progress: Progress
    jobs: int
    stop: threading.Event

    def build(self, packages: Sequence[FetchedPackage], *, scratch: Path) -> tuple[BuiltWheel, ...]:
        """Build every wheel of every package; at most ``jobs`` packages are on disk at once.

        Raises:
            IntegrityError: A package is damaged or hostile.
            BuildError: The backend failed.
            CannotWrite: There is no room.
        """
        sizes = {wheel.platform: package.content_bytes for package in packages for wheel in package.wheels}
        self.progress.plan({f"build {platform}": size for platform, size in sizes.items()})
        built = in_parallel(
            lambda package: self._build_package(package, scratch),
            packages,
            jobs=self.jobs,
            weight=lambda package: package.size_bytes,
            stop=self.stop,
        )
        return tuple(wheel for wheels in built for wheel in wheels)

    def _build_package(self, package: FetchedPackage, scratch: Path) -> tuple[BuiltWheel, ...]:
        requests = tuple(
            StageRequest(destination=scratch / f"stage-{wheel.platform}", tag=wheel.tag, recipe=wheel.recipe)
            for wheel in package.wheels
        )
        with self.progress.task(f"stage {package.target}"):
            staged = stage_many(package.source, requests)
        built: list[BuiltWheel] = []
        for planned, runtime in zip(package.wheels, staged.runtimes, strict=True):
            try:
                file = self.front_end.build(
                    runtime,
                    scratch=scratch / f"build-{planned.platform}",
                    dist=scratch / "wheels",
                )
            finally:
                shutil.rmtree(runtime.path, ignore_errors=True)
            layout = lay_out(planned.recipe, staged.payload)
            built.append(BuiltWheel(planned=planned, layout=layout, file=file))
        return tuple(built)
