"""Protocols of the SDK's public classes, as far as cases use them: mypy does not see the SDK itself."""

from collections.abc import AsyncIterator, Awaitable, Iterator
from types import TracebackType
from typing import Protocol, Self


class Configuration(Protocol):
    """``CodexConfig``."""

    codex_bin: str | None


class InitializeResponse(Protocol):
    """The answer to ``initialize``."""

    userAgent: str | None  # noqa: N815 - the protocol's name


class Notification(Protocol):
    """A notification during a turn."""

    method: str


class TurnResult(Protocol):
    """The result of a turn."""

    status: object
    final_response: str | None


class TurnHandle(Protocol):
    """A running turn."""

    def stream(self) -> Iterator[Notification]:
        """Yield the turn's notifications."""


class Thread(Protocol):
    """A thread."""

    id: str

    def run(self, prompt: str, /) -> TurnResult:
        """Run a whole turn."""

    def turn(self, prompt: str, /) -> TurnHandle:
        """Start a turn."""


class Codex(Protocol):
    """The client."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...

    @property
    def metadata(self) -> InitializeResponse:
        """What the runtime reported about itself."""

    def close(self) -> None:
        """Stop the runtime."""

    def models(self) -> object:
        """List the models."""

    def thread_start(
        self,
        *,
        approval_mode: object = ...,
        developer_instructions: str | None = None,
        sandbox: object = None,
    ) -> Thread:
        """Start a thread."""

    def thread_resume(self, thread_id: str, /) -> Thread:
        """Continue a thread."""


class AsyncThread(Protocol):
    """A thread of the async client."""

    id: str

    def run(self, prompt: str, /) -> Awaitable[TurnResult]:
        """Run a whole turn."""

    def turn(self, prompt: str, /) -> "Awaitable[AsyncTurnHandle]":
        """Start a turn."""


class AsyncTurnHandle(Protocol):
    """A turn of the async client."""

    def stream(self) -> AsyncIterator[Notification]:
        """Yield the turn's notifications."""


class AsyncCodex(Protocol):
    """The async client."""

    @property
    def metadata(self) -> InitializeResponse:
        """What the runtime reported about itself, once it was started."""

    def thread_start(self) -> Awaitable[AsyncThread]:
        """Start a thread."""

    def close(self) -> Awaitable[None]:
        """Stop the runtime."""
