"""The front end on this host: a process with the locked toolchain."""

import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from factory.builders.plan import BuildPlan, plan_native_build
from factory.builders.zip_host import set_zip_host
from factory.digests import Sha256
from factory.errors import BuildError
from factory.files import writing
from factory.model import BuiltWheel, StagedRuntime
from factory.process import Runner
from factory.progress import Progress
from factory.recipe import Recipe
from factory.toolchain import Toolchain


class BuildFailed(BuildError):
    """The front end or the backend failed."""

    hint = "Read the log; the staged directory can be built by hand with 'python -m build --wheel'."

    def __init__(self, wheel_name: str, reason: str, log: Path | None) -> None:
        super().__init__(f"building {wheel_name} failed in the backend: {reason}; log: {log}")


class UnexpectedOutput(BuildError):
    """The backend ended well, but what came out is not the one planned wheel."""

    hint = "Stage the runtime again: its name, version or platform tag may have been edited."

    def __init__(self, wheel_name: str, found: tuple[str, ...], log: Path | None) -> None:
        seen = ", ".join(found) or "nothing"
        super().__init__(f"building {wheel_name} gave {seen} in its place; log: {log}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NativeFrontEnd:
    """Runs ``python -m build`` on this host.

    Attributes:
        toolchain: The environment that has the backend.
        runner: What starts the processes.
        progress: Is told of each build.
        host_env: Variables without which no process runs on this host.
    """

    toolchain: Toolchain
    runner: Runner
    progress: Progress
    host_env: Mapping[str, str]

    def build(self, staged: StagedRuntime, recipe: Recipe, *, scratch: Path, dist: Path) -> BuiltWheel:
        """Build one wheel into ``dist``; see `FrontEnd`."""
        plan = plan_native_build(
            staged=staged, toolchain=self.toolchain, scratch=scratch, dist=dist, host_env=self.host_env
        )
        plan = replace(plan, create_system=recipe.container.create_system)
        return build(plan, runner=self.runner, progress=self.progress)


def build(plan: BuildPlan, *, runner: Runner, progress: Progress) -> BuiltWheel:
    """Run a plan and put the wheel in its place, whole or not at all.

    The wheel is hashed before the rename; its bytes are the backend's but for the zip host,
    which is the recipe's. The
    log stays beside the scratch directory when the build fails, else it goes with it.

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
        return _place(plan, _only_output(plan))
    finally:
        shutil.rmtree(plan.scratch, ignore_errors=True)


def _furnish_scratch(plan: BuildPlan) -> None:
    with writing(plan.scratch):
        for name in ("out", "tmp", "home", "work"):
            (plan.scratch / name).mkdir()
        if plan.command.log is not None:
            plan.command.log.unlink(missing_ok=True)


def _only_output(plan: BuildPlan) -> Path:
    found = tuple(sorted(path.name for path in plan.out.iterdir()))
    if found != (plan.wheel_name,):
        raise UnexpectedOutput(plan.wheel_name, found, plan.command.log)
    return plan.out / plan.wheel_name


def _place(plan: BuildPlan, wheel: Path) -> BuiltWheel:
    """Move the wheel by rename, and drop the log that nobody needs any more."""
    try:
        set_zip_host(wheel, plan.create_system)
    except zipfile.BadZipFile as error:
        raise UnexpectedOutput(
            plan.wheel_name, ("a file that is no zip archive",), plan.command.log
        ) from error
    sha256 = Sha256.of_file(wheel)
    size_bytes = wheel.stat().st_size
    with writing(plan.destination):
        plan.destination.parent.mkdir(parents=True, exist_ok=True)
        wheel.replace(plan.destination)
        if plan.command.log is not None:
            plan.command.log.unlink(missing_ok=True)
    return BuiltWheel(
        path=plan.destination, platform=plan.staged.platform, size_bytes=size_bytes, sha256=sha256
    )
