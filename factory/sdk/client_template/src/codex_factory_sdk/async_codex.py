"""The async API: `AsyncCodex` has the shape of `codex_factory_sdk.Codex`, and the same meaning."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import TracebackType
from typing import TYPE_CHECKING

from codex_factory_sdk import _turns
from codex_factory_sdk._async_transport import AwaitableSubscription
from codex_factory_sdk._notification import Notification, parse
from codex_factory_sdk._options import build
from codex_factory_sdk.approvals import AsyncApprovalHandler
from codex_factory_sdk.async_client import AsyncCodexClient
from codex_factory_sdk.config import CodexConfig
from codex_factory_sdk.generated import v2_all as v2
from codex_factory_sdk.inputs import Input, wire_input

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

    from codex_factory_sdk.generated.client_methods import (
        ModelListOptions,
        ThreadForkKeywords,
        ThreadListOptions,
        ThreadResumeKeywords,
        ThreadStartOptions,
        TurnStartKeywords,
    )


class AsyncCodex:
    """A client of its own app-server, which is started on entering the context or at the first await.

    Attributes:
        client: The low-level client, with a typed method for every request of the protocol.
    """

    def __init__(
        self,
        config: CodexConfig | None = None,
        *,
        approval_handler: AsyncApprovalHandler | None = None,
        require_auth: bool = False,
    ) -> None:
        """Start nothing yet; the arguments are those of `codex_factory_sdk.Codex`.

        The handler can be a coroutine function. It runs in the event loop.
        """
        self.client = AsyncCodexClient(config, approval_handler=approval_handler)
        self._needs_check = True
        self._require_auth = require_auth

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def metadata(self) -> v2.InitializeResponse:
        """What the app-server said of itself.

        Raises:
            RuntimeError: It is not started yet.
        """
        return self.client.metadata

    async def close(self) -> None:
        """Stop the app-server; a second call does nothing."""
        await self.client.close()

    async def thread_start(self, **options: Unpack[ThreadStartOptions]) -> AsyncThread:
        """Start a thread: a conversation of any number of turns."""
        params = build(v2.ThreadStartParams, options, "thread_start")
        client = await self._start()
        started = await client.request("thread/start", params, v2.ThreadStartResponse)
        return AsyncThread(self, started.thread.id, needs_account=_turns.uses_default_provider(params))

    async def thread_resume(self, thread_id: str, **options: Unpack[ThreadResumeKeywords]) -> AsyncThread:
        """Continue a thread of an earlier client, or of another program."""
        params = build(v2.ThreadResumeParams, options, "thread_resume", thread_id=thread_id)
        client = await self._start()
        resumed = await client.request("thread/resume", params, v2.ThreadResumeResponse)
        return AsyncThread(self, resumed.thread.id, needs_account=_turns.uses_default_provider(params))

    async def thread_fork(self, thread_id: str, **options: Unpack[ThreadForkKeywords]) -> AsyncThread:
        """Copy a thread into a new one."""
        params = build(v2.ThreadForkParams, options, "thread_fork", thread_id=thread_id)
        client = await self._start()
        forked = await client.request("thread/fork", params, v2.ThreadForkResponse)
        return AsyncThread(self, forked.thread.id, needs_account=_turns.uses_default_provider(params))

    async def thread_list(self, **options: Unpack[ThreadListOptions]) -> v2.ThreadListResponse:
        """List the stored threads, a page at a time."""
        return await (await self._start()).thread_list(**options)

    async def thread_archive(self, thread_id: str) -> v2.ThreadArchiveResponse:
        """Archive a thread: `thread_list` leaves it out unless asked for archived ones."""
        return await (await self._start()).thread_archive(thread_id=thread_id)

    async def thread_unarchive(self, thread_id: str) -> AsyncThread:
        """Bring an archived thread back."""
        restored = await (await self._start()).thread_unarchive(thread_id=thread_id)
        return AsyncThread(self, restored.thread.id)

    async def models(self, **options: Unpack[ModelListOptions]) -> v2.ModelListResponse:
        """List the models, a page at a time."""
        return await (await self._start()).model_list(**options)

    async def account(self) -> v2.GetAccountResponse:
        """Return the account that is logged in, and whether the model provider needs one."""
        return await self.client.account_read()

    async def login_api_key(self, api_key: str) -> None:
        """Log in with an API key."""
        params = _turns.api_key_login(api_key)
        await self.client.request("account/login/start", params, v2.LoginAccountResponse)

    async def login_chatgpt(self) -> AsyncLoginHandle:
        """Begin to log in with ChatGPT; the user opens ``auth_url`` in a browser."""
        return await self._login("chatgpt")

    async def login_chatgpt_device_code(self) -> AsyncLoginHandle:
        """Begin to log in with a code that the user enters at ``verification_url`` on any device."""
        return await self._login("chatgptDeviceCode")

    async def logout(self) -> None:
        """Log out."""
        await self.client.account_logout()
        self._needs_check = True

    async def notifications(self) -> AsyncIterator[Notification]:
        """Yield the notifications that belong to no turn or login of this client; unknown ones too."""
        await self._start()
        async for notification in self.client.notifications():
            yield notification

    async def _start(self) -> AsyncCodexClient:
        await self.client.start()
        if self._require_auth:
            await self._check_account()
        return self.client

    async def _login(self, kind: str) -> AsyncLoginHandle:
        result, subscription = await self.client.open("account/login/start", {"type": kind})
        return AsyncLoginHandle(self, _turns.LoginStart.of(result), subscription)

    async def _check_account(self) -> None:
        if self._needs_check:
            await self.client.require_account()
            self._needs_check = False


class AsyncThread:
    """A conversation.

    Attributes:
        id: Its identifier, for `AsyncCodex.thread_resume`.
    """

    def __init__(self, codex: AsyncCodex, thread_id: str, *, needs_account: bool = True) -> None:
        self.id = thread_id
        self._codex = codex
        self._needs_account = needs_account

    async def turn(self, input: Input, **options: Unpack[TurnStartKeywords]) -> AsyncTurnHandle:  # noqa: A002 - the protocol's name
        """Start a turn: one run of the model in this conversation; see `codex_factory_sdk.Thread.turn`."""
        params = build(v2.TurnStartParams, options, "turn", thread_id=self.id, input=wire_input(input))
        client = await self._codex._start()  # noqa: SLF001 - the classes of this module belong together
        if self._needs_account:
            await self._codex._check_account()  # noqa: SLF001
        result, subscription = await client.open("turn/start", params)
        started = parse(v2.TurnStartResponse, result, "the result of turn/start")
        return AsyncTurnHandle(self._codex, self.id, started.turn.id, subscription)

    async def read(self, *, include_turns: bool = False) -> v2.ThreadReadResponse:
        """Return what is stored of the thread."""
        return await self._codex.client.thread_read(thread_id=self.id, include_turns=include_turns)

    async def set_name(self, name: str) -> v2.ThreadSetNameResponse:
        """Name the thread."""
        return await self._codex.client.thread_name_set(thread_id=self.id, name=name)

    async def compact(self) -> v2.ThreadCompactStartResponse:
        """Begin to shorten the conversation that the model gets; notifications say when it is done."""
        return await self._codex.client.thread_compact_start(thread_id=self.id)

    def __repr__(self) -> str:
        return f"AsyncThread({self.id!r})"


class AsyncTurnHandle:
    """A running turn; it has one consumer, which calls `run` or `stream`.

    Cancelling the consumer does not stop the turn: `interrupt` does.

    Attributes:
        thread_id: The identifier of its thread.
        id: Its own identifier.
    """

    def __init__(
        self, codex: AsyncCodex, thread_id: str, turn_id: str, subscription: AwaitableSubscription
    ) -> None:
        self.thread_id = thread_id
        self.id = turn_id
        self._codex = codex
        self._subscription = subscription

    async def run(self) -> v2.Turn:
        """Wait until ``turn/completed`` arrives for this turn, and return it; see `TurnHandle.run`."""
        return _turns.completed_turn(await self._codex.client.last_of(self._subscription))

    async def stream(self) -> AsyncIterator[Notification]:
        """Yield the turn's notifications in order; the last one is ``turn/completed``."""
        while (notification := await self._codex.client.next_of(self._subscription)) is not None:
            yield notification

    async def items(self) -> list[v2.ThreadItem]:
        """Return the items that the turn has completed so far, in order, whether or not consumed."""
        return _turns.completed_items(self._subscription)

    async def interrupt(self) -> v2.TurnInterruptResponse:
        """Ask the app-server to stop the turn; ``turn/completed`` still follows."""
        return await self._codex.client.turn_interrupt(thread_id=self.thread_id, turn_id=self.id)

    async def steer(self, input: Input) -> v2.TurnSteerResponse:  # noqa: A002 - the protocol's name
        """Add input to the running turn.

        Raises:
            InvalidRequestError: The turn is not running any more.
        """
        params = _turns.steer_params(self.thread_id, self.id, input)
        return await self._codex.client.request("turn/steer", params, v2.TurnSteerResponse)

    def __repr__(self) -> str:
        return f"AsyncTurnHandle({self.id!r})"


class AsyncLoginHandle:
    """A login that waits for the user; see `codex_factory_sdk.LoginHandle`."""

    def __init__(
        self, codex: AsyncCodex, start: _turns.LoginStart, subscription: AwaitableSubscription
    ) -> None:
        self.login_id = start.login_id
        self.auth_url = start.auth_url
        self.verification_url = start.verification_url
        self.user_code = start.user_code
        self._codex = codex
        self._subscription = subscription

    async def wait(self) -> v2.AccountLoginCompletedNotification:
        """Wait until the user has logged in, or the login has failed."""
        return _turns.completed_login(await self._codex.client.last_of(self._subscription))

    async def cancel(self) -> v2.CancelLoginAccountResponse:
        """Give up."""
        return await self._codex.client.account_login_cancel(login_id=self.login_id)
