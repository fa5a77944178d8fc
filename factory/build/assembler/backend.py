"""Ask the real backend for skeletons: one process for all wheels of a run."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from factory.build.assembler import skeleton_hooks
from factory.build.assembler.skeleton import Skeleton, read_skeleton
from factory.build.backend.output import BuildFailed
from factory.build.backend.plan import scrubbed_env
from factory.build.toolchain import Toolchain
from factory.core.model import StagedRuntime
from factory.system.files import writing
from factory.system.process import Command, Runner


@dataclass(frozen=True, slots=True, kw_only=True)
class SkeletonPlan:
    """One process that builds several empty wheels.

    Attributes:
        command: What to start.
        scratch: A directory of this process alone; it must not exist yet.
    """

    command: Command
    scratch: Path

    @property
    def out(self) -> Path:
        """Where the wheels go."""
        return self.scratch / "out"


def plan_skeletons(
    *, stages: Sequence[StagedRuntime], toolchain: Toolchain, scratch: Path, host_env: Mapping[str, str]
) -> SkeletonPlan:
    """Plan the backend's call for some stages with empty payload files, in the scrubbed environment."""
    place = scratch.absolute()
    script = str(Path(skeleton_hooks.__file__).absolute())
    argv = (str(toolchain.python), "-I", "-B", script, str(place / "out"))
    return SkeletonPlan(
        command=Command(
            argv=(*argv, *(str(stage.path.absolute()) for stage in stages)),
            env={**host_env, **scrubbed_env(place)},
            cwd=place / "work",
            log=scratch.with_name(f"{scratch.name}.log"),
        ),
        scratch=scratch,
    )


def build_skeletons(plan: SkeletonPlan, *, runner: Runner) -> tuple[Skeleton, ...]:
    """Run a plan and read what came out, one skeleton a stage, in order.

    Raises:
        BuildFailed: The backend failed; the log is kept.
        UnusableSkeleton: A wheel is laid out in a way that the assembler does not understand.
    """
    with writing(plan.scratch):
        for name in ("out", "tmp", "home", "work"):
            (plan.scratch / name).mkdir(parents=True)
    completed = runner.run(plan.command)
    if completed.returncode != 0:
        raise BuildFailed("the wheels' layout", completed.reason, plan.command.log)
    names: list[str] = json.loads((plan.out / "names.json").read_bytes())
    return tuple(read_skeleton(plan.out / name) for name in names)
