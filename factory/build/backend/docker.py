"""The front end in a container: the same build, isolated from this host."""

import shutil
import threading
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from factory.build import deflate_probe
from factory.build.backend.front_end import scrubbed_env
from factory.build.backend.output import BuildFailed, WheelOutput, only_file, place_wheel
from factory.build.builder import WheelFile
from factory.build.deflate_check import Interpreter, ProbeFailed, parse_probe
from factory.build.stage import StagedRuntime
from factory.build.toolchain import Lock, Toolchain
from factory.core.errors import HostError
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
"""The directory in the image with an environment for each lock; the Dockerfile makes them."""
USER = "65532:65532"
"""Not root, and not a user of this host: the wheel is copied out of the container's reach."""
BUILD_TIMEOUT_S = 1800.0
PROBE_TIMEOUT_S = 120.0

_SCRATCH = PurePosixPath("/scratch")
_STAGE = PurePosixPath("/stage")
_OUT = PurePosixPath("/out")
_MIB = 1 << 20
_PROCESSES = 64
_GRACE_S = 60.0
_NOT_FOUND = 127


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerBuildPlan:
    """The build of one wheel in a container."""

    spec: ContainerSpec
    output: WheelOutput


def toolchain_python(lock: Lock) -> PurePosixPath:
    """Return the path of a lock's interpreter in the image; it contains the digest of the lock."""
    return TOOLCHAINS / f"{lock.name}-{str(lock.sha256)[:16]}" / "bin" / "python"


def plan_docker_build(
    output: WheelOutput, *, stage_bytes: int, image: Image, lock: Lock, owner: str
) -> DockerBuildPlan:
    """Plan the build of one wheel in a container, without starting it.

    The image is named by its id: a name can move between the build and the audit that
    repeats it, and the two would differ for a reason outside the wheel.

    Args:
        output: The files of the build.
        stage_bytes: The size of the staged files, which limits the container's memory and disk.
        image: The image with the backend.
        lock: The lock of the backend.
        owner: The run that removes the container.
    """
    python = str(toolchain_python(lock))
    build = (python, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(_OUT), str(_STAGE))
    spec = _container(
        output.staged.platform.tag, build, image=image, owner=owner, limits=_limits(stage_bytes)
    )
    mounts = (
        Mount(source=output.staged.path.absolute(), target=_STAGE),
        Mount(source=output.out.absolute(), target=_OUT, is_read_only=False),
    )
    return DockerBuildPlan(spec=replace(spec, mounts=mounts), output=output)


def plan_probe(*, image: Image, python: PurePosixPath, owner: str) -> ContainerSpec:
    """Plan the known-answer test in the image, since the image's interpreter compresses the wheels."""
    source = Path(deflate_probe.__file__).read_text(encoding="utf-8")
    argv = (str(python), "-I", "-c", source)
    limits = replace(_limits(0), time_s=PROBE_TIMEOUT_S)
    return _container("probe", argv, image=image, owner=owner, limits=limits)


def _container(
    name: str, argv: tuple[str, ...], *, image: Image, owner: str, limits: ContainerLimits
) -> ContainerSpec:
    """Describe a container that ends soon after its time limit even if this process is dead by then."""
    scratch = str(_SCRATCH)
    directories = dict.fromkeys(("HOME", "TEMP", "TMP", "TMPDIR"), scratch)
    return ContainerSpec(
        name=f"codex-wheel-factory-{owner}-{name}",
        image=image.id,
        argv=("timeout", "--signal=KILL", f"{limits.time_s + _GRACE_S:g}", *argv),
        env={**scrubbed_env(Path(scratch)), **directories},
        user=USER,
        mounts=(),
        scratch=_SCRATCH,
        limits=limits,
        labels={OWNER_LABEL: owner},
    )


