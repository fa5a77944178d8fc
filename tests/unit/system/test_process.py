import os
import signal
import sys
import time
from pathlib import Path

import pytest

from factory.system.process import CannotStart, Command, Completed, SubprocessRunner

PYTHON = sys.executable


def test_output_without_a_log_is_kept_in_memory() -> None:
    done = SubprocessRunner().run(Command(argv=(PYTHON, "-c", "import sys; print('a'); sys.exit(3)")))
    assert done == Completed(returncode=3, output="a\n")
    assert done.reason == "exit status 3"


def test_output_is_written_to_the_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    script = "import sys; print('out', flush=True); print('err', file=sys.stderr)"
    assert SubprocessRunner().run(Command(argv=(PYTHON, "-c", script), log=log)).output == ""
    assert log.read_text() == "out\nerr\n"


def test_no_variable_is_inherited() -> None:
    script = "import os; print(sorted(set(os.environ) - {'LC_CTYPE'}))"
    done = SubprocessRunner().run(Command(argv=(PYTHON, "-c", script), env={"ONLY": "1"}))
    assert done.output == "['ONLY']\n"


def test_a_missing_program_is_reported() -> None:
    with pytest.raises(CannotStart, match="no-such-program"):
        SubprocessRunner().run(Command(argv=("no-such-program",)))


def test_a_timeout_kills_the_process_and_its_children(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    script = (
        "import subprocess, sys, time;"
        f"child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
        f"open({str(pid_file)!r}, 'w').write(str(child.pid)); time.sleep(60)"
    )
    done = SubprocessRunner().run(Command(argv=(PYTHON, "-c", script), timeout_s=2))
    assert done.returncode == -signal.SIGKILL
    assert done.reason == "killed by SIGKILL"
    _await_end(int(pid_file.read_text()))


def test_children_that_outlive_the_process_are_killed(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    script = (
        "import subprocess, sys;"
        "quiet = dict(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL);"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'], **quiet);"
        f"open({str(pid_file)!r}, 'w').write(str(child.pid))"
    )
    assert SubprocessRunner().run(Command(argv=(PYTHON, "-c", script))).returncode == 0
    _await_end(int(pid_file.read_text()))


def test_too_much_output_kills_the_process() -> None:
    script = "import sys\nwhile True: sys.stdout.write('garbage' * 9000)"
    done = SubprocessRunner().run(Command(argv=(PYTHON, "-c", script)))
    assert done == Completed(returncode=-signal.SIGKILL, output="more than 64 MiB of output")


def _await_end(pid: int) -> None:
    deadline = time.monotonic() + 10
    while _runs(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(pid)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z")
