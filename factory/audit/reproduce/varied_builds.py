"""Carry variations out: make what a build needs of them, and build."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import mkdtemp
from typing import assert_never

from factory.audit.reproduce.variations import (
    OtherBuilder,
    OtherEngine,
    OtherInterpreter,
    OtherZlib,
    Surroundings,
    Variation,
    VaryingRunner,
)
from factory.audit.reproduce.zlib_ng import zlib_ng_toolchain
from factory.build.builder import BuiltWheel
from factory.build.deflate_check import OtherDeflate
from factory.build.toolchain import Lock, Toolchain, ToolchainFailed
from factory.build.wheel_directory import WheelsNotFetched
from factory.core.errors import BuildError, HostError
from factory.system.files import writing
from factory.system.parallel import Stopped
from factory.wheels.build import build_wheels
from factory.wheels.build_environment import BuildEnvironment, open_build_environment
from factory.wheels.context import RunContext
from factory.wheels.fetch import fetch_packages
from factory.wheels.plan import WheelsPlan


class NotTried(HostError):
    """This host lacks something for a variation."""


class VariedBuildFailed(BuildError):
    """A build under some variation failed; of its log the end is kept."""

    def __init__(self, told: str, last_words: str) -> None:
        super().__init__(f"{told.partition('; log:')[0]}: {last_words}")


@dataclass(frozen=True, slots=True, kw_only=True)
class VariedBuilder:
    """What varied builds work with.

    Attributes:
        workshop: That of the plain build.
        toolchain_on: Makes a lock's environment on another interpreter, or gives the one made before.
        find_program: Returns a program's path by its name or path, or None.
        env: What pip needs of the caller's environment.
        scratch: A directory for wheels and stages; several wheels at once lie there.
    """

    workshop: RunContext
    toolchain_on: Callable[[Path, Lock], Toolchain]
    find_program: Callable[[str], str | None]
    env: Mapping[str, str]
    scratch: Path

    @contextmanager
    def build(
        self, plan: WheelsPlan, variations: Sequence[Variation], *, name: str
    ) -> Iterator[Mapping[str, Path]]:
        """Give a plan's wheels by platform tag, made anew under some variations at once.

        Raises:
            NotTried: The host lacks something for one of them.
            OtherDeflate: The interpreter's encoder is not the reference one.
            FactoryError: The build failed.
        """
        with writing(self.scratch):
            scratch = Path(mkdtemp(dir=self.scratch))
        try:
            with self._site(plan, variations) as (varied, workshop, site), self._told(name):
                built = self._build(varied, workshop, site, scratch)
            yield {wheel.planned.platform.tag: wheel.file.path for wheel in built}
        finally:
            # One build's failure stopped its threads, and they have ended; the next build has its own.
            self.workshop.stop.clear()
            shutil.rmtree(scratch, ignore_errors=True)

    def missing_for(self, surroundings: Surroundings) -> str | None:
        """Return why this host does not have some surroundings, or None."""
        return surroundings.why_not(self.workshop.runner)

    def _told(self, name: str) -> AbstractContextManager[object]:
        return self.workshop.progress.task(f"variation {name}")

    @contextmanager
    def _site(
        self, plan: WheelsPlan, variations: Sequence[Variation]
    ) -> Iterator[tuple[WheelsPlan, RunContext, BuildEnvironment]]:
        """Prepare what a build needs; where that fails, the host lacks something, and no wheel failed."""
        with ExitStack() as stack:
            try:
                plan, workshop = self._settle(plan, variations)
                site = stack.enter_context(open_build_environment(plan, workshop))
            except (OtherDeflate, Stopped):
                raise
            except (HostError, ToolchainFailed, WheelsNotFetched) as error:
                if not variations:
                    raise
                raise NotTried(str(error).partition("\n")[0]) from error
            yield plan, workshop, site

    def _settle(self, plan: WheelsPlan, variations: Sequence[Variation]) -> tuple[WheelsPlan, RunContext]:
        """Decide what a build under some variations works by and with."""
        around: list[Surroundings] = []
        workshop = self.workshop
        for variation in variations:
            change = variation.change
            match change:
                case Surroundings():
                    around.append(self._available(change))
                case OtherEngine(engine=engine):
                    plan = replace(plan, request=replace(plan.request, engine=engine))
                case OtherBuilder(builder=builder):
                    plan = replace(plan, request=replace(plan.request, builder=builder))
                case OtherInterpreter(program=program):
                    workshop = _using(workshop, self._on(program, plan))
                case OtherZlib():
                    workshop = _using(workshop, self._on_zlib_ng(plan))
                case _:
                    assert_never(change)
        return plan, replace(workshop, runner=VaryingRunner(runner=workshop.runner, surroundings=around))

    def _available(self, surroundings: Surroundings) -> Surroundings:
        reason = self.missing_for(surroundings)
        if reason is not None:
            raise NotTried(reason)
        return surroundings

    def _on(self, program: str, plan: WheelsPlan) -> Toolchain:
        found = self.find_program(program)
        if found is None:
            raise NotTried(f"no {program} on PATH; name one with --python")
        lock = plan.lock
        toolchain = self.toolchain_on(Path(found), lock)
        if toolchain.python == self.workshop.toolchain_for(lock).python:
            raise NotTried("it is the interpreter of the plain build")
        return toolchain

    def _on_zlib_ng(self, plan: WheelsPlan) -> Toolchain:
        workshop = self.workshop
        return zlib_ng_toolchain(plan.lock, workshop.toolchain_for, env=self.env, runner=workshop.runner)

    def _build(
        self, plan: WheelsPlan, workshop: RunContext, site: BuildEnvironment, scratch: Path
    ) -> tuple[BuiltWheel, ...]:
        try:
            packages = fetch_packages(plan.wheels, workshop)
            return build_wheels(packages, plan.request, site, workshop, scratch)
        except BuildError as error:
            raise VariedBuildFailed(str(error), _last_words(workshop.logs)) from error


def _last_words(directory: Path) -> str:
    """Return how the newest log ends: the next build of the same wheel writes over it."""
    logs = sorted(directory.glob("*.log"), key=lambda log: log.stat().st_mtime)
    text = logs[-1].read_text(encoding="utf-8", errors="replace") if logs else ""
    return text.strip().rpartition("\n")[2]


def _using(workshop: RunContext, toolchain: Toolchain) -> RunContext:
    return replace(workshop, toolchain_for=lambda _: toolchain)
