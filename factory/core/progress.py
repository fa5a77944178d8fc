"""The interface by which long operations report progress; the command line implements it."""

from collections.abc import Iterator, Mapping
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

    def plan(self, sizes: Mapping[str, int]) -> None:
        """Announce tasks before they begin, so that the time left includes them.

        Args:
            sizes: The bytes of each task, by label; the first word of a label is the kind of the work,
                within which they must be comparable. A task can report others, such as compressed ones.
        """

    def task(self, label: str, *, total_bytes: int | None = None) -> AbstractContextManager[ProgressTask]:
        """Start a task, which ends with the context. May be called from any thread."""


class _SilentTask:
    def advance(self, size_bytes: int) -> None:
        """Discard the update."""

    def expect(self, total_bytes: int) -> None:
        """Discard the size."""


class SilentProgress:
    """A `Progress` that shows nothing."""

    def plan(self, sizes: Mapping[str, int]) -> None:
        """Discard the sizes."""

    @contextmanager
    def task(self, label: str, *, total_bytes: int | None = None) -> Iterator[ProgressTask]:  # noqa: ARG002
        """Return a task that discards its updates."""
        yield _SilentTask()
