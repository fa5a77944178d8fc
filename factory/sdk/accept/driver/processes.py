"""Find the processes of a case: younger than the driver, and its own by parent, session or home directory."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_GRACE_S = 3.0
_POLL_S = 0.05
_STATE, _PARENT, _SESSION, _STARTED = 0, 1, 3, 19
"""Fields of /proc/PID/stat after the name; the start time is in clock ticks (proc_pid_stat(5))."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseProcess:
    """A running process of a case."""

    pid: int
    name: str


def can_list_processes() -> bool:
    """Whether this system has a /proc that can be read here: Linux."""
    return sys.platform == "linux" and _PROC.is_dir()


def case_processes(home: Path) -> tuple[CaseProcess, ...]:
    """Return the running processes that a case started, except the driver itself."""
    return tuple(_find_processes(home)) if can_list_processes() else ()


def remaining_processes(home: Path) -> tuple[CaseProcess, ...]:
    """Return the processes that still run after a few seconds: ending takes a process its time."""
    deadline = time.monotonic() + _GRACE_S
    while (left := case_processes(home)) and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    return left


def kill(processes: tuple[CaseProcess, ...]) -> None:
    """Kill processes of a case."""
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)


def _find_processes(home: Path) -> Iterator[CaseProcess]:
    own = os.getpid()
    _, started = _stat(_PROC / str(own))
    marker = b"HOME=" + os.fsencode(home)
    for directory in _PROC.iterdir():
        if not directory.name.isdigit() or int(directory.name) == own:
            continue
        with suppress(OSError):  # it has ended, or belongs to another user
            name, fields = _stat(directory)
            # Only a session that the driver leads belongs to this case; another may be a user's terminal.
            is_descendant = own in {int(fields[_PARENT]), int(fields[_SESSION])}
            is_ours = is_descendant or marker in _environment(directory)
            is_younger = int(fields[_STARTED]) >= int(started[_STARTED])
            if is_ours and is_younger and fields[_STATE] != "Z":
                yield CaseProcess(pid=int(directory.name), name=name)


def _stat(directory: Path) -> tuple[str, list[str]]:
    """Return a process's name, which may contain any character, and the fields after it."""
    before, _, after = (directory / "stat").read_text("utf-8", "replace").rpartition(")")
    return before.partition("(")[2], after.split()


def _environment(directory: Path) -> list[bytes]:
    return (directory / "environ").read_bytes().split(b"\0")
