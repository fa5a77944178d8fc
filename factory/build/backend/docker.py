"""The front end in a container: the same build, where nothing of this host reaches it."""

import shutil
import threading
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import assert_never

from factory.build import deflate_probe
from factory.build.backend.output import BuildFailed, WheelOutput, only_file, place
from factory.build.backend.plan import scrubbed_env
from factory.build.builder import WheelFile
from factory.build.deflate_check import Interpreter, ProbeFailed, parse_probe
from factory.build.recipe import Container, Recipe
from factory.build.template import wheel_name
from factory.build.toolchain import Lock, Toolchain
from factory.core.errors import HostError
from factory.core.model import StagedRuntime
from factory.core.progress import Progress
from factory.system.containers.engine import (
    OWNER_LABEL,
    ContainerEngine,
    ContainerLimits,
    ContainerSpec,
    Image,
    Mount,
)
from factory.system.containers.run_container import ContainerExit, ContainerResult, run_container
from factory.system.files import writing

TOOLCHAINS = PurePosixPath("/opt/factory/toolchains")
"""Where the image has an environment for each lock; the Dockerfile makes them."""
USER = "65532:65532"
"""Nobody of this host, and not root: what the container writes is copied out of its reach."""
TIME_S = 1800.0

_SCRATCH = PurePosixPath("/scratch")
_STAGE = PurePosixPath("/stage")
_OUT = PurePosixPath("/out")
_MIB = 1 << 20
_PROCESSES = 64
_GRACE_S = 60.0
_NOT_FOUND = 127


