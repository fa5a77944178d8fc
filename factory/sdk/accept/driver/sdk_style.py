"""The two kinds of SDKs: what the same step is called in the official SDK and in our own."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Protocol

from factory.sdk.accept.driver.sdk_protocols import (
    AsyncThread,
    Configuration,
    InitializeResponse,
    Thread,
    TurnHandle,
    TurnResult,
)


class RequestingClient(Protocol):
    """The low-level client, as far as cases use it."""

    def close(self) -> None:
        """Stop the runtime."""

    def request(self, method: str, params: Mapping[str, object], *, response_model: type[object]) -> object:
        """Send a request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnOutcome:
    """What a whole turn gave, whichever SDK ran it.

    Attributes:
        status: ``completed``, ``interrupted`` or ``failed``.
        items: The types of the turn's items on the wire, in order, if the SDK returns all of them.
    """

    status: str
    final_response: str | None
    items: tuple[str, ...] = ()


class TurnFailed(RuntimeError):
    """A turn failed; the official SDK raises such an error itself."""


class SdkStyle(Protocol):
    """How a kind of SDK does what several cases need."""

    @property
    def sdk(self) -> ModuleType:
        """The SDK's package."""

    def run(self, thread: Thread, prompt: object) -> TurnOutcome:
        """Run a turn."""

    def finish(self, handle: TurnHandle) -> TurnOutcome:
        """Wait until a started turn is completed."""

    async def run_async(self, thread: AsyncThread, prompt: object) -> TurnOutcome:
        """Run a turn with the async client."""

    def full_access(self) -> Mapping[str, object]:
        """Return the keywords of a thread in which commands run without a sandbox and without questions."""

    def connect(self, configuration: Configuration) -> RequestingClient:
        """Return a low-level client that is initialised."""


def agent_of(metadata: InitializeResponse) -> str:
    """Return what the runtime reported as its name."""
    return str(getattr(metadata, "user_agent", None) or getattr(metadata, "userAgent", None) or "")


def style_of(package: str) -> SdkStyle:
    """Return the kind of an SDK, found by what it has."""
    sdk = importlib.import_module(package)
    return OwnStyle(sdk=sdk) if hasattr(sdk, "final_text") else OfficialStyle(sdk=sdk)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficialStyle:
    """The official SDK: a thread runs a turn and returns a result of its own."""

    sdk: ModuleType

    def run(self, thread: Thread, prompt: object) -> TurnOutcome:
        """Run a turn."""
        return _outcome(thread.run(prompt))

    def finish(self, handle: TurnHandle) -> TurnOutcome:
        """Wait until a started turn is completed."""
        return _outcome(handle.run())

    async def run_async(self, thread: AsyncThread, prompt: object) -> TurnOutcome:
        """Run a turn with the async client."""
        return _outcome(await thread.run(prompt))

    def full_access(self) -> Mapping[str, object]:
        """Return the keywords of a thread without a sandbox and without questions."""
        return {"sandbox": self.sdk.Sandbox.full_access, "approval_mode": self.sdk.ApprovalMode.deny_all}

    def connect(self, configuration: Configuration) -> RequestingClient:
        """Return a low-level client that is initialised."""
        client = importlib.import_module(f"{self.sdk.__name__}.client").CodexClient(configuration)
        client.start()
        client.initialize()
        connected: RequestingClient = client
        return connected


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnStyle:
    """The SDK of our own: a turn's handle returns the turn of the protocol."""

    sdk: ModuleType

    def run(self, thread: Thread, prompt: object) -> TurnOutcome:
        """Run a turn."""
        return self.finish(thread.turn(prompt))

    def finish(self, handle: TurnHandle) -> TurnOutcome:
        """Wait until a started turn is completed."""
        return self._outcome(handle.run(), handle.items())

    async def run_async(self, thread: AsyncThread, prompt: object) -> TurnOutcome:
        """Run a turn with the async client."""
        handle = await thread.turn(prompt)
        return self._outcome(await handle.run(), await handle.items())

    def full_access(self) -> Mapping[str, object]:
        """Return the keywords of a thread without a sandbox and without questions."""
        return {"sandbox": "danger-full-access", "approval_policy": "never"}

    def connect(self, configuration: Configuration) -> RequestingClient:
        """Return a low-level client that is initialised."""
        client: RequestingClient = self.sdk.CodexClient(configuration)
        return client

    def _outcome(self, turn: TurnResult, items: list[object]) -> TurnOutcome:
        status = _text(turn.status)
        if status == "failed":
            raise TurnFailed(str(turn.error))
        return TurnOutcome(status=status, final_response=self.sdk.final_text(items), items=_types(items))


def _outcome(result: TurnResult) -> TurnOutcome:
    items = getattr(result, "items", ())
    return TurnOutcome(
        status=_text(result.status), final_response=result.final_response, items=_types(list(items))
    )


def _text(status: object) -> str:
    return str(getattr(status, "value", status))


def _types(items: list[object]) -> tuple[str, ...]:
    return tuple(str(getattr(getattr(item, "root", item), "type", "")) for item in items)
