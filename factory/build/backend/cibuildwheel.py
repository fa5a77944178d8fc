"""The front end in a container that cibuildwheel starts: the same bytes from a widely used tool.

cibuildwheel builds for Linux only in its container. The build hook of the template takes the platform tag
from the stage, so that this one container builds the wheels of all platforms.
"""

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from factory.build.backend.front_end import scrubbed_env
from factory.build.backend.native import BuildPlan, run_build
from factory.build.backend.output import WheelOutput
from factory.build.builder import WheelFile
from factory.build.stage import StagedRuntime
from factory.build.template import PACKAGE
from factory.build.toolchain import Lock, Toolchain
from factory.core.progress import Progress
from factory.core.targets import Architecture, Platform
from factory.system.process import Command, Runner

CIBUILDWHEEL = "cibuildwheel-4.3.5"
VIRTUALENV = "virtualenv-21.15.0"
"""cibuildwheel installs it in its container to test a wheel."""

_ABI = "cp311"
CONTAINER_PYTHON = PurePosixPath(f"/opt/python/{_ABI}-{_ABI}/bin/python")
"""The interpreter in images with the manylinux layout, which cibuildwheel requires."""
_WHEELS = "/toolchain"
_TIMEOUT_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CibuildwheelContainer:
    """The container that cibuildwheel starts.

    Attributes:
        image: A digest or an id: a tag can move between the build and the audit that repeats it.
        env: The variables of the docker program: ``PATH``, ``DOCKER_HOST``.
        label: Marks the container, so that its owner can remove it if cibuildwheel does not.
    """

    image: str
    architecture: Architecture
    env: Mapping[str, str]
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """The tools of a build.

    Attributes:
        toolchain: The environment with cibuildwheel.
        backend: The lock of the build backend.
        wheels: A directory with the wheels and locks of ``backend`` and virtualenv.
    """

    toolchain: Toolchain
    backend: Lock
    wheels: Path


def plan_cibuildwheel_build(
    output: WheelOutput, *, tools: Tools, container: CibuildwheelContainer
) -> BuildPlan:
    """Plan the build of one wheel by cibuildwheel, without starting it.

    There is no repair step, since that renames the wheel, and no network; the locked wheels are mounted
    read-only and installed by their hashes. cibuildwheel copies the stage into the container.
    """
    scratch = output.scratch.absolute()
    argv = (str(tools.toolchain.python), "-I", "-m", "cibuildwheel", "--platform", "linux")
    return BuildPlan(
        command=Command(
            argv=(*argv, "--output-dir", str(scratch / "out"), "."),
            env={
                **container.env,
                **scrubbed_env(scratch),
                "CIBW_CACHE_PATH": str(scratch / "home"),
                **_options(output.staged.platform, tools, container),
            },
            cwd=output.staged.path.absolute(),
            log=output.log,
            timeout_s=_TIMEOUT_S,
        ),
        output=output,
    )


def why_untested(platform: Platform, container: CibuildwheelContainer) -> str | None:
    """Return why cibuildwheel cannot test a wheel in its container; None if it can."""
    if not platform.tag.startswith("manylinux_"):
        return "pip in a manylinux container does not accept it"
    if platform.target.architecture is not container.architecture:
        return f"the container is {container.architecture}"
    return None


def _options(platform: Platform, tools: Tools, container: CibuildwheelContainer) -> dict[str, str]:
    """Return the options of cibuildwheel as environment variables, to keep them out of the stage."""
    test = f"import {PACKAGE} as p,subprocess as s;s.run([p.bundled_codex_path(),'--version'],check=True)"
    return {
        "CIBW_ARCHS": container.architecture.value,
        "CIBW_BEFORE_BUILD": (
            f"pip install --quiet --require-hashes --no-deps -r {_WHEELS}/{tools.backend.name}.txt"
        ),
        "CIBW_BUILD": f"{_ABI}-manylinux_{container.architecture}",
        "CIBW_BUILD_FRONTEND": "build; args: --no-isolation",
        "CIBW_CONTAINER_ENGINE": _engine(tools.wheels, container),
        "CIBW_DEPENDENCY_VERSIONS": "latest",  # of those that are mounted
        "CIBW_ENVIRONMENT": _environment(),
        f"CIBW_MANYLINUX_{container.architecture.upper()}_IMAGE": container.image,
        "CIBW_REPAIR_WHEEL_COMMAND": "",
        "CIBW_TEST_COMMAND": f'python -c "{test}"' if why_untested(platform, container) is None else "",
    }


def _engine(wheels: Path, container: CibuildwheelContainer) -> str:
    arguments = (
        "--user=0:0",  # cibuildwheel installs into the image's own interpreter
        "--entrypoint=",
        "--network=none",
        "--cap-drop=ALL",
        "--security-opt=no-new-privileges",
        f"--label={container.label}",
        f"--mount=type=bind,source={wheels.absolute()},target={_WHEELS},readonly",
    )
    return f"docker; create_args: {shlex.join(arguments)}; disable_host_mount: True"


def _environment() -> str:
    """Return the variables in the container: those of the other builders that are useful there, and pip's."""
    scrubbed = scrubbed_env(Path("/"))
    kept = {name: scrubbed[name] for name in ("LC_ALL", "PYTHONDONTWRITEBYTECODE", "PYTHONHASHSEED", "TZ")}
    inside = {**kept, "PIP_FIND_LINKS": _WHEELS, "PIP_NO_INDEX": "1"}
    return " ".join(f"{name}={value}" for name, value in inside.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class CibuildwheelFrontEnd:
    """Runs cibuildwheel on this host, which builds in a container.

    Attributes:
        report: Prints which wheels cibuildwheel does not test, and why.
        logs: The directory for the logs of failed builds.
    """

    tools: Tools
    container: CibuildwheelContainer
    runner: Runner
    progress: Progress
    report: Callable[[str], None]
    logs: Path

    def build(self, staged: StagedRuntime, *, scratch: Path, dist: Path) -> WheelFile:
        """Build one wheel into ``dist``; see `FrontEnd`."""
        untested = why_untested(staged.platform, self.container)
        if untested is not None:
            self.report(f"not tested after the build: the {staged.platform} wheel ({untested})")
        log = self.logs / f"{staged.wheel_name}.log"
        output = WheelOutput(staged=staged, scratch=scratch, dist=dist, log=log)
        plan = plan_cibuildwheel_build(output, tools=self.tools, container=self.container)
        return run_build(plan, runner=self.runner, progress=self.progress)
