"""Build the skeletons of all wheels of a run with the real backend, in one process."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from factory.build.assembler import skeleton_hooks
from factory.build.assembler.skeleton import Skeleton, read_skeleton
from factory.build.backend.front_end import scrubbed_env
from factory.build.backend.output import BuildFailed
from factory.build.toolchain import Toolchain
from factory.system.files import require_room, writing
from factory.system.process import Command, Runner


@dataclass(frozen=True, slots=True, kw_only=True)
class SkeletonPlan:
    """The build of several skeletons; ``scratch`` is a directory for it alone that does not exist."""

    command: Command
    scratch: Path

    @property
    def out(self) -> Path:
        """The directory of the wheels."""
        return self.scratch / "out"


def plan_skeletons(
    *, stages: Sequence[Path], toolchain: Toolchain, scratch: Path, host_env: Mapping[str, str]
) -> SkeletonPlan:
    """Plan the build of some stages with empty payload files, in the scrubbed environment."""
    place = scratch.absolute()
    script = str(Path(skeleton_hooks.__file__).absolute())
    argv = (str(toolchain.python), "-I", "-B", script, str(place / "out"))
    return SkeletonPlan(
        command=Command(
            argv=(*argv, *(str(stage.absolute()) for stage in stages)),
            env={**host_env, **scrubbed_env(place)},
            cwd=place / "work",
            log=scratch.with_name(f"{scratch.name}.log"),
        ),
        scratch=scratch,
    )


def build_skeletons(plan: SkeletonPlan, *, runner: Runner) -> tuple[Skeleton, ...]:
    """Run a plan and return a skeleton for each stage, in the same order.

    Raises:
        BuildFailed: The backend failed; the log is kept.
        UnusableSkeleton: The assembler does not support the layout of a wheel.
    """
    with writing(plan.scratch):
        for name in ("out", "tmp", "home", "work"):
            (plan.scratch / name).mkdir(parents=True)
    completed = runner.run(plan.command)
    if completed.returncode != 0:
        require_room(plan.scratch)
        raise BuildFailed("the wheels' layout", completed.reason, plan.command.log)
    names: list[str] = json.loads((plan.out / "names.json").read_bytes())
    return tuple(read_skeleton(plan.out / name) for name in names)
