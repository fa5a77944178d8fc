"""What still runs of a case: processes younger than the driver and its own by descent, session or home."""

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
"""Fields of /proc/PID/stat behind the name; the start is in clock ticks (proc_pid_stat(5))."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseProcess:
    """A process that is there, by number and name."""

    pid: int
    name: str


def can_list_processes() -> bool:
    """Whether this system tells of its processes in a way that is read here: Linux."""
    return sys.platform == "linux" and _PROC.is_dir()


def case_processes(home: Path) -> tuple[CaseProcess, ...]:
    """Return the processes that a case started and that are there, but for the one that asks."""
    return tuple(_survivors(home)) if can_list_processes() else ()


def remaining_processes(home: Path) -> tuple[CaseProcess, ...]:
    """Return the processes that still run after a few seconds: ending takes a process its time."""
    deadline = time.monotonic() + _GRACE_S
    while (there := case_processes(home)) and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    return there


def end(there: tuple[CaseProcess, ...]) -> None:
    """Kill what a case left; each is of its session or carries its home, so nobody else's."""
    for survivor in there:
        with suppress(ProcessLookupError):
            os.kill(survivor.pid, signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)


def _survivors(home: Path) -> Iterator[CaseProcess]:
    own = os.getpid()
    _, started = _stat(_PROC / str(own))
    marker = b"HOME=" + os.fsencode(home)
    for directory in _PROC.iterdir():
        if not directory.name.isdigit() or int(directory.name) == own:
            continue
        with suppress(OSError):  # it ended meanwhile, or is another user's
            name, fields = _stat(directory)
            # A session is this case's own where it is named after the driver; else it is somebody's terminal.
            is_known = own in {int(fields[_PARENT]), int(fields[_SESSION])}
            is_ours = is_known or marker in _environment(directory)
            is_younger = int(fields[_STARTED]) >= int(started[_STARTED])
            if is_ours and is_younger and fields[_STATE] != "Z":
                yield CaseProcess(pid=int(directory.name), name=name)


def _stat(directory: Path) -> tuple[str, list[str]]:
    """Return a process's name, which may hold any character, and the fields behind it."""
    before, _, behind = (directory / "stat").read_text("utf-8", "replace").rpartition(")")
    return before.partition("(")[2], behind.split()


def _environment(directory: Path) -> list[bytes]:
    return (directory / "environ").read_bytes().split(b"\0")
