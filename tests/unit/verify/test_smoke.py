import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from factory.core.errors import HostError
from factory.core.targets import Architecture, OperatingSystem
from factory.system.host import Host, Libc, MuslRoot
from factory.system.process import Command, Completed, SubprocessRunner
from factory.verify.reading.contents import Archive, WheelContents
from factory.verify.reading.read import parse_name
from factory.verify.smoke import SmokeOutcome, SmokePlan, SmokeResult, plan_smoke, run_smoke
from tests.fake_runner import Expected, FakeRunner
from tests.images import Elf
from tests.unit.verify.checks.image_wheels import CODEX, contents_of

SCRATCH = Path("/scratch/s1")
LINUX = Host(
    operating_system=OperatingSystem.LINUX,
    architecture=Architecture.X86_64,
    libc=Libc.GLIBC,
    python=Path("/usr/bin/python3"),
    emulators={Architecture.AARCH64: Path("/usr/bin/qemu-aarch64-static")},
    env={},
)
PIP = ("-I", "-m", "pip", "--isolated", "--disable-pip-version-check", "install")
OPTIONS = ("--no-index", "--no-deps", "--no-compile", "--no-cache-dir")
ENV = {"HOME": "/scratch/s1", "TMPDIR": "/scratch/s1"}


def wheel_name(platform: str) -> str:
    return f"openai_codex_cli_bin-0.163.0-py3-none-{platform}.whl"


MANYLINUX = wheel_name("manylinux_2_17_x86_64")


def contents(name: str) -> WheelContents:
    return WheelContents(
        path=Path("/dist") / name,
        name=name,
        parsed=parse_name(name),
        members=(),
        archive=Archive(),
        problems=(),
    )


def result(outcome: SmokeOutcome, detail: str, *, wheel: str = MANYLINUX) -> SmokeResult:
    return SmokeResult(wheel=wheel, outcome=outcome, detail=detail)


def planned(platform: str, host: Host = LINUX) -> SmokePlan:
    plan = plan_smoke(contents(wheel_name(platform)), host=host, scratch=SCRATCH)
    assert isinstance(plan, SmokePlan)
    return plan


def command(*argv: str, **env: str) -> Command:
    return Command(argv=argv, env={**ENV, **env}, cwd=SCRATCH, timeout_s=300.0)


def test_the_host_s_own_platform_is_installed_and_started_as_a_user_would() -> None:
    plan = planned("manylinux_2_17_x86_64")
    assert plan.how == "natively"
    assert plan.preparations == (
        command("/usr/bin/python3", "-I", "-m", "venv", "/scratch/s1/venv"),
        command("/scratch/s1/venv/bin/python", *PIP, *OPTIONS, f"/dist/{MANYLINUX}"),
    )
    assert plan.start.argv[:3] == ("/scratch/s1/venv/bin/python", "-P", "-c")
    assert plan.start.argv[4:] == ("",)
    assert plan.start.env == ENV
    assert plan.expected_version == "0.163.0"
    assert plan.leftovers is None


def test_a_foreign_processor_is_emulated() -> None:
    plan = planned("manylinux_2_17_aarch64")
    assert plan.how == "under qemu-aarch64-static"
    assert plan.preparations[1] == command(
        "/scratch/s1/venv/bin/python",
        *PIP,
        *OPTIONS,
        *("--only-binary", ":all:", "--platform", "manylinux_2_17_aarch64", "--target", "/scratch/s1/target"),
        f"/dist/{wheel_name('manylinux_2_17_aarch64')}",
    )
    assert plan.start.argv[4:] == ("", "/usr/bin/qemu-aarch64-static")
    assert plan.start.env == {**ENV, "PYTHONPATH": "/scratch/s1/target"}


def test_a_musllinux_wheel_starts_inside_a_musl_root() -> None:
    root = MuslRoot(path=Path("/srv/alpine"), chroot=Path("/usr/sbin/chroot"))
    plan = planned("musllinux_1_1_x86_64", replace(LINUX, musl_root=root))
    assert plan.how == "in a musl root"
    assert plan.start.argv[4:] == ("/srv/alpine", "/usr/sbin/chroot", "/srv/alpine")
    assert plan.start.env["PYTHONPATH"] == "/srv/alpine/tmp/factory-s1"
    assert plan.leftovers == Path("/srv/alpine/tmp/factory-s1")


def test_a_musl_host_starts_musllinux_wheels_natively() -> None:
    assert planned("musllinux_1_1_x86_64", replace(LINUX, libc=Libc.MUSL)).how == "natively"


def test_the_path_of_python_on_windows() -> None:
    windows = replace(
        LINUX, operating_system=OperatingSystem.WINDOWS, libc=None, env={"SYSTEMROOT": "C:\\Windows"}
    )
    plan = planned("win_amd64", windows)
    assert plan.start.argv[0] == "/scratch/s1/venv/Scripts/python.exe"
    assert plan.start.env == {**ENV, "SYSTEMROOT": "C:\\Windows"}


