"""The front end on this host: a process with the locked toolchain."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from factory.build.backend.front_end import scrubbed_env
from factory.build.backend.output import BuildFailed, WheelOutput, only_file, place_wheel
from factory.build.builder import WheelFile
from factory.build.stage import StagedRuntime
from factory.build.toolchain import Toolchain
from factory.core.progress import Progress
from factory.system.files import require_room, writing
from factory.system.process import Command, Runner


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildPlan:
    """The build of one wheel by a process on this host."""

    command: Command
    output: WheelOutput


def plan_native_build(output: WheelOutput, *, toolchain: Toolchain, host_env: Mapping[str, str]) -> BuildPlan:
    """Plan ``python -m build --wheel --no-isolation`` with the toolchain, without starting it.

    The backend writes the wheel into its temporary directory first, so that ``scratch`` has to be on the
    disk of ``dist``. The process gets no variables of the caller except ``host_env``.
    """
    scratch = output.scratch.absolute()
    argv = (str(toolchain.python), "-m", "build", "--wheel", "--no-isolation")
    return BuildPlan(
        command=Command(
            argv=(*argv, "--outdir", str(scratch / "out"), str(output.staged.path.absolute())),
            env={**host_env, **scrubbed_env(scratch)},
            cwd=output.scratch / "work",
            log=output.log,
        ),
        output=output,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class NativeFrontEnd:
    """Runs ``python -m build`` on this host.

    Attributes:
        toolchain: The environment with the backend.
        host_env: The variables that every process on this host needs, as ``SYSTEMROOT`` on Windows.
        logs: The directory for the logs of failed builds.
    """

    toolchain: Toolchain
    runner: Runner
    progress: Progress
    host_env: Mapping[str, str]
    logs: Path

    def build(self, staged: StagedRuntime, *, scratch: Path, dist: Path) -> WheelFile:
        """Build one wheel into ``dist``; see `FrontEnd`."""
        log = self.logs / f"{staged.wheel_name}.log"
        output = WheelOutput(staged=staged, scratch=scratch, dist=dist, log=log)
        plan = plan_native_build(output, toolchain=self.toolchain, host_env=self.host_env)
        return run_build(plan, runner=self.runner, progress=self.progress)


def run_build(plan: BuildPlan, *, runner: Runner, progress: Progress) -> WheelFile:
    """Run a plan and move the wheel to ``dist``; after an error ``dist`` is unchanged.

    Raises:
        BuildError: The process failed, or did not write just the planned wheel; the log is kept.
        CannotWrite: A directory is not writable.
    """
    output = plan.output
    with writing(output.scratch):
        output.scratch.mkdir(parents=True)
    try:
        with writing(output.scratch):
            for name in ("out", "tmp", "home", "work"):
                (output.scratch / name).mkdir()
        with writing(output.log):
            output.log.parent.mkdir(parents=True, exist_ok=True)
            output.log.unlink(missing_ok=True)
        with progress.task(f"build {output.staged.platform}"):
            completed = runner.run(plan.command)
        if completed.returncode != 0:
            require_room(output.scratch)
            raise BuildFailed(output.staged.wheel_name, completed.reason, output.log)
        return place_wheel(output, only_file(output))
    finally:
        shutil.rmtree(output.scratch, ignore_errors=True)
