"""Run the real command line in a process, until it ends or a test kills it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_TIMEOUT_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The exit status of a process, and its output."""

    status: int
    out: str
    err: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A process to start.

    Attributes:
        argv: The program and its arguments.
        env: Variables that are added to `environ`.
        umask: -1 inherits the umask of this process.
        environ: The environment; None inherits that of this process.
        timeout_s: After this time `run` kills it, and fails.
    """

    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path
    umask: int = -1
    environ: Mapping[str, str] | None = None
    timeout_s: float = _TIMEOUT_S

    def run(self) -> Ended:
        """Run the process until it ends."""
        with self._start() as process:
            try:
                out, err = process.communicate(timeout=self.timeout_s)
            except subprocess.TimeoutExpired:
                process.kill()  # leaving the context waits for it
                raise
        return Ended(status=process.returncode, out=out, err=err)

    def kill_at(
        self,
        said: str,
        *,
        after_s: float = 0.0,
        once: Callable[[], bool] = lambda: True,
        by: signal.Signals = signal.SIGKILL,
    ) -> Ended:
        """Send a signal some time after a line on stderr starts with a text; it must be still running.

        Args:
            said: The start of the line.
            after_s: The time to wait after the line.
            once: What must be so, too, for example that a file has appeared.
            by: The signal.
        """
        seen = []
        with self._start() as process:
            assert process.stderr is not None
            for line in process.stderr:
                seen.append(line)
                if line.startswith(said):
                    break
            time.sleep(after_s)
            while not once() and process.poll() is None:
                time.sleep(0.001)
            process.send_signal(by)
            out, err = process.communicate(timeout=_TIMEOUT_S)
        return Ended(status=process.returncode, out=out, err="".join(seen) + err)

    def kill_once(self, condition: Callable[[], object], *, by: signal.Signals = signal.SIGKILL) -> Ended:
        """Send a signal as soon as a condition is true; the process must be still running."""
        with self._start() as process:
            while not condition():
                assert process.poll() is None, "the process ended too early"
                time.sleep(0.05)
            process.send_signal(by)
            out, err = process.communicate(timeout=_TIMEOUT_S)
        return Ended(status=process.returncode, out=out, err=err)

    def _start(self) -> "subprocess.Popen[str]":
        below = os.environ if self.environ is None else self.environ
        # If a script runs the tests in the background, SIGINT is ignored, and children inherit that.
        former = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            return subprocess.Popen(
                self.argv,
                cwd=self.cwd,
                env={**below, **self.env},
                umask=self.umask,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
            )
        finally:
            signal.signal(signal.SIGINT, former)


def factory(*arguments: str, cwd: Path, env: Mapping[str, str]) -> Child:
    """Return the process ``factory`` with arguments, in a working directory.

    It finds no container engine unless the test names one: a developer's own engine would change
    where it builds.
    """
    base = {"PYTHONPATH": str(ROOT), "DOCKER_HOST": "unix:///nonexistent/engine.sock"}
    return Child(argv=(sys.executable, "-m", "factory", *arguments), env={**base, **env}, cwd=cwd)
