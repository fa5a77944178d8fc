"""The shapes of the SDK's public values that cases use; the SDK is not there to be checked against."""

from collections.abc import AsyncIterator, Awaitable, Iterator
from types import TracebackType
from typing import Protocol, Self


class Configuration(Protocol):
    """``CodexConfig``."""

    codex_bin: str | None


class InitializeResponse(Protocol):
    """What ``initialize`` answered."""

    userAgent: str | None  # noqa: N815 - the protocol's name


class Notification(Protocol):
    """One event of a turn."""

    method: str


class TurnResult(Protocol):
    """What a whole turn came to."""

    status: object
    final_response: str | None


class TurnHandle(Protocol):
    """A turn under way."""

    def stream(self) -> Iterator[Notification]:
        """Yield the turn's notifications."""


class Thread(Protocol):
    """A conversation."""

    id: str

    def run(self, said: str, /) -> TurnResult:
        """Run a whole turn."""

    def turn(self, said: str, /) -> TurnHandle:
        """Start a turn."""


class Codex(Protocol):
    """The client."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...

    @property
    def metadata(self) -> InitializeResponse:
        """What the runtime said of itself."""

    def close(self) -> None:
        """End the runtime."""

    def models(self) -> object:
        """Ask what models there are."""

    def thread_start(
        self,
        *,
        approval_mode: object = ...,
        developer_instructions: str | None = None,
        sandbox: object = None,
    ) -> Thread:
        """Begin a conversation."""

    def thread_resume(self, thread_id: str, /) -> Thread:
        """Go on with a conversation."""


class AsyncThread(Protocol):
    """A conversation of the async client."""

    id: str

    def run(self, said: str, /) -> Awaitable[TurnResult]:
        """Run a whole turn."""

    def turn(self, said: str, /) -> "Awaitable[AsyncTurnHandle]":
        """Start a turn."""


class AsyncTurnHandle(Protocol):
    """A turn of the async client."""

    def stream(self) -> AsyncIterator[Notification]:
        """Yield the turn's notifications."""


class AsyncCodex(Protocol):
    """The async client."""

    @property
    def metadata(self) -> InitializeResponse:
        """What the runtime said of itself, once it was asked."""

    def thread_start(self) -> Awaitable[AsyncThread]:
        """Begin a conversation."""

    def close(self) -> Awaitable[None]:
        """End the runtime."""
