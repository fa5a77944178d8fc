"""The plan of a build by cibuildwheel, its container and its log."""

import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from factory.build.backend.cibuildwheel import (
    CibuildwheelContainer,
    CibuildwheelFrontEnd,
    Tools,
    plan_cibuildwheel_build,
    why_untested,
)
from factory.build.backend.native import BuildPlan
from factory.build.backend.output import BuildFailed, WheelOutput
from factory.build.toolchain import lock_for
from factory.core.progress import SilentProgress
from factory.core.targets import Architecture, Platform
from factory.system.process import Command, Completed
from tests.fake_runner import Expected, FakeRunner
from tests.toolchains import running_toolchain
from tests.wheels import staged_runtime

IMAGE = "sha256:" + "ab" * 32
CONTAINER = CibuildwheelContainer(
    image=IMAGE,
    architecture=Architecture.X86_64,
    env={"PATH": "/usr/bin", "DOCKER_HOST": "unix:///run/docker.sock"},
    label="run=7",
)
TOOLS = Tools(
    toolchain=replace(running_toolchain(), python=Path("/cache/cibuildwheel/bin/python")),
    backend=lock_for("1.33.0"),
    wheels=Path("/cache/wheels of mine"),
)
MANYLINUX = Platform.parse("manylinux_2_17_x86_64")
NAME = "openai_codex_cli_bin-0.163.0-py3-none-manylinux_2_17_x86_64.whl"


def output(platform: Platform) -> WheelOutput:
    return WheelOutput(
        staged=staged_runtime(Path("/somewhere/stage"), platform.tag),
        scratch=Path("/scratch/one"),
        dist=Path("/dist"),
        log=Path("/logs/build.log"),
    )


def plan(platform: Platform) -> BuildPlan:
    return plan_cibuildwheel_build(output(platform), tools=TOOLS, container=CONTAINER)


def test_the_whole_plan() -> None:

    assert plan(MANYLINUX) == BuildPlan(
        command=Command(
            argv=(
                "/cache/cibuildwheel/bin/python",
                "-I",
                "-m",
                "cibuildwheel",
                "--platform",
                "linux",
                "--output-dir",
                "/scratch/one/out",
                ".",
            ),
            env={
                "CIBW_ARCHS": "x86_64",
                "CIBW_BEFORE_BUILD": (
                    "pip install --quiet --require-hashes --no-deps -r /toolchain/hatchling-1.33.0.txt"
                ),
                "CIBW_BUILD": "cp311-manylinux_x86_64",
                "CIBW_BUILD_FRONTEND": "build; args: --no-isolation",
                "CIBW_CACHE_PATH": "/scratch/one/home",
                "CIBW_CONTAINER_ENGINE": (
                    "docker; create_args: --user=0:0 --entrypoint= --network=none --cap-drop=ALL"
                    " --security-opt=no-new-privileges"
                    " --label=run=7"
                    " '--mount=type=bind,source=/cache/wheels of mine,target=/toolchain,readonly'"
                    "; disable_host_mount: True"
                ),
                "CIBW_DEPENDENCY_VERSIONS": "latest",
                "CIBW_ENVIRONMENT": (
                    "LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1 PYTHONHASHSEED=0 TZ=UTC"
                    " PIP_FIND_LINKS=/toolchain PIP_NO_INDEX=1"
                ),
                "CIBW_MANYLINUX_X86_64_IMAGE": IMAGE,
                "CIBW_REPAIR_WHEEL_COMMAND": "",
                "CIBW_TEST_COMMAND": (
                    'python -c "import codex_cli_bin as p,subprocess as s;'
                    "s.run([p.bundled_codex_path(),'--version'],check=True)\""
                ),
                "DOCKER_HOST": "unix:///run/docker.sock",
                "HOME": "/scratch/one/home",
                "LC_ALL": "C.UTF-8",
                "NO_COLOR": "1",
                "PATH": "/usr/bin",
                "PYTHONDONTWRITEBYTECODE": "1",
                "PYTHONHASHSEED": "0",
                "PYTHONNOUSERSITE": "1",
                "TEMP": "/scratch/one/tmp",
                "TMP": "/scratch/one/tmp",
                "TMPDIR": "/scratch/one/tmp",
                "TZ": "UTC",
            },
            cwd=Path("/somewhere/stage"),
            log=Path("/logs/build.log"),
            timeout_s=3600.0,
        ),
        output=output(MANYLINUX),
    )


