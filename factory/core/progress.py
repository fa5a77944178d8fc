"""How long work tells that it goes on, without knowing who listens."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class ProgressTask(Protocol):
    """One thing under way."""

    def advance(self, size_bytes: int) -> None:
        """Say that so many more bytes are done. May be called from any thread."""


class Progress(Protocol):
    """Where work reports to; the command line draws bars or plain lines from it."""

    def task(self, label: str, *, total_bytes: int | None = None) -> AbstractContextManager[ProgressTask]:
        """Open a task; it is done when the context ends. May be called from any thread."""


class _SilentTask:
    def advance(self, size_bytes: int) -> None:
        """Tell nobody."""


class SilentProgress:
    """A `Progress` for callers that want none."""

    @contextmanager
    def task(self, label: str, *, total_bytes: int | None = None) -> Iterator[ProgressTask]:  # noqa: ARG002
        """Open a task that tells nobody."""
        yield _SilentTask()
