"""The assembler: compress each payload file once, then write the wheels from the compressed files.

It works in three steps, each for all packages together: compress the payload (nearly all of
the time; in parallel, the largest package first), let the backend build all skeletons in one
process, and write the wheels.
"""

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from factory.build.assembler.assemble import assemble
from factory.build.assembler.compress import CompressedPackage, compress, recall
from factory.build.assembler.skeleton import Skeleton, recompressed
from factory.build.assembler.skeleton_build import build_skeletons, plan_skeletons
from factory.build.builder import BuiltWheel, FetchedPackage, PlannedWheel
from factory.build.deflate import Deflated
from factory.build.deflate_cache import DeflateCache
from factory.build.deflate_check import deflate_identity, require_reference_deflate
from factory.build.deflate_guard import require_sample_like_zlib
from factory.build.encoder import ZLIB, EncoderChoice, EncoderDiffers
from factory.build.recipe import WheelLayout, lay_out
from factory.build.stage import StageRequest, stage_skeleton
from factory.build.template import PACKAGE
from factory.build.toolchain import Toolchain
from factory.core.progress import Progress
from factory.system.files import writing
from factory.system.parallel import in_parallel, usable_cores
from factory.system.process import Runner


@dataclass(frozen=True, slots=True, kw_only=True)
class _CompressedWheel:
    """A wheel with its compressed payload, by member name."""

    planned: PlannedWheel
    layout: WheelLayout
    contents: Mapping[str, Deflated]

    @classmethod
    def of(cls, planned: PlannedWheel, package: CompressedPackage) -> "_CompressedWheel":
        """Choose what the wheel contains of a package.

        Raises:
            IntegrityError: The package lacks a file, or has one that cannot be placed.
        """
        layout = lay_out(planned.recipe, package.payload)
        contents = {
            f"{PACKAGE}/{member.path}": package.contents[member.file.sha256] for member in layout.members
        }
        return cls(planned=planned, layout=layout, contents=contents)

    @property
    def compressed_bytes(self) -> int:
        """The size of the compressed payload, nearly that of the wheel."""
        return sum(content.compressed_bytes for content in self.contents.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class AssemblingBuilder:
    """Builds with the assembler.

    Attributes:
        toolchain: The environment with the backend.
        host_env: The variables that every process on this host needs.
        jobs: The largest number of packages or wheels at once.
        cache: The compressed files, and the encoder that makes new ones.
        encoders: The encoder of the run; given up if it differs from zlib.
        stop: Set when the run must end.
    """

    toolchain: Toolchain
    runner: Runner
    progress: Progress
    host_env: Mapping[str, str]
    jobs: int
    cache: DeflateCache
    stop: threading.Event
    encoders: EncoderChoice = field(default_factory=EncoderChoice)

    def build(self, packages: Sequence[FetchedPackage], *, scratch: Path) -> tuple[BuiltWheel, ...]:
        """Build every wheel of every package below ``scratch``; with zlib if the encoder is not equal to it.

        Raises:
            IntegrityError: A package is damaged or hostile.
            BuildError: The backend failed, or its wheel has a layout that the assembler cannot fill.
            OtherDeflate: The encoder is not equal to zlib, and this Python has another zlib.
            CannotWrite: There is no room.
        """
        try:
            return self._build(packages, scratch)
        except EncoderDiffers as error:
            self.stop.clear()  # the threads of the failed build have ended
            self.encoders.refuse(str(error))
            require_reference_deflate(deflate_identity())
            with_zlib = replace(self, cache=replace(self.cache, encoder=ZLIB))
            return with_zlib._build(packages, scratch / "zlib")  # noqa: SLF001 - the same class

    def _build(self, packages: Sequence[FetchedPackage], scratch: Path) -> tuple[BuiltWheel, ...]:
        recalled = [self._recall(package) for package in packages]
        todo = [package for package, known in zip(packages, recalled, strict=True) if known is None]
        self._plan(packages, todo)
        workers = min(self.jobs, usable_cores())  # deflate is bound by the processor
        threads = max(1, workers // max(1, len(todo)))
        fresh = in_parallel(
            lambda package: compress(
                package, cache=self.cache, progress=self.progress, stop=self.stop, threads=threads
            ),
            todo,
            jobs=workers,
            weight=lambda package: package.size_bytes,
            stop=self.stop,
        )
        following = iter(fresh)
        compressed = [known or next(following) for known in recalled]
        wheels = [
            _CompressedWheel.of(planned, done)
            for package, done in zip(packages, compressed, strict=True)
            for planned in package.wheels
        ]
        with ThreadPoolExecutor(max_workers=1) as pool:  # the skeletons are built by another process
            checked = pool.submit(self._check_sample, compressed)
            skeletons = self.skeletons([_stage(wheel, scratch) for wheel in wheels], scratch)
            built = in_parallel(
                lambda pair: self._assemble(*pair, scratch / "wheels"),
                list(zip(wheels, skeletons, strict=True)),
                jobs=self.jobs,
                weight=lambda pair: pair[0].compressed_bytes,
                stop=self.stop,
            )
            checked.result()
        return built

    def _recall(self, package: FetchedPackage) -> CompressedPackage | None:
        if package.payload is None:
            return None
        return recall(package.payload, package=package, cache=self.cache)

    def _plan(self, packages: Sequence[FetchedPackage], todo: Sequence[FetchedPackage]) -> None:
        sizes = {f"compress {package.target}": package.content_bytes for package in todo}
        wheels = [(package, wheel) for package in packages for wheel in package.wheels]
        sizes |= {f"assemble {wheel.platform}": package.content_bytes for package, wheel in wheels}
        self.progress.plan(sizes)

    def _check_sample(self, packages: Sequence[CompressedPackage]) -> None:
        contents = {sha256: content for package in packages for sha256, content in package.contents.items()}
        made = [content for content in contents.values() if self.cache.has_made(content)]
        require_sample_like_zlib(made, self.cache.encoder)

    def skeletons(self, stages: Sequence[Path], scratch: Path) -> tuple[Skeleton, ...]:
        """Let the backend build all stages with empty payload files, in one process."""
        plan = plan_skeletons(
            stages=stages, toolchain=self.toolchain, scratch=scratch / "skeletons", host_env=self.host_env
        )
        with self.progress.task("lay out"):
            skeletons = build_skeletons(plan, runner=self.runner)
        if self.toolchain.interpreter.deflate.is_reference:
            return skeletons
        return tuple(recompressed(skeleton, self.cache.encoder) for skeleton in skeletons)

    def _assemble(self, wheel: _CompressedWheel, skeleton: Skeleton, directory: Path) -> BuiltWheel:
        planned = wheel.planned
        with writing(directory):
            directory.mkdir(parents=True, exist_ok=True)
            with self.progress.task(
                f"assemble {planned.platform}", total_bytes=wheel.compressed_bytes
            ) as task:
                file = assemble(
                    skeleton,
                    wheel.contents,
                    create_system=planned.recipe.container.create_system,
                    into=directory / skeleton.name,
                    task=task,
                    encoder=self.cache.encoder,
                )
        return BuiltWheel(planned=planned, layout=wheel.layout, file=file)


def _stage(wheel: _CompressedWheel, scratch: Path) -> Path:
    planned = wheel.planned
    destination = scratch / f"skeleton-{planned.platform}"
    request = StageRequest(destination=destination, tag=planned.tag, recipe=planned.recipe)
    return stage_skeleton(request, wheel.layout).path