@pytest.mark.parametrize(
    ("tag", "reason"),
    [
        ("manylinux_2_17_x86_64", None),
        ("manylinux_2_17_aarch64", "the container is x86_64"),
        ("musllinux_1_1_x86_64", "pip in a manylinux container does not accept it"),
        ("macosx_11_0_arm64", "pip in a manylinux container does not accept it"),
        ("win_amd64", "pip in a manylinux container does not accept it"),
    ],
)
def test_a_wheel_is_tested_or_there_is_a_reason(tag: str, reason: str | None) -> None:
    platform = Platform.parse(tag)
    assert why_untested(platform, CONTAINER) == reason
    assert (plan(platform).command.env["CIBW_TEST_COMMAND"] == "") is (reason is not None)


def test_the_container_has_the_architecture_of_the_image() -> None:
    arm = replace(CONTAINER, architecture=Architecture.AARCH64)
    env = plan_cibuildwheel_build(output(MANYLINUX), tools=TOOLS, container=arm).command.env
    assert env["CIBW_BUILD"] == "cp311-manylinux_aarch64"
    assert env["CIBW_MANYLINUX_AARCH64_IMAGE"] == IMAGE


def front(tmp_path: Path, runner: FakeRunner, report: Callable[[str], None]) -> CibuildwheelFrontEnd:
    return CibuildwheelFrontEnd(
        tools=TOOLS,
        container=CONTAINER,
        runner=runner,
        progress=SilentProgress(),
        report=report,
        logs=tmp_path / "logs",
    )


def test_a_wheel_is_placed_with_the_recipe_s_zip_host(tmp_path: Path) -> None:
    def writing(command: Command) -> None:
        with zipfile.ZipFile(Path(command.argv[-2]) / NAME, "w") as archive:
            archive.writestr("member", b"")

    reported: list[str] = []
    staged = staged_runtime(tmp_path / "stage")
    recipe = replace(staged.recipe, container=replace(staged.recipe.container, create_system=0))
    runner = FakeRunner(Expected(argv=["-m", "cibuildwheel"], effect=writing))
    front_end = front(tmp_path, runner, reported.append)
    wheel = front_end.build(
        replace(staged, recipe=recipe), scratch=tmp_path / "scratch", dist=tmp_path / "dist"
    )
    runner.assert_done()
    assert reported == []
    assert wheel.path == tmp_path / "dist" / NAME
    with zipfile.ZipFile(wheel.path) as archive:
        assert [member.create_system for member in archive.infolist()] == [0]
    assert {path.name for path in tmp_path.iterdir()} == {"dist", "logs"}
    assert list((tmp_path / "logs").iterdir()) == []


def test_a_failure_keeps_its_log(tmp_path: Path) -> None:
    def saying(command: Command) -> None:
        assert command.log is not None
        command.log.write_text("Building wheel...\n", encoding="utf-8")

    failing = Expected(argv=["cibuildwheel"], completed=Completed(returncode=1), effect=saying)
    front_end = front(tmp_path, FakeRunner(failing), lambda _: None)
    with pytest.raises(BuildFailed) as caught:
        front_end.build(
            staged_runtime(tmp_path / "stage"),
            scratch=tmp_path / "scratch",
            dist=tmp_path / "dist",
        )
    log = tmp_path / "logs" / f"{NAME}.log"
    assert str(log) in str(caught.value)
    assert log.read_text() == "Building wheel...\n"
    assert {path.name for path in tmp_path.iterdir()} == {"logs"}


def test_a_wheel_that_cannot_be_tested_is_reported(tmp_path: Path) -> None:
    reported: list[str] = []
    failing = Expected(argv=["cibuildwheel"], completed=Completed(returncode=1))
    with pytest.raises(BuildFailed):
        front(tmp_path, FakeRunner(failing), reported.append).build(
            staged_runtime(tmp_path / "stage", "win_arm64"),
            scratch=tmp_path / "scratch",
            dist=tmp_path / "dist",
        )
    assert reported == [
        "not tested after the build: the win_arm64 wheel (pip in a manylinux container does not accept it)"
    ]
