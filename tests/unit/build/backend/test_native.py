import os
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from factory.build.backend.native import BuildPlan, plan_native_build, run_build
from factory.build.backend.output import BuildFailed, WheelOutput
from factory.build.builder import WheelFile
from factory.build.stage import StagedRuntime
from factory.build.template import bundled_template
from factory.core.digests import Sha256
from factory.core.errors import BuildError
from factory.core.progress import SilentProgress
from factory.system.files import CannotWrite
from factory.system.process import Command, Completed, SubprocessRunner
from tests.fake_runner import Expected, FakeRunner
from tests.toolchains import running_toolchain
from tests.wheels import staged_runtime

NAME = "openai_codex_cli_bin-0.163.0-py3-none-manylinux_2_17_x86_64.whl"
FRONT_END = ["-m", "build", "--wheel", "--no-isolation"]


def staged(directory: Path) -> StagedRuntime:
    """Write a small stage by editing the template, as a person would."""
    for file in bundled_template().files:
        path = directory / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content.replace(b'"0.0.0.dev0"', b'"0.163.0"'))
    with (directory / "pyproject.toml").open("a", encoding="utf-8") as project:
        project.write('platform-tag = "manylinux_2_17_x86_64"\n')
    codex = directory / "src/codex_cli_bin/bin/codex"
    codex.parent.mkdir()
    codex.write_bytes(b"\x7fELF" + bytes(range(256)) * 500)
    codex.chmod(0o755)
    return staged_runtime(directory)


def plan(tmp_path: Path, runtime: StagedRuntime | None = None) -> BuildPlan:
    output = WheelOutput(
        staged=runtime or staged(tmp_path / "stage"),
        scratch=tmp_path / "scratch" / "one",
        dist=tmp_path / "dist",
        log=tmp_path / "logs" / f"{NAME}.log",
    )
    return plan_native_build(output, toolchain=running_toolchain(), host_env={})


def run(plan: BuildPlan, *script: Expected) -> WheelFile:
    runner = FakeRunner(*script)
    wheel = run_build(plan, runner=runner, progress=SilentProgress())
    runner.assert_done()
    return wheel


EMPTY_ZIP = b"PK\x05\x06" + bytes(18)


def writing(*names: str, content: bytes = EMPTY_ZIP) -> Callable[[Command], None]:
    def effect(command: Command) -> None:
        for name in names:
            (Path(command.argv[-2]) / name).write_bytes(content)

    return effect


def logging(text: str) -> Callable[[Command], None]:
    def effect(command: Command) -> None:
        assert command.log is not None
        command.log.write_text(text, encoding="utf-8")

    return effect


def test_a_wheel_is_placed_and_no_other_file_stays(tmp_path: Path) -> None:
    wheel = run(plan(tmp_path), Expected(argv=FRONT_END, effect=writing(NAME)))

    assert wheel == WheelFile(
        path=tmp_path / "dist" / NAME,
        size_bytes=22,
        sha256=Sha256("8739c76e681f900923b900c9df0ef75cf421d39cabb54650c4b9ad19b6a76d85"),
    )
    assert list((tmp_path / "scratch").iterdir()) == []
    assert [path.name for path in (tmp_path / "dist").iterdir()] == [NAME]


def test_a_failure_keeps_the_log_and_places_nothing(tmp_path: Path) -> None:
    expected = Expected(argv=FRONT_END, completed=Completed(returncode=-9), effect=logging("why"))

    with pytest.raises(BuildFailed) as caught:
        run(plan(tmp_path), expected)

    log = tmp_path / "logs" / f"{NAME}.log"
    assert str(caught.value) == f"building {NAME} failed in the backend: killed by SIGKILL; log: {log}"
    assert caught.value.exit_code == 23
    assert log.read_text(encoding="utf-8") == "why"
    assert list((tmp_path / "scratch").iterdir()) == []
    assert not (tmp_path / "dist").exists()


@pytest.mark.parametrize(
    ("names", "seen"), [((), "nothing"), (("other.whl",), "other.whl"), ((NAME, "a.txt"), f"a.txt, {NAME}")]
)
def test_another_output_is_refused(tmp_path: Path, names: tuple[str, ...], seen: str) -> None:
    with pytest.raises(BuildError, match=f"gave {seen} in its place"):
        run(plan(tmp_path), Expected(argv=FRONT_END, effect=writing(*names)))

    assert not (tmp_path / "dist").exists()


def test_an_output_that_is_not_an_archive_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="gave a file that is not a zip archive in its place"):
        run(plan(tmp_path), Expected(argv=FRONT_END, effect=writing(NAME, content=b"wheel")))

    assert not (tmp_path / "dist").exists()


def test_an_existing_scratch_directory_is_not_changed(tmp_path: Path) -> None:
    taken = tmp_path / "scratch" / "one"
    taken.mkdir(parents=True)
    (taken / "precious").touch()

    with pytest.raises(CannotWrite):
        run(plan(tmp_path))

    assert (taken / "precious").exists()


def real(plan: BuildPlan) -> WheelFile:
    return run_build(plan, runner=SubprocessRunner(), progress=SilentProgress())


def by_hand(stage: Path, env: Mapping[str, str]) -> Path:
    argv = (sys.executable, "-m", "build", "--wheel", "--no-isolation", str(stage))
    completed = SubprocessRunner().run(Command(argv=argv, env=env, cwd=stage.parent))
    assert completed.returncode == 0, completed.output
    return stage / "dist" / NAME


@pytest.fixture
def other_umask() -> Iterator[None]:
    former = os.umask(0o077)
    yield
    os.umask(former)


@pytest.mark.usefixtures("other_umask")
def test_the_builder_and_a_person_elsewhere_make_the_same_bytes(tmp_path: Path) -> None:
    wheel = real(plan(tmp_path))
    elsewhere = tmp_path / "an other" / "place"
    shutil.copytree(tmp_path / "stage", elsewhere)
    os.utime(elsewhere / "src/codex_cli_bin/bin/codex", (1, 1))
    os.umask(0o002)

    made = by_hand(elsewhere, {"TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONHASHSEED": "7", "HOME": "/"})

    assert made.read_bytes() == wheel.path.read_bytes()
    assert Sha256.of_file(made) == wheel.sha256
    assert zipfile.is_zipfile(wheel.path)
    assert oct(wheel.path.stat().st_mode & 0o777) == "0o644"
