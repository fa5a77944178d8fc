"""The front end on this host: a process with the locked toolchain."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from factory.build.backend.output import BuildFailed, only_file, place
from factory.build.backend.plan import BuildPlan, plan_native_build
from factory.build.builder import WheelFile
from factory.build.recipe import Recipe
from factory.build.toolchain import Toolchain
from factory.core.model import StagedRuntime
from factory.core.progress import Progress
from factory.system.files import writing
from factory.system.process import Runner


@dataclass(frozen=True, slots=True, kw_only=True)
class NativeFrontEnd:
    """Runs ``python -m build`` on this host.

    Attributes:
        toolchain: The environment that has the backend.
        runner: What starts the processes.
        progress: Is told of each build.
        host_env: Variables without which no process runs on this host.
        logs: Where the log of a failed build stays; beside the scratch directory when None.
    """

    toolchain: Toolchain
    runner: Runner
    progress: Progress
    host_env: Mapping[str, str]
    logs: Path | None = None

    def build(self, staged: StagedRuntime, recipe: Recipe, *, scratch: Path, dist: Path) -> WheelFile:
        """Build one wheel into ``dist``; see `FrontEnd`."""
        plan = plan_native_build(
            staged=staged, toolchain=self.toolchain, scratch=scratch, dist=dist, host_env=self.host_env
        )
        plan = replace(plan, create_system=recipe.container.create_system)
        if self.logs is not None:
            with writing(self.logs):
                self.logs.mkdir(parents=True, exist_ok=True)
            plan = replace(plan, command=replace(plan.command, log=self.logs / f"{plan.wheel_name}.log"))
        return build(plan, runner=self.runner, progress=self.progress)


def build(plan: BuildPlan, *, runner: Runner, progress: Progress) -> WheelFile:
    """Run a plan and put the wheel in its place, whole or not at all.

    The log stays when the build fails.

    Raises:
        BuildFailed: The process failed.
        UnexpectedOutput: Another file than the planned one came out.
        CannotWrite: The scratch directory or the destination does not take files.
    """
    with writing(plan.scratch):
        plan.scratch.mkdir(parents=True)
    try:
        _furnish_scratch(plan)
        with progress.task(f"build {plan.staged.platform}"):
            completed = runner.run(plan.command)
        if completed.returncode != 0:
            raise BuildFailed(plan.wheel_name, completed.reason, plan.command.log)
        return place(plan.output, only_file(plan.output))
    finally:
        shutil.rmtree(plan.scratch, ignore_errors=True)


def _furnish_scratch(plan: BuildPlan) -> None:
    with writing(plan.scratch):
        for name in ("out", "tmp", "home", "work"):
            (plan.scratch / name).mkdir()
        if plan.command.log is not None:
            plan.command.log.unlink(missing_ok=True)
