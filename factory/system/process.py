"""The one place that starts processes, behind a `Runner` that tests can replace."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from factory.core.errors import HostError
from factory.system.parallel import Stopped

_POLL_S = 0.2
_MAX_OUTPUT_BYTES = 64 << 20


class CannotStart(HostError):
    """A program is not there or not executable."""

    def __init__(self, program: str, reason: str) -> None:
        super().__init__(
            f"cannot start {program}: {reason}", hint="Run 'factory doctor' to see what this host lacks."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A process to start, whole: nothing is inherited but what stands here.

    Attributes:
        argv: The program and its arguments; never a shell line.
        env: The whole environment.
        cwd: Its working directory.
        log: Where its output (stdout and stderr, interleaved) goes; kept in memory when None.
        timeout_s: After so many seconds it is killed.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    log: Path | None = None
    timeout_s: float = 1800.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """How a process ended: its exit status (negative: the signal), and its output where no log was named."""

    returncode: int
    output: str = ""

    @property
    def reason(self) -> str:
        """Say how it ended, for a sentence."""
        if self.returncode >= 0:
            return f"exit status {self.returncode}"
        try:
            return f"killed by {signal.Signals(-self.returncode).name}"
        except ValueError:
            return f"killed by signal {-self.returncode}"


class _Killed(Exception):
    """A process is ended by us, and why."""


class Runner(Protocol):
    """What starts processes."""

    def run(self, command: Command) -> Completed:
        """Run a command to its end.

        Raises:
            CannotStart: The program could not be started.
        """


class SubprocessRunner:
    """The real `Runner`: each process in a session of its own, ended with its children.

    Args:
        stop: Once it is set, by another thread, processes under way are ended.
    """

    def __init__(self, stop: threading.Event | None = None) -> None:
        self._stop = stop if stop is not None else threading.Event()

    def run(self, command: Command) -> Completed:
        """Run a command to its end; whatever interrupts the wait ends the process first."""
        if command.log is None:
            return self._run(command, subprocess.PIPE)
        with command.log.open("ab") as log:
            return self._run(command, log.fileno())

    def _run(self, command: Command, stdout: int) -> Completed:
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
        return Completed(returncode=process.returncode, output=output.decode("utf-8", "replace"))

    def _wait(self, process: "subprocess.Popen[bytes]", timeout_s: float) -> bytes:
        """Return the output once the process has ended.

        Raises:
            _Killed: Its time is up, or its output would fill the memory.
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
                    raise _Killed(f"no end within {timeout_s:g} s") from None
                if len(waiting.output or b"") > _MAX_OUTPUT_BYTES:
                    raise _Killed(f"more than {_MAX_OUTPUT_BYTES >> 20} MiB of output") from None


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Kill a process and its children and wait for it, so that none outlives the call."""
    if sys.platform == "win32":
        process.kill()
    _end_group(process)
    process.communicate()


def _end_group(process: "subprocess.Popen[bytes]") -> None:
    """Kill what is left of a process's session; macOS says of one that is empty that it may not."""
    if sys.platform != "win32":
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