@pytest.mark.parametrize(
    ("platform", "host", "reason"),
    [
        ("macosx_11_0_arm64", LINUX, "macosx_11_0_arm64 is not for this operating system"),
        ("win_amd64", LINUX, "win_amd64 is not for this operating system"),
        (
            "manylinux_2_17_aarch64",
            replace(LINUX, emulators={}),
            "manylinux_2_17_aarch64 needs an aarch64 processor or emulator",
        ),
        (
            "musllinux_1_1_x86_64",
            LINUX,
            "musllinux_1_1_x86_64 needs a musl system, which is not available here",
        ),
        (
            "musllinux_1_1_aarch64",
            replace(LINUX, musl_root=MuslRoot(path=Path("/srv/alpine"), chroot=Path("/usr/sbin/chroot"))),
            "musllinux_1_1_aarch64 needs a musl system, which is not available here",
        ),
        (
            "win_amd64",
            replace(LINUX, operating_system=OperatingSystem.WINDOWS, architecture=Architecture.AARCH64),
            "win_amd64 needs an x86_64 processor or emulator",
        ),
    ],
)
def test_a_wheel_that_cannot_be_started_has_a_reason_and_no_process(
    platform: str, host: Host, reason: str
) -> None:
    name = wheel_name(platform)
    plan = plan_smoke(contents(name), host=host, scratch=SCRATCH)
    assert plan == result(SmokeOutcome.NOT_RUN, reason, wheel=name)
    assert run_smoke(plan, runner=FakeRunner()) == plan


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("codex.whl", "the file name is not for one release and one platform"),
        (wheel_name("any"), "the file name is not for one release and one platform"),
        (MANYLINUX.replace("0.163.0", "0.163.0.post1"), "'0.163.0.post1' is not a Codex release tag"),
    ],
)
def test_a_wheel_of_an_unknown_release_or_platform_is_not_started(name: str, reason: str) -> None:
    plan = plan_smoke(contents(name), host=LINUX, scratch=SCRATCH)
    assert plan == result(SmokeOutcome.NOT_RUN, reason, wheel=name)


def run(*script: Expected) -> SmokeResult:
    runner = FakeRunner(*script)
    result = run_smoke(planned("manylinux_2_17_x86_64"), runner=runner)
    runner.assert_done()
    return result


VENV = Expected(argv=("-m", "venv"))
INSTALL = Expected(argv=("pip", "install"))


def started(output: str, returncode: int = 0) -> Expected:
    return Expected(argv=("-c",), completed=Completed(returncode=returncode, output=output))


def test_the_expected_version_in_the_output_is_a_success() -> None:
    assert run(VENV, INSTALL, started("WARNING: no PATH aliases\ncodex-cli 0.163.0\n")) == result(
        SmokeOutcome.RAN, "natively: codex-cli 0.163.0"
    )


@pytest.mark.parametrize(
    "output", ["codex-cli 0.162.0", "", "codex-cli 10.163.0", "codex-cli 0.163.0-alpha.1"]
)
def test_another_version_is_a_failure(output: str) -> None:
    ended = run(VENV, INSTALL, started(output))
    assert ended.outcome is SmokeOutcome.FAILED
    assert ended.detail.startswith("codex --version, started natively, does not print 0.163.0")


def test_a_failing_executable_is_a_failure() -> None:
    assert run(VENV, INSTALL, started("Exec format error\n", 126)) == result(
        SmokeOutcome.FAILED,
        "codex --version, started natively, ended with exit status 126: Exec format error",
    )


def test_a_failing_installation_is_a_failure() -> None:
    refused = Expected(
        argv=("pip", "install"), completed=Completed(returncode=1, output="not a supported wheel\n")
    )
    assert run(VENV, refused) == result(
        SmokeOutcome.FAILED, "python -I -m pip --isolated ended with exit status 1: not a supported wheel"
    )


def test_a_missing_program_is_reported_as_not_run() -> None:
    def missing(_: Command) -> None:
        raise HostError("cannot start python3: no such file")

    assert run(Expected(argv=("-m", "venv"), effect=missing)) == result(
        SmokeOutcome.NOT_RUN, "cannot start python3: no such file"
    )


def test_leftovers_in_a_musl_root_are_removed(tmp_path: Path) -> None:
    leftovers = tmp_path / "tmp" / "factory-s1"
    leftovers.mkdir(parents=True)
    plan = replace(planned("manylinux_2_17_x86_64"), leftovers=leftovers)
    run_smoke(plan, runner=FakeRunner(VENV, INSTALL, started("0.163.0")))
    assert not leftovers.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="starts a fabricated Linux program")
@pytest.mark.slow
def test_a_fabricated_wheel_really_runs(tmp_path: Path) -> None:
    architecture = Architecture(os.uname().machine)
    machine = {Architecture.X86_64: 62, Architecture.AARCH64: 183}[architecture]
    program = Elf(machine=machine, output=b"codex-cli 0.163.0\n").content()
    wheel = contents_of(tmp_path, f"manylinux_2_17_{architecture}", {CODEX: program})
    host = replace(LINUX, architecture=architecture, python=Path(sys.executable))
    plan = plan_smoke(wheel, host=host, scratch=tmp_path)
    ended = run_smoke(plan, runner=SubprocessRunner())
    assert ended == result(SmokeOutcome.RAN, "natively: codex-cli 0.163.0", wheel=wheel.name)
