"""The app-server's process: its three pipes, each with a thread, and its end."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess  # noqa: TID251 - the SDK has no other module that starts processes
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from typing import IO

from codex_factory_sdk.errors import RuntimeNotFound, TransportClosedError

_CHUNK_BYTES = 1 << 16
_STDERR_LINES = 20
_STDERR_BYTES = 10_000
_OUTGOING_MESSAGES = 10_000
_GRACE_S = 2.0


class AppServerProcess:
    """A running app-server.

    The threads are daemons, and refer to nothing but this object and the two callbacks: an SDK client
    that is not used any more can be collected, which stops the process.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: str | PathLike[str] | None,
        on_data: Callable[[bytes], None],
        on_end: Callable[[TransportClosedError], None],
    ) -> None:
        """Start the command; ``on_data`` and ``on_end`` are called from a thread of this object.

        Raises:
            RuntimeNotFound: The command cannot be started.
        """
        self._on_data = on_data
        self._on_end = on_end
        self._outgoing: queue.Queue[bytes | None] = queue.Queue(_OUTGOING_MESSAGES)
        self._stderr = b""
        self._lock = threading.Lock()
        self._is_closing = False
        try:
            self._process = subprocess.Popen(  # noqa: S603 - an argument vector, never a shell
                list(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                env=dict(env),
                cwd=cwd,
                # A group of its own: an interrupt from the keyboard is for the program, which then closes
                # the client; and the commands that the app-server started can be killed with it.
                start_new_session=sys.platform != "win32",
            )
        except (OSError, ValueError) as error:  # ValueError: a null character
            raise RuntimeNotFound(f"{command[0]} could not be started: {error}") from error
        self._errors = self._start(self._read_stderr)
        self._writer = self._start(self._write)
        self._reader = self._start(self._read)
        self._watcher = self._start(self._watch)

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def send(self, data: bytes) -> None:
        """Write to the app-server, without waiting for it to read.

        Raises:
            TransportClosedError: It does not read what it is sent.
        """
        try:
            self._outgoing.put_nowait(data)
        except queue.Full:
            raise TransportClosedError(
                f"the app-server does not read: {_OUTGOING_MESSAGES} messages wait to be written"
            ) from None

    def close(self, timeout_s: float) -> None:
        """End the process: first by closing its input, then by killing it. A second call does nothing."""
        with self._lock:
            self._is_closing = True
            with contextlib.suppress(queue.Full):
                self._outgoing.put_nowait(None)
            try:
                self._process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                self.kill()
            if threading.current_thread() not in {self._reader, self._watcher}:
                self._watcher.join(_GRACE_S)

    def kill(self) -> None:
        """Kill the process and its group at once; used where nothing can wait."""
        self._is_closing = True
        if self._process.poll() is not None:
            return
        self._kill_group()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE_S)

    def _kill_group(self) -> None:
        with contextlib.suppress(OSError):
            if sys.platform == "win32":
                self._process.kill()
            else:
                os.killpg(self._process.pid, signal.SIGKILL)

    def _start(self, target: Callable[[], None]) -> threading.Thread:
        thread = threading.Thread(target=target, name=f"codex-app-server{target.__name__}", daemon=True)
        thread.start()
        return thread

    def _read(self) -> None:
        stdout = _pipe(self._process.stdout)
        with stdout, contextlib.suppress(OSError, ValueError):
            while data := os.read(stdout.fileno(), _CHUNK_BYTES):
                self._on_data(data)
        try:
            self._process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            self._on_end(TransportClosedError("the app-server closed its output", stderr=self._last_words()))
            self.kill()

    def _watch(self) -> None:
        """Wait for the end of the process, and report it."""
        code = self._process.wait()
        is_closing = self._is_closing
        self._kill_group()  # what it started would run on, and may have its pipes open
        self._reader.join(_GRACE_S)
        self._errors.join(_GRACE_S)
        reason = "the client was closed" if is_closing else "the app-server ended"
        stderr = "" if is_closing else self._last_words()
        self._on_end(TransportClosedError(reason, exit_code=code, stderr=stderr))

    def _write(self) -> None:
        stdin = _pipe(self._process.stdin)
        # A broken pipe is not reported here: the reader sees the end of the process, and knows more.
        with contextlib.suppress(OSError, ValueError), stdin:
            while (data := self._outgoing.get()) is not None:
                view = memoryview(data)
                while view:
                    view = view[stdin.write(view) :]

    def _read_stderr(self) -> None:
        stderr = _pipe(self._process.stderr)
        with stderr, contextlib.suppress(OSError, ValueError):
            while data := os.read(stderr.fileno(), _CHUNK_BYTES):
                self._stderr = (self._stderr + data)[-_STDERR_BYTES:]

    def _last_words(self) -> str:
        lines = self._stderr.decode("utf-8", "replace").splitlines()
        return "\n".join(line.rstrip() for line in lines[-_STDERR_LINES:])


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise ValueError("the process was started without this pipe")
    return pipe
