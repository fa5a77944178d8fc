"""The front end in a container that cibuildwheel starts: the same bytes from the tool that projects know.

cibuildwheel names one platform of its own per build, and its container is Linux's. The build hook takes the
wheel's tag from the stage, so that every platform's wheel comes out of the one container.
"""

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from factory.build.backend.native import build
from factory.build.backend.plan import BuildPlan, scrubbed_env
from factory.build.builder import WheelFile
from factory.build.recipe import Recipe
from factory.build.template import PACKAGE, wheel_name
from factory.build.toolchain import Lock, Toolchain
from factory.core.model import StagedRuntime
from factory.core.progress import Progress
from factory.core.targets import Architecture, Platform
from factory.system.files import writing
from factory.system.process import Command, Runner

CIBUILDWHEEL = "cibuildwheel-4.3.5"
VIRTUALENV = "virtualenv-21.15.0"
"""What cibuildwheel installs in its container to try a wheel."""

_ABI = "cp311"
CONTAINER_PYTHON = PurePosixPath(f"/opt/python/{_ABI}-{_ABI}/bin/python")
"""Where images of the manylinux layout have it, as cibuildwheel wants them."""
_WHEELS = "/toolchain"
_TIMEOUT_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CibuildwheelContainer:
    """Where cibuildwheel's containers run.

    Attributes:
        image: By its digest or id: a tag can move between the build and the audit that repeats it.
        architecture: Of the image.
        env: What the engine's client needs of the caller's environment: ``PATH``, ``DOCKER_HOST``.
        label: Put on the containers, so that one that outlives its client is found by its owner.
    """

    image: str
    architecture: Architecture
    env: Mapping[str, str]
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What builds.

    Attributes:
        toolchain: The environment that has cibuildwheel.
        backend: The build backend's lock.
        wheels: A directory with the wheels and locks of ``backend`` and virtualenv.
    """

    toolchain: Toolchain
    backend: Lock
    wheels: Path


def plan_cibuildwheel_build(
    *, staged: StagedRuntime, tools: Tools, settings: CibuildwheelContainer, scratch: Path, dist: Path
) -> BuildPlan:
    """Plan one wheel's build by cibuildwheel, without starting anything.

    No repair, since that renames the wheel; no network; the locked wheels are mounted read-only
    and installed by their hashes.

    Args:
        staged: What to build; it is copied into the container.
        tools: With what.
        settings: Where the container runs.
        scratch: A directory to be made for this build, on the disk of ``dist``.
        dist: The directory that gets the wheel.
    """
    name = wheel_name(staged.tag, staged.platform)
    place = scratch.absolute()
    argv = (str(tools.toolchain.python), "-I", "-m", "cibuildwheel", "--platform", "linux")
    return BuildPlan(
        command=Command(
            argv=(*argv, "--output-dir", str(place / "out"), "."),
            env={
                **settings.env,
                **scrubbed_env(place),
                "CIBW_CACHE_PATH": str(place / "home"),
                **_settings(staged.platform, tools, settings),
            },
            cwd=staged.path.absolute(),
            log=scratch.with_name(f"{name}.log"),
            timeout_s=_TIMEOUT_S,
        ),
        staged=staged,
        wheel_name=name,
        scratch=scratch,
        destination=dist / name,
    )


def why_untested(platform: Platform, settings: CibuildwheelContainer) -> str | None:
    """Return why cibuildwheel cannot try a wheel in its container, or None where it does."""
    if not platform.tag.startswith("manylinux_"):
        return "pip in a manylinux container takes no such wheel"
    if platform.target.architecture is not settings.architecture:
        return f"the container is {settings.architecture}"
    return None


def _settings(platform: Platform, tools: Tools, settings: CibuildwheelContainer) -> dict[str, str]:
    """Return cibuildwheel's options, as environment variables: nothing of them belongs into the stage."""
    tried = f"import {PACKAGE} as p,subprocess as s;s.run([p.bundled_codex_path(),'--version'],check=True)"
    return {
        "CIBW_ARCHS": settings.architecture.value,
        "CIBW_BEFORE_BUILD": _install(tools.backend),
        "CIBW_BUILD": f"{_ABI}-manylinux_{settings.architecture}",
        "CIBW_BUILD_FRONTEND": "build; args: --no-isolation",
        "CIBW_CONTAINER_ENGINE": _engine(tools.wheels, settings),
        "CIBW_DEPENDENCY_VERSIONS": "latest",  # of those that are mounted
        "CIBW_ENVIRONMENT": _environment(),
        f"CIBW_MANYLINUX_{settings.architecture.upper()}_IMAGE": settings.image,
        "CIBW_REPAIR_WHEEL_COMMAND": "",
        "CIBW_TEST_COMMAND": f'python -c "{tried}"' if why_untested(platform, settings) is None else "",
    }


def _engine(wheels: Path, settings: CibuildwheelContainer) -> str:
    arguments = (
        "--user=0:0",  # cibuildwheel installs into the image's own interpreter
        "--entrypoint=",
        "--network=none",
        "--cap-drop=ALL",
        "--security-opt=no-new-privileges",
        f"--label={settings.label}",
        f"--mount=type=bind,source={wheels.absolute()},target={_WHEELS},readonly",
    )
    return f"docker; create_args: {shlex.join(arguments)}; disable_host_mount: True"


def _environment() -> str:
    """Return the variables inside, which are those of the other builders as far as a container needs them."""
    scrubbed = scrubbed_env(Path("/"))
    kept = {name: scrubbed[name] for name in ("LC_ALL", "PYTHONDONTWRITEBYTECODE", "PYTHONHASHSEED", "TZ")}
    inside = {**kept, "PIP_FIND_LINKS": _WHEELS, "PIP_NO_INDEX": "1"}
    return " ".join(f"{name}={value}" for name, value in inside.items())


def _install(lock: Lock) -> str:
    return f"pip install --quiet --require-hashes --no-deps -r {_WHEELS}/{lock.name}.txt"


@dataclass(frozen=True, slots=True, kw_only=True)
class CibuildwheelFrontEnd:
    """Runs cibuildwheel on this host, which builds in a container.

    Attributes:
        tools: With what.
        settings: Where the containers run.
        runner: What starts cibuildwheel.
        progress: Is told of each build.
        report: Prints which wheels cibuildwheel does not test, and why.
        logs: Where the log of a failed build stays.
    """

    tools: Tools
    settings: CibuildwheelContainer
    runner: Runner
    progress: Progress
    report: Callable[[str], None]
    logs: Path

    def build(self, staged: StagedRuntime, recipe: Recipe, *, scratch: Path, dist: Path) -> WheelFile:
        """Build one wheel into ``dist``; see `FrontEnd`."""
        untested = why_untested(staged.platform, self.settings)
        if untested is not None:
            self.report(f"not started after the build: the {staged.platform} wheel ({untested})")
        plan = plan_cibuildwheel_build(
            staged=staged, tools=self.tools, settings=self.settings, scratch=scratch, dist=dist
        )
        with writing(self.logs):
            self.logs.mkdir(parents=True, exist_ok=True)
        plan = replace(
            plan,
            command=replace(plan.command, log=self.logs / f"{plan.wheel_name}.log"),
            create_system=recipe.container.create_system,
        )
        return build(plan, runner=self.runner, progress=self.progress)
