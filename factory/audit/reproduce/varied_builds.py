"""Build wheels under variations."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import mkdtemp

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
from factory.build.locked_wheels import WheelsNotFetched
from factory.build.toolchain import Lock, Toolchain, ToolchainFailed
from factory.core.errors import BuildError, HostError
from factory.system.files import writing
from factory.system.parallel import Stopped
from factory.wheels.build import fetch_and_build
from factory.wheels.build_environment import BuildEnvironment, open_build_environment
from factory.wheels.context import RunContext
from factory.wheels.plan import WheelsPlan


class NotTried(HostError):
    """This host lacks something for a variation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VariedBuilder:
    """Builds wheels under variations.

    Attributes:
        context: The context of the plain build.
        toolchain_on: Returns the environment of a lock on some interpreter, and creates it if necessary.
        find_program: Returns the path of a program, given its name or path, or None.
        env: The variables that pip needs.
        scratch: A directory for wheels and stages, with room for several wheels.
    """

    context: RunContext
    toolchain_on: Callable[[Path, Lock], Toolchain]
    find_program: Callable[[str], str | None]
    env: Mapping[str, str]
    scratch: Path

    @contextmanager
    def build(
        self, plan: WheelsPlan, variations: Sequence[Variation], *, name: str
    ) -> Iterator[Mapping[str, Path]]:
        """Build the wheels of a plan under several variations at once; yield them by platform tag.

        Raises:
            NotTried: The host lacks something for one of the variations.
            OtherDeflate: The interpreter's deflate encoder is not the reference.
            FactoryError: The build failed.
        """
        with writing(self.scratch):
            scratch = Path(mkdtemp(dir=self.scratch))
        try:
            with (
                self._prepared(plan, variations) as (varied, context, environment),
                self.context.progress.task(f"variation {name}"),
            ):
                built = _build(varied, context, environment, scratch)
            yield {wheel.planned.platform.tag: wheel.file.path for wheel in built}
        finally:
            # A failed build has stopped its threads, and they have ended: let the next build start.
            self.context.stop.clear()
            shutil.rmtree(scratch, ignore_errors=True)

    def missing_for(self, surroundings: Surroundings) -> str | None:
        """Return why some surroundings are not available on this host, or None."""
        return surroundings.why_not(self.context.runner)

    @contextmanager
    def _prepared(
        self, plan: WheelsPlan, variations: Sequence[Variation]
    ) -> Iterator[tuple[WheelsPlan, RunContext, BuildEnvironment]]:
        """Prepare a build; if that fails, the host lacks something, and the variation was not tried."""
        with ExitStack() as stack:
            try:
                plan, context = self._varied(plan, variations)
                environment = stack.enter_context(open_build_environment(plan, context))
            except (OtherDeflate, Stopped):
                raise
            except (HostError, ToolchainFailed, WheelsNotFetched) as error:
                if not variations:
                    raise
                raise NotTried(str(error).partition("\n")[0]) from error
            yield plan, context, environment

    def _varied(self, plan: WheelsPlan, variations: Sequence[Variation]) -> tuple[WheelsPlan, RunContext]:
        """Return the plan and the context of a build under some variations."""
        around: list[Surroundings] = []
        context = self.context
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
                    context = _using(context, self._on(program, plan))
                case OtherZlib():
                    context = _using(context, self._on_zlib_ng(plan))
        return plan, replace(context, runner=VaryingRunner(runner=context.runner, surroundings=around))

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
        if toolchain.python == self.context.toolchain_for(lock).python:
            raise NotTried("it is the interpreter of the plain build")
        return toolchain

    def _on_zlib_ng(self, plan: WheelsPlan) -> Toolchain:
        context = self.context
        return zlib_ng_toolchain(plan.lock, context.toolchain_for, env=self.env, runner=context.runner)


def _build(
    plan: WheelsPlan, context: RunContext, environment: BuildEnvironment, scratch: Path
) -> tuple[BuiltWheel, ...]:
    try:
        return fetch_and_build(
            plan.wheels, request=plan.request, environment=environment, context=context, scratch=scratch
        )[1]
    except BuildError as error:
        # The next build of the same wheel overwrites the log, so its last line replaces its path.
        failed = str(error).partition("; log:")[0]
        raise BuildError(f"{failed}: {_last_line(context.logs)}") from error


def _last_line(directory: Path) -> str:
    """Return the last line of the newest log."""
    logs = sorted(directory.glob("*.log"), key=lambda log: log.stat().st_mtime)
    text = logs[-1].read_text(encoding="utf-8", errors="replace") if logs else ""
    return text.strip().rpartition("\n")[2]


def _using(context: RunContext, toolchain: Toolchain) -> RunContext:
    return replace(context, toolchain_for=lambda _: toolchain)
