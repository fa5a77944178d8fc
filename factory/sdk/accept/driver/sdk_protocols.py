"""Protocols of the SDK's public classes, as far as cases use them: mypy does not see the SDK itself."""

from collections.abc import AsyncIterator, Awaitable, Iterator
from types import TracebackType
from typing import Protocol, Self


class Configuration(Protocol):
    """``CodexConfig``."""

    codex_bin: str | None


class InitializeResponse(Protocol):
    """The answer to ``initialize``; see `agent_of`, since the SDKs spell its fields differently."""


class Model(Protocol):
    """A generated model."""

    def model_dump(self, *, mode: str, by_alias: bool) -> dict[str, object]:
        """Return it as JSON."""


class Notification(Protocol):
    """A notification during a turn."""

    method: str

    @property
    def payload(self) -> Model:
        """Its parameters."""


class Question(Protocol):
    """What the runtime asks."""

    method: str

    def accept(self) -> object:
        """Return the answer that accepts."""

    def decline(self) -> object:
        """Return the answer that declines."""


class TurnResult(Protocol):
    """The result of a turn."""

    status: object
    error: object
    final_response: str | None


class TurnHandle(Protocol):
    """A running turn."""

    def stream(self) -> Iterator[Notification]:
        """Yield the turn's notifications."""

    def run(self) -> TurnResult:
        """Wait until the turn is completed."""

    def items(self) -> list[object]:
        """Return the completed items; the official SDK returns them with the result."""

    def interrupt(self) -> object:
        """Stop the turn."""

    def steer(self, text: object, /) -> object:
        """Add input to the turn."""


class Thread(Protocol):
    """A thread."""

    id: str

    def run(self, prompt: object, /) -> TurnResult:
        """Run a whole turn."""

    def turn(self, prompt: object, /) -> TurnHandle:
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

    def thread_start(self, **options: object) -> Thread:
        """Start a thread."""

    def thread_resume(self, thread_id: str, /) -> Thread:
        """Continue a thread."""


class AsyncThread(Protocol):
    """A thread of the async client."""

    id: str

    def run(self, prompt: object, /) -> Awaitable[TurnResult]:
        """Run a whole turn."""

    def turn(self, prompt: object, /) -> "Awaitable[AsyncTurnHandle]":
        """Start a turn."""


class AsyncTurnHandle(Protocol):
    """A turn of the async client."""

    def stream(self) -> AsyncIterator[Notification]:
        """Yield the turn's notifications."""

    def run(self) -> Awaitable[TurnResult]:
        """Wait until the turn is completed."""

    def items(self) -> Awaitable[list[object]]:
        """Return the completed items."""

    def interrupt(self) -> Awaitable[object]:
        """Stop the turn."""


class AsyncCodex(Protocol):
    """The async client."""

    @property
    def metadata(self) -> InitializeResponse:
        """What the runtime reported about itself, once it was started."""

    def thread_start(self) -> Awaitable[AsyncThread]:
        """Start a thread."""

    def close(self) -> Awaitable[None]:
        """Stop the runtime."""