class LacksInterpreter(HostError):
    """The image does not have the interpreter that builds by a lock."""

    hint = "Make the image anew from this version of the factory, on a manylinux base: 'make image'."

    def __init__(self, image: Image, python: PurePosixPath, lock: Lock) -> None:
        super().__init__(f"image {image.id} has nothing for this factory's lock {lock.name}: no {python}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerBuildPlan:
    """One wheel's build in a container.

    Attributes:
        spec: The container.
        output: What becomes of the wheel.
        scratch: A directory of this build alone; it must not exist yet and is removed afterwards.
    """

    spec: ContainerSpec
    output: WheelOutput
    scratch: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a build's files lie on this host.

    Attributes:
        scratch: A directory to be made for this build, on the disk of ``dist``.
        dist: The directory that gets the wheel.
        logs: The directory that keeps the log of a failed build.
    """

    scratch: Path
    dist: Path
    logs: Path


def toolchain_python(lock: Lock) -> PurePosixPath:
    """Return where the image has a lock's interpreter; its place names the lock's content."""
    return TOOLCHAINS / f"{lock.name}-{str(lock.sha256)[:16]}" / "bin" / "python"


def plan_docker_build(
    *, staged: StagedRuntime, stage_bytes: int, image: Image, lock: Lock, owner: str, place: Place
) -> DockerBuildPlan:
    """Plan one wheel build inside a container, without starting anything.

    The image is named by its id: a name can move between the build and the audit that
    repeats it, and the two would differ for a reason outside the wheel.

    Args:
        staged: What to build.
        stage_bytes: The size of its files, which bounds the wheel's.
        image: What to run.
        lock: Whose environment in it builds.
        owner: The run that the container belongs to.
        place: Where the files lie.
    """
    name = wheel_name(staged.tag, staged.platform)
    out = place.scratch / "out"
    build = (str(toolchain_python(lock)), "-m", "build", "--wheel", "--no-isolation", "--outdir", str(_OUT))
    mounts = (
        Mount(source=staged.path.absolute(), target=_STAGE),
        Mount(source=out.absolute(), target=_OUT, is_read_only=False),
    )
    spec = _spec(
        owner,
        image,
        name=staged.platform.tag,
        argv=(*build, str(_STAGE)),
        limits=_limits(stage_bytes),
    )
    return DockerBuildPlan(
        spec=replace(spec, mounts=mounts),
        output=WheelOutput(
            wheel_name=name,
            platform=staged.platform,
            out=out,
            destination=place.dist / name,
            create_system=Container().create_system,
            log=place.logs / f"{name}.log",
        ),
        scratch=place.scratch,
    )


def plan_probe(*, image: Image, python: PurePosixPath, owner: str) -> ContainerSpec:
    """Plan the known-answer test in the image: its interpreter decides the bytes, not ours."""
    source = Path(deflate_probe.__file__).read_text(encoding="utf-8")
    return _spec(
        owner,
        image,
        name="probe",
        argv=(str(python), "-I", "-c", source),
        limits=replace(_limits(0), time_s=120.0),
    )


def _spec(
    owner: str, image: Image, *, name: str, argv: tuple[str, ...], limits: ContainerLimits
) -> ContainerSpec:
    """Order a container that ends by itself a little after its time, should its client be dead by then."""
    last_s = limits.time_s + _GRACE_S
    scratch = str(_SCRATCH)
    places = dict.fromkeys(("HOME", "TEMP", "TMP", "TMPDIR"), scratch)
    return ContainerSpec(
        name=f"codex-wheel-factory-{owner}-{name}",
        image=image.id,
        argv=("timeout", "--signal=KILL", f"{last_s:g}", *argv),
        env={**scrubbed_env(Path(scratch)), **places},
        user=USER,
        mounts=(),
        scratch=_SCRATCH,
        limits=limits,
        labels={OWNER_LABEL: owner},
    )


def _limits(stage_bytes: int) -> ContainerLimits:
    """Bound a build by what it builds: deflate adds less than a thousandth to what does not compress."""
    wheel_bytes = stage_bytes + stage_bytes // 100 + 16 * _MIB
    return ContainerLimits(
        scratch_bytes=wheel_bytes,
        memory_bytes=wheel_bytes + 512 * _MIB,
        file_bytes=wheel_bytes,
        processes=_PROCESSES,
        time_s=TIME_S,
    )


def probe_image(
    python: PurePosixPath,
    *,
    image: Image,
    lock: Lock,
    owner: str,
    engine: ContainerEngine,
    stop: threading.Event,
) -> Interpreter:
    """Ask the image's interpreter that builds by a lock what it is.

    Raises:
        LacksInterpreter: It is not there.
        ProbeFailed: It did not answer.
    """
    ended = run_container(plan_probe(image=image, python=python, owner=owner), engine, stop=stop)
    if ended.exit_code == _NOT_FOUND:
        raise LacksInterpreter(image, python, lock)
    said = ended.log.decode("utf-8", "replace")
    if ended.reason is not ContainerExit.DONE:
        raise ProbeFailed(Path(python), f"{ended.reason}\n{said}".strip())
    return parse_probe(Path(python), said)


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerFrontEnd:
    """Runs ``python -m build`` in a container, one a wheel.

    Attributes:
        image: What the containers run.
        toolchain: The environment in it that has the backend.
        engine: What runs them.
        owner: The run that they belong to.
        progress: Is told of each build.
        stop: Is set when the run must end.
        logs: Where the log of a failed build stays.
    """

    image: Image
    toolchain: Toolchain
    engine: ContainerEngine
    owner: str
    progress: Progress
    stop: threading.Event
    logs: Path

    def build(self, staged: StagedRuntime, recipe: Recipe, *, scratch: Path, dist: Path) -> WheelFile:
        """Build one wheel into ``dist``; see `FrontEnd`."""
        plan = plan_docker_build(
            staged=staged,
            stage_bytes=sum(path.stat().st_size for path in staged.path.rglob("*") if path.is_file()),
            image=self.image,
            lock=self.toolchain.lock,
            owner=self.owner,
            place=Place(scratch=scratch, dist=dist, logs=self.logs),
        )
        plan = replace(plan, output=replace(plan.output, create_system=recipe.container.create_system))
        return build(plan, engine=self.engine, progress=self.progress, stop=self.stop)


def build(
    plan: DockerBuildPlan, *, engine: ContainerEngine, progress: Progress, stop: threading.Event
) -> WheelFile:
    """Run a plan and put the wheel in its place, whole or not at all.

    Raises:
        BuildFailed: The build failed in the container; its log is kept.
        UnexpectedOutput: Another file than the planned one came out.
        CannotWrite: The scratch directory or the destination does not take files.
        HostError: The engine does not do it.
    """
    with writing(plan.scratch):
        plan.scratch.mkdir(parents=True, mode=0o700)
    try:
        with writing(plan.output.out):
            plan.output.out.mkdir()
            plan.output.out.chmod(0o777)  # for the container's user; this host's others do not reach it
        with progress.task(f"build {plan.output.platform} in a container"):
            ended = run_container(plan.spec, engine, stop=stop)
        if ended.reason is not ContainerExit.DONE:
            raise _failure(plan, ended)
        return place(plan.output, _taken(plan))
    finally:
        shutil.rmtree(plan.scratch, ignore_errors=True)


def _taken(plan: DockerBuildPlan) -> Path:
    """Copy the wheel, which belongs to the container's user, to a file that is this user's own."""
    taken = plan.scratch / plan.output.wheel_name
    with writing(taken):
        shutil.copyfile(only_file(plan.output), taken)
    return taken


def _failure(plan: DockerBuildPlan, ended: ContainerResult) -> BuildFailed:
    """Keep the log, and say what the container lacked."""
    log = plan.output.log
    if log is not None:
        with writing(log):
            log.parent.mkdir(parents=True, exist_ok=True)
            log.write_bytes(ended.log)
    reason, hint = _cause(ended, plan.spec.limits)
    return BuildFailed(plan.output.wheel_name, reason, log, hint=hint)


def _cause(ended: ContainerResult, limits: ContainerLimits) -> tuple[str, str]:
    """Say why a container failed and what to do; the family's own hint serves where that is empty."""
    match ended.reason:
        case ContainerExit.OUT_OF_MEMORY:
            return (
                f"the container used up its {limits.memory_bytes / 1e6:.0f} MB of memory",
                "The limit follows from the stage's size; read the log for what else used memory.",
            )
        case ContainerExit.OUT_OF_SCRATCH:
            return (
                f"no room in the container, whose scratch has {limits.scratch_bytes / 1e6:.0f} MB",
                "Free room on the output's disk; the scratch's limit follows from the stage's size.",
            )
        case ContainerExit.OUT_OF_TIME:
            return (
                f"the container did not end within {limits.time_s:g} s",
                "Run again with fewer --jobs on a busy machine; read the log for where it was.",
            )
        case ContainerExit.FAILED | ContainerExit.DONE:
            return f"exit status {ended.exit_code} in the container", ""
        case _:
            assert_never(ended.reason)
