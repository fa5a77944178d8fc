"""Start processes, behind a `Runner` that tests replace; no other module does."""

import contextlib
import logging
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from factory.core.errors import HostError
from factory.system.parallel import Stopped

_POLL_S = 0.2
_MAX_OUTPUT_BYTES = 64 << 20


class CannotStart(HostError):
    """A program is missing or not executable."""

    def __init__(self, program: str, reason: str) -> None:
        super().__init__(
            f"cannot start {program}: {reason}", hint="Run 'factory doctor' to see what this host lacks."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A process to start.

    Attributes:
        argv: The program and its arguments; never a shell command line.
        env: The complete environment; no variable is inherited.
        log: The file that stdout and stderr are appended to; without one, the output is kept in memory.
        timeout_s: The process is killed after this many seconds.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    log: Path | None = None
    timeout_s: float = 1800.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """The exit status of a process (negative: the signal), and its output if it had no log file."""

    returncode: int
    output: str = ""

    @property
    def reason(self) -> str:
        """How the process ended, as part of a sentence."""
        if self.returncode >= 0:
            return f"exit status {self.returncode}"
        try:
            return f"killed by {signal.Signals(-self.returncode).name}"
        except ValueError:
            return f"killed by signal {-self.returncode}"


class _Killed(Exception):
    """The process must be killed; the message says why."""


class Runner(Protocol):
    """Starts processes."""

    def run(self, command: Command) -> Completed:
        """Run a command and wait until it ends.

        Raises:
            CannotStart: The program could not be started.
        """


class SubprocessRunner:
    """Runs each process in a session of its own, and kills its children with it.

    Args:
        stop: Set by another thread to kill the running processes.
    """

    def __init__(self, stop: threading.Event | None = None) -> None:
        self._stop = stop if stop is not None else threading.Event()

    def run(self, command: Command) -> Completed:
        """Run a command and wait until it ends; an interrupted wait kills the process first."""
        if command.log is None:
            return self._run(command, subprocess.PIPE)
        with command.log.open("ab") as log:
            return self._run(command, log.fileno())

    def _run(self, command: Command, stdout: int) -> Completed:
        begun = time.monotonic()
        try:
            process = subprocess.Popen(
                command.argv,
                env=dict(command.env),
                cwd=command.cwd,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise CannotStart(command.argv[0], error.strerror or str(error)) from error
        try:
            output = self._wait(process, command.timeout_s)
        except _Killed as reason:
            _end(process)
            return Completed(returncode=-signal.SIGKILL, output=str(reason))
        except BaseException:
            _end(process)
            raise
        _end_group(process)
        seconds = time.monotonic() - begun
        logging.getLogger("factory").debug(
            "ran %s: exit status %d after %.2f s", _shown(command.argv), process.returncode, seconds
        )
        return Completed(returncode=process.returncode, output=output.decode("utf-8", "replace"))

    def _wait(self, process: "subprocess.Popen[bytes]", timeout_s: float) -> bytes:
        """Return the output once the process has ended.

        Raises:
            _Killed: The time is up, or the output is too large to keep in memory.
            Stopped: ``stop`` was set.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            left_s = deadline - time.monotonic()
            try:
                return process.communicate(timeout=max(0.0, min(_POLL_S, left_s)))[0] or b""
            except subprocess.TimeoutExpired as waiting:
                if self._stop.is_set():
                    raise Stopped from None
                if left_s <= 0:
                    raise _Killed(f"did not end within {timeout_s:g} s") from None
                if len(waiting.output or b"") > _MAX_OUTPUT_BYTES:
                    raise _Killed(f"more than {_MAX_OUTPUT_BYTES >> 20} MiB of output") from None


def _shown(argv: Sequence[str]) -> str:
    """Return a command line for the log; addresses lose their user names and passwords."""
    return re.sub(r"//[^/@\s]*@", "//", shlex.join(argv))


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Kill a process and its children, and wait for it, so that none outlives the call."""
    if sys.platform == "win32":
        process.kill()
    _end_group(process)
    process.communicate()


def _end_group(process: "subprocess.Popen[bytes]") -> None:
    """Kill the remaining processes of a session; for an empty one macOS raises `PermissionError`."""
    if sys.platform != "win32":
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
