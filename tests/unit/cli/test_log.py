"""How much a command says, and what a log file keeps."""

import io
import logging
import re
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from rich.console import Console
from rich.progress import Progress as Bars

from factory.cli.console import say
from factory.cli.drawing import BarProgress
from factory.system.process import Command, SubprocessRunner
from tests.npm_cases import SECRET
from tests.unit.cli.conftest import Factory


def wheels(packages: Path, out: Path) -> tuple[str | Path, ...]:
    return (
        "wheels",
        "0.163.0",
        "--platform",
        "win_arm64",
        "--channel",
        "directory",
        "--directory",
        packages,
        "--out",
        out,
    )


def test_a_quiet_run_prints_only_results_and_errors(factory: Factory, packages: Path, tmp_path: Path) -> None:
    usual = factory(*wheels(packages, tmp_path / "a"))
    assert (usual.status, "toolchain ..." in usual.err) == (0, True)
    quiet = factory(*wheels(packages, tmp_path / "b"), "-q")
    assert (quiet.status, quiet.err) == (0, "")
    assert "win_arm64" in quiet.out
    assert factory("--quiet", "cache", "clear").err == ""
    failed = factory("wheels", "x", "-q")
    assert (failed.status, failed.err.startswith("factory: ")) == (20, True)


def test_a_verbose_run_prints_requests_and_processes(
    factory: Factory, httpserver: HTTPServer, tmp_path: Path
) -> None:
    httpserver.expect_request("/npm/@openai/codex").respond_with_data('{"versions": {}}')
    registry = httpserver.url_for("/npm").replace("://", f"://me:{SECRET}@")
    command = ("wheels", "0.163.0", "--npm-registry", registry, "--out", tmp_path)
    assert "GET " not in factory(*command).err
    ended = factory(*command, "-v")
    assert re.search(
        r"^GET http://localhost:\d+/npm/@openai%2Fcodex: status 200 after \d\.\d\d s$",
        ended.err,
        re.MULTILINE,
    )
    assert SECRET not in ended.err


def test_quiet_and_verbose_exclude_each_other(factory: Factory) -> None:
    assert factory("cache", "-q", "-v").status == 2


def test_the_log_file_keeps_everything_with_times(factory: Factory, packages: Path, tmp_path: Path) -> None:
    log = tmp_path / "logs" / "run.log"
    assert factory(*wheels(packages, tmp_path / "a"), "-q", "--log-file", log).status == 0
    assert factory("wheels", "x", "--log-file", log).status == 20
    lines = log.read_text().splitlines()
    stamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z "
    assert re.fullmatch(
        stamp + r"INFO    toolchain \.\.\.", next(line for line in lines if "toolchain" in line)
    )
    assert any(re.fullmatch(stamp + "DEBUG   exit status 0", line) for line in lines)
    assert re.match(stamp + "DEBUG   failed: ", lines[-1])
    assert not any("Traceback" in line for line in lines)


def test_an_unwritable_log_file_is_reported(factory: Factory, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ended = factory("targets", "--log-file", tmp_path / "file" / "log")
    assert (ended.status, ended.out) == (25, "")
    assert f"cannot write {tmp_path / 'file' / 'log'}" in ended.err


def test_the_options_end_with_the_command(factory: Factory, capsys: pytest.CaptureFixture[str]) -> None:
    factory("targets", "-q")
    assert logging.getLogger("factory").handlers == []
    say("still printed")
    assert capsys.readouterr().err == "still printed\n"


def test_a_logged_command_line_has_no_password(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "factory"):
        SubprocessRunner().run(
            Command(argv=("true", f"https://me:{SECRET}@example.invalid/x"), env={"PATH": "/bin:/usr/bin"})
        )
    assert "ran true https://example.invalid/x: exit status 0" in caplog.text
    assert SECRET not in caplog.text


def test_cache_alone_shows_the_cache(factory: Factory) -> None:
    assert factory("cache") == factory("cache", "show")


def test_the_clock_of_a_finished_task_stops() -> None:
    times = iter(float(second) for second in range(100))
    bars = Bars(console=Console(file=io.StringIO()), get_time=lambda: next(times))
    with BarProgress(bars).task("toolchain"):
        pass
    (task,) = (task for task in bars.tasks if task.visible)
    seconds = task.elapsed
    next(times)
    assert task.elapsed == seconds is not None
