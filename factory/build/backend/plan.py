"""Plans of wheel builds: data, made without starting anything."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from factory.build.backend.output import WheelOutput
from factory.build.recipe import Container
from factory.build.template import wheel_name
from factory.build.toolchain import Toolchain
from factory.core.model import StagedRuntime
from factory.system.process import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildPlan:
    """One wheel's build.

    Attributes:
        command: What to start.
        staged: What it builds.
        wheel_name: The one file that must come out.
        scratch: A directory of this build alone; it must not exist yet and is removed afterwards.
        destination: Where the wheel goes once it is whole.
        create_system: The zip host that its directory names.
    """

    command: Command
    staged: StagedRuntime
    wheel_name: str
    scratch: Path
    destination: Path
    create_system: int = Container().create_system

    @property
    def out(self) -> Path:
        """Where the front end puts the wheel."""
        return self.scratch / "out"

    @property
    def output(self) -> WheelOutput:
        """What becomes of the wheel."""
        return WheelOutput(
            wheel_name=self.wheel_name,
            platform=self.staged.platform,
            out=self.out,
            destination=self.destination,
            create_system=self.create_system,
            log=self.command.log,
        )


def plan_native_build(
    *, staged: StagedRuntime, toolchain: Toolchain, scratch: Path, dist: Path, host_env: Mapping[str, str]
) -> BuildPlan:
    """Plan ``python -m build --wheel --no-isolation`` with the toolchain, on this host.

    Args:
        staged: What to build.
        toolchain: With what.
        scratch: A directory to be made for this build, on the disk of ``dist``: the backend writes
            the wheel into its temporary directory first, and a rename moves it on.
        dist: The directory that gets the wheel.
        host_env: Variables without which a process cannot run here (``SYSTEMROOT`` on Windows); no
            other one of the caller's environment reaches the build.
    """
    name = wheel_name(staged.tag, staged.platform)
    outdir = str((scratch / "out").absolute())
    argv = (str(toolchain.python), "-m", "build", "--wheel", "--no-isolation", "--outdir", outdir)
    return BuildPlan(
        command=Command(
            argv=(*argv, str(staged.path.absolute())),
            env={**host_env, **scrubbed_env(scratch.absolute())},
            cwd=scratch / "work",
            log=scratch.with_name(f"{name}.log"),
        ),
        staged=staged,
        wheel_name=name,
        scratch=scratch,
        destination=dist / name,
    )


def scrubbed_env(scratch: Path) -> dict[str, str]:
    """Return an environment in which nothing of the user or the place reaches the build.

    ``SOURCE_DATE_EPOCH`` and ``CODEX_CLI_BIN_PLATFORM_TAG`` are absent on purpose: the
    recipe has the times, the stage has the tag.
    """
    temporary = str(scratch / "tmp")
    return {
        "HOME": str(scratch / "home"),
        "LC_ALL": "C.UTF-8",
        "NO_COLOR": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONNOUSERSITE": "1",
        "TEMP": temporary,
        "TMP": temporary,
        "TMPDIR": temporary,
        "TZ": "UTC",
    }
