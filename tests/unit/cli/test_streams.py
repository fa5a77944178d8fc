"""Standard streams that are closed or full, and signals: no traceback, whatever the program was doing."""

import signal
import sys
from pathlib import Path

import pytest

from tests.children import ROOT, Child, Ended

pytestmark = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux")


def shell(command: str, tmp_path: Path) -> Ended:
    """Run a command in sh; $F is the program."""
    program = f"{sys.executable} -m factory"
    env = {"PYTHONPATH": str(ROOT), "F": program, "FACTORY_CACHE_DIR": str(tmp_path / "cache")}
    return Child(argv=("sh", "-c", command), env=env, cwd=tmp_path).run()


@pytest.mark.parametrize("words", ["targets", "targets --json", "checks", "cache show --json", "--help"])
def test_a_full_stdout_is_an_error_in_one_line(tmp_path: Path, words: str) -> None:
    ended = shell(f"$F {words} > /dev/full", tmp_path)
    assert ended.status == 25
    assert ended.err.splitlines()[0] == "factory: cannot write to standard output: No space left on device"


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("$F targets >&-", 0),
        ("$F targets 2>&- > /dev/null", 0),
        ("$F wheels nosuch 2> /dev/full", 20),
        ("$F wheels nosuch 2>&-", 20),
        ("$F cache show 0<&- >&- 2>&-", 0),
    ],
)
def test_closed_streams_and_a_full_stderr_do_not_change_the_status(
    tmp_path: Path, command: str, status: int
) -> None:
    ended = shell(command, tmp_path)
    assert (ended.status, "Traceback" in ended.err) == (status, False)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_at_any_time_gives_no_traceback(tmp_path: Path, number: signal.Signals) -> None:
    for after_s in (0.02, 0.05, 0.1, 0.15, 0.2, 0.3):
        ended = shell(f"timeout --preserve-status -s {number} {after_s} $F targets > /dev/null", tmp_path)
        # Python itself answers SIGINT with a traceback until it runs the program.
        assert "factory" not in ended.err or "Traceback" not in ended.err
        assert ended.status in {0, -number, 128 + number} or "importlib" in ended.err
