"""The real command line in a process of its own: run to its end, or killed where a test says."""

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
    """How a process ended, and what it said on each of its channels."""

    status: int
    out: str
    err: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A process to start.

    Attributes:
        argv: The program and its arguments.
        env: Variables over those of this process; where `environ` is given, over those.
        cwd: Its working directory.
        umask: Its file mode creation mask; -1 inherits.
        environ: The whole environment below `env`; None inherits this process's.
    """

    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path
    umask: int = -1
    environ: Mapping[str, str] | None = None

    def run(self) -> Ended:
        """Run it to its end."""
        with self._start() as process:
            out, err = process.communicate(timeout=_TIMEOUT_S)
        return Ended(status=process.returncode, out=out, err=err)

    def kill_at(self, said: str, *, after_s: float, by: signal.Signals = signal.SIGKILL) -> Ended:
        """Send a signal some time after a line on stderr begins so; it must not end before."""
        seen = []
        with self._start() as process:
            assert process.stderr is not None
            for line in process.stderr:
                seen.append(line)
                if line.startswith(said):
                    break
            time.sleep(after_s)
            process.send_signal(by)
            out, err = process.communicate(timeout=_TIMEOUT_S)
        return Ended(status=process.returncode, out=out, err="".join(seen) + err)

    def kill_once(self, condition: Callable[[], object], *, by: signal.Signals = signal.SIGKILL) -> Ended:
        """Send a signal as soon as something holds; it must not end before."""
        with self._start() as process:
            while not condition():
                assert process.poll() is None, "it ended before"
                time.sleep(0.05)
            process.send_signal(by)
            out, err = process.communicate(timeout=_TIMEOUT_S)
        return Ended(status=process.returncode, out=out, err=err)

    def _start(self) -> "subprocess.Popen[str]":
        below = os.environ if self.environ is None else self.environ
        # Where the tests run in the background of a script, SIGINT is ignored, and a child inherits that.
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
    """Return ``factory`` with some arguments, as a person starts it in a directory.

    It finds no container engine unless a test names one: a developer's own would change where it builds.
    """
    base = {"PYTHONPATH": str(ROOT), "DOCKER_HOST": "unix:///nonexistent/engine.sock"}
    return Child(argv=(sys.executable, "-m", "factory", *arguments), env={**base, **env}, cwd=cwd)
