import json
from collections.abc import Callable
from pathlib import Path

import pytest

from factory.build.assembler import skeleton_hooks
from factory.build.assembler.skeleton_build import SkeletonPlan, build_skeletons, plan_skeletons
from factory.build.backend.output import BuildFailed
from factory.system.files import CannotWrite
from factory.system.process import Command, Completed, SubprocessRunner
from tests.fake_runner import Expected, FakeRunner
from tests.toolchains import running_toolchain
from tests.unit.build.assembler.test_skeleton import write_wheel
from tests.unit.build.assembler.wheel_pairs import NAME, Part, build_in_process, write_stage
from tests.unit.build.backend.test_native_plan import TOOLCHAIN


def plan(tmp_path: Path, *stages: Path) -> SkeletonPlan:
    return plan_skeletons(
        stages=stages,
        toolchain=running_toolchain(),
        scratch=tmp_path / "skeletons",
        host_env={},
    )


def test_the_whole_plan() -> None:
    made = plan_skeletons(
        stages=[Path("/stage/one"), Path("/stage/two")],
        toolchain=TOOLCHAIN,
        scratch=Path("/scratch/skeletons"),
        host_env={"SYSTEMROOT": "C:/Windows", "TZ": "Asia/Tokyo"},
    )
    assert made == SkeletonPlan(
        command=Command(
            argv=(
                "/cache/python",
                "-I",
                "-B",
                str(Path(skeleton_hooks.__file__).absolute()),
                "/scratch/skeletons/out",
                "/stage/one",
                "/stage/two",
            ),
            env={
                "HOME": "/scratch/skeletons/home",
                "LC_ALL": "C.UTF-8",
                "NO_COLOR": "1",
                "PYTHONDONTWRITEBYTECODE": "1",
                "PYTHONHASHSEED": "0",
                "PYTHONNOUSERSITE": "1",
                "SYSTEMROOT": "C:/Windows",
                "TEMP": "/scratch/skeletons/tmp",
                "TMP": "/scratch/skeletons/tmp",
                "TMPDIR": "/scratch/skeletons/tmp",
                "TZ": "UTC",
            },
            cwd=Path("/scratch/skeletons/work"),
            log=Path("/scratch/skeletons.log"),
        ),
        scratch=Path("/scratch/skeletons"),
    )


def writing(*names: str) -> Callable[[Command], None]:
    def effect(command: Command) -> None:
        out = Path(command.argv[4])
        for name in names:
            (out / name).parent.mkdir(exist_ok=True)
            write_wheel(out / name)
        (out / "names.json").write_text(json.dumps(names))

    return effect


def test_skeletons_are_in_the_order_of_the_stages(tmp_path: Path) -> None:
    runner = FakeRunner(Expected(argv=("-I", "-B"), effect=writing("0/b.whl", "1/a.whl")))
    skeletons = build_skeletons(plan(tmp_path, tmp_path / "b", tmp_path / "a"), runner=runner)
    assert [skeleton.name for skeleton in skeletons] == ["b.whl", "a.whl"]
    runner.assert_done()


def test_a_backend_that_fails_names_its_log(tmp_path: Path) -> None:
    runner = FakeRunner(Expected(argv=(), completed=Completed(returncode=1)))
    with pytest.raises(BuildFailed, match=r"exit status 1; log: .*skeletons\.log"):
        build_skeletons(plan(tmp_path, tmp_path / "a"), runner=runner)


def test_an_existing_scratch_directory_is_not_changed(tmp_path: Path) -> None:
    (tmp_path / "skeletons" / "out").mkdir(parents=True)
    with pytest.raises(CannotWrite):
        build_skeletons(plan(tmp_path, tmp_path / "a"), runner=FakeRunner())


def test_one_process_builds_what_several_would(tmp_path: Path) -> None:
    payload = {"bin/codex.exe": Part(content=b"", mode=0o755)}
    stages = [write_stage(tmp_path / name, payload) for name in ("one", "two")]
    skeletons = build_skeletons(plan(tmp_path, *stages), runner=SubprocessRunner())

    alone = build_in_process(stages[0], tmp_path / "alone")
    out = tmp_path / "skeletons" / "out"
    assert [skeleton.name for skeleton in skeletons] == [NAME, NAME]
    assert (out / "0" / NAME).read_bytes() == (out / "1" / NAME).read_bytes() == alone.read_bytes()