def _limits(stage_bytes: int) -> ContainerLimits:
    """Limit a build by the size of its stage: deflate adds less than 0.1 % to incompressible files."""
    wheel_bytes = stage_bytes + stage_bytes // 100 + 16 * _MIB
    return ContainerLimits(
        scratch_bytes=wheel_bytes,
        memory_bytes=wheel_bytes + 512 * _MIB,
        file_bytes=wheel_bytes,
        processes=_PROCESSES,
        time_s=BUILD_TIMEOUT_S,
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
    """Identify an interpreter in the image, and its deflate encoder.

    Raises:
        HostError: The image does not have the interpreter, or the interpreter does not work.
    """
    ended = run_container(plan_probe(image=image, python=python, owner=owner), engine, stop=stop)
    if ended.exit_code == _NOT_FOUND:
        raise HostError(
            f"image {image.id} has no environment for the lock {lock.name}: no {python}",
            hint="Make the image again with this version of the factory, on a manylinux base: 'make image'.",
        )
    output = ended.log.decode("utf-8", "replace")
    if ended.reason is not ContainerExit.DONE:
        raise ProbeFailed(Path(python), f"{ended.reason}\n{output}".strip())
    return parse_probe(Path(python), output)


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerFrontEnd:
    """Runs ``python -m build`` in a new container for each wheel.

    Attributes:
        toolchain: The environment with the backend, in the image.
        owner: The run that removes the containers.
        stop: Set when the run must end.
        logs: The directory for the logs of failed builds.
    """

    image: Image
    toolchain: Toolchain
    engine: ContainerEngine
    owner: str
    progress: Progress
    stop: threading.Event
    logs: Path

    def build(self, staged: StagedRuntime, *, scratch: Path, dist: Path) -> WheelFile:
        """Build one wheel into ``dist``; see `FrontEnd`."""
        log = self.logs / f"{staged.wheel_name}.log"
        plan = plan_docker_build(
            WheelOutput(staged=staged, scratch=scratch, dist=dist, log=log),
            stage_bytes=sum(path.stat().st_size for path in staged.path.rglob("*") if path.is_file()),
            image=self.image,
            lock=self.toolchain.lock,
            owner=self.owner,
        )
        return run_docker_build(plan, engine=self.engine, progress=self.progress, stop=self.stop)


def run_docker_build(
    plan: DockerBuildPlan, *, engine: ContainerEngine, progress: Progress, stop: threading.Event
) -> WheelFile:
    """Run a plan and move the wheel to ``dist``; after an error ``dist`` is unchanged.

    Raises:
        BuildError: The build failed, or did not write just the planned wheel; the log is kept.
        CannotWrite: A directory is not writable.
        HostError: The container engine failed.
    """
    output = plan.output
    with writing(output.scratch):
        output.scratch.mkdir(parents=True, mode=0o700)
    try:
        with writing(output.out):
            output.out.mkdir()
            output.out.chmod(0o777)  # for the container's user; other users of this host cannot enter scratch
        with progress.task(f"build {output.staged.platform}"):
            ended = run_container(plan.spec, engine, stop=stop)
        if ended.reason is not ContainerExit.DONE:
            raise _failure(plan, ended)
        # The container's user owns the file; the copy belongs to this user.
        copy = output.scratch / output.staged.wheel_name
        with writing(copy):
            shutil.copyfile(only_file(output), copy)
        return place_wheel(output, copy)
    finally:
        shutil.rmtree(output.scratch, ignore_errors=True)


def _failure(plan: DockerBuildPlan, ended: ContainerResult) -> BuildFailed:
    """Save the log, and return the error with the limit that the container reached."""
    log = plan.output.log
    with writing(log):
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_bytes(ended.log)
    reason, hint = _cause(ended, plan.spec.limits)
    return BuildFailed(plan.output.staged.wheel_name, reason, log, hint=hint)


def _cause(ended: ContainerResult, limits: ContainerLimits) -> tuple[str, str]:
    """Return why a container failed, and a hint; an empty hint selects that of `BuildFailed`."""
    match ended.reason:
        case ContainerExit.OUT_OF_MEMORY:
            return (
                f"the container used up its {limits.memory_bytes / 1e6:.0f} MB of memory",
                "The limit follows from the size of the stage; read the log for what else used memory.",
            )
        case ContainerExit.OUT_OF_SCRATCH:
            return (
                f"the container filled its {limits.scratch_bytes / 1e6:.0f} MB of scratch space",
                "Free space on the output disk; the limit follows from the size of the stage.",
            )
        case ContainerExit.OUT_OF_TIME:
            return (
                f"the container did not end within {limits.time_s:g} s",
                "Use fewer --jobs on a busy machine; read the log for where it stopped.",
            )
        case ContainerExit.FAILED | ContainerExit.DONE:
            return f"exit status {ended.exit_code} in the container", ""
