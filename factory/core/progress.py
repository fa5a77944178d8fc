"""The interface by which long operations report progress; the command line implements it."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class ProgressTask(Protocol):
    """An operation in progress."""

    def advance(self, size_bytes: int) -> None:
        """Report that more bytes are done. May be called from any thread."""

    def expect(self, total_bytes: int) -> None:
        """Report the size of the whole task, once it is known."""


class Progress(Protocol):
    """Receives progress updates; the command line shows them as bars or plain lines."""

    def task(self, label: str, *, total_bytes: int | None = None) -> AbstractContextManager[ProgressTask]:
        """Start a task, which ends with the context. May be called from any thread."""


class _SilentTask:
    def advance(self, size_bytes: int) -> None:
        """Discard the update."""

    def expect(self, total_bytes: int) -> None:
        """Discard the size."""


class SilentProgress:
    """A `Progress` that shows nothing."""

    @contextmanager
    def task(self, label: str, *, total_bytes: int | None = None) -> Iterator[ProgressTask]:  # noqa: ARG002
        """Return a task that discards its updates."""
        yield _SilentTask()
