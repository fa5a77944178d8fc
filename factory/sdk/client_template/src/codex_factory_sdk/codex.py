"""The sync API: `Codex`, its threads and their turns."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING

from codex_factory_sdk import _turns
from codex_factory_sdk._notification import Notification, parse
from codex_factory_sdk._options import build
from codex_factory_sdk._transport import WaitingSubscription
from codex_factory_sdk.approvals import ApprovalHandler
from codex_factory_sdk.client import CodexClient
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


class Codex:
    """A client of its own app-server.

    Attributes:
        client: The low-level client, with a typed method for every request of the protocol.
    """

    def __init__(
        self,
        config: CodexConfig | None = None,
        *,
        approval_handler: ApprovalHandler | None = None,
        require_auth: bool = False,
    ) -> None:
        """Start the app-server and initialise it.

        Args:
            config: How to start it, and the limits.
            approval_handler: Called, in a thread of its own, for everything that the app-server asks;
                without one, everything is declined.
            require_auth: Fail now if the model provider needs an account and has none. By default the
                first turn fails, since logging in needs a client.

        Raises:
            RuntimeNotFound: The runtime is not installed, or ``codex_bin`` names no file.
            AuthenticationRequired: There is no account, and ``require_auth`` is set.
            MethodNotFoundError: The app-server is too old to know ``initialize``.
            IncompatibleAppServer: It does not identify itself, or is older than this SDK's release.
            RequestTimeout: It does not answer.
            ConnectionFailed: It ended, or sent something that is not the protocol.
        """
        self.client = CodexClient(config, approval_handler=approval_handler)
        self._needs_check = True
        if require_auth:
            try:
                self._check_account()
            except BaseException:
                self.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def metadata(self) -> v2.InitializeResponse:
        """What the app-server said of itself."""
        return self.client.metadata

    def close(self) -> None:
        """Stop the app-server; a second call does nothing."""
        self.client.close()

    def thread_start(self, **options: Unpack[ThreadStartOptions]) -> Thread:
        """Start a thread: a conversation of any number of turns."""
        params = build(v2.ThreadStartParams, options, "thread_start")
        started = self.client.request("thread/start", params, v2.ThreadStartResponse)
        return Thread(self, started.thread.id, needs_account=_turns.uses_default_provider(params))

    def thread_resume(self, thread_id: str, **options: Unpack[ThreadResumeKeywords]) -> Thread:
        """Continue a thread of an earlier client, or of another program."""
        params = build(v2.ThreadResumeParams, options, "thread_resume", thread_id=thread_id)
        resumed = self.client.request("thread/resume", params, v2.ThreadResumeResponse)
        return Thread(self, resumed.thread.id, needs_account=_turns.uses_default_provider(params))

    def thread_fork(self, thread_id: str, **options: Unpack[ThreadForkKeywords]) -> Thread:
        """Copy a thread into a new one."""
        params = build(v2.ThreadForkParams, options, "thread_fork", thread_id=thread_id)
        forked = self.client.request("thread/fork", params, v2.ThreadForkResponse)
        return Thread(self, forked.thread.id, needs_account=_turns.uses_default_provider(params))

    def thread_list(self, **options: Unpack[ThreadListOptions]) -> v2.ThreadListResponse:
        """List the stored threads, a page at a time."""
        return self.client.thread_list(**options)

    def thread_archive(self, thread_id: str) -> v2.ThreadArchiveResponse:
        """Archive a thread: `thread_list` leaves it out unless asked for archived ones."""
        return self.client.thread_archive(thread_id=thread_id)

    def thread_unarchive(self, thread_id: str) -> Thread:
        """Bring an archived thread back."""
        return Thread(self, self.client.thread_unarchive(thread_id=thread_id).thread.id)

    def models(self, **options: Unpack[ModelListOptions]) -> v2.ModelListResponse:
        """List the models, a page at a time."""
        return self.client.model_list(**options)

    def account(self) -> v2.GetAccountResponse:
        """Return the account that is logged in, and whether the model provider needs one."""
        return self.client.account_read()

    def login_api_key(self, api_key: str) -> None:
        """Log in with an API key."""
        self.client.request("account/login/start", _turns.api_key_login(api_key), v2.LoginAccountResponse)

    def login_chatgpt(self) -> LoginHandle:
        """Begin to log in with ChatGPT; the user opens ``auth_url`` in a browser."""
        return self._login("chatgpt")

    def login_chatgpt_device_code(self) -> LoginHandle:
        """Begin to log in with a code that the user enters at ``verification_url`` on any device."""
        return self._login("chatgptDeviceCode")

    def logout(self) -> None:
        """Log out."""
        self.client.account_logout()
        self._needs_check = True

    def notifications(self) -> Iterator[Notification]:
        """Yield the notifications that belong to no turn or login of this client; unknown ones too."""
        return self.client.notifications()

    def _login(self, kind: str) -> LoginHandle:
        result, subscription = self.client.open("account/login/start", {"type": kind})
        return LoginHandle(self, _turns.LoginStart.of(result), subscription)

    def _check_account(self) -> None:
        if self._needs_check:
            self.client.require_account()
            self._needs_check = False


class Thread:
    """A conversation.

    Attributes:
        id: Its identifier, for `Codex.thread_resume`.
    """

    def __init__(self, codex: Codex, thread_id: str, *, needs_account: bool = True) -> None:
        self.id = thread_id
        self._codex = codex
        self._needs_account = needs_account

    def turn(self, input: Input, **options: Unpack[TurnStartKeywords]) -> TurnHandle:  # noqa: A002 - the protocol's name
        """Start a turn: one run of the model in this conversation.

        Raises:
            AuthenticationRequired: The model provider needs an account and has none.
            TypeError: The input or a keyword has the wrong form.
        """
        params = build(v2.TurnStartParams, options, "turn", thread_id=self.id, input=wire_input(input))
        if self._needs_account:
            self._codex._check_account()  # noqa: SLF001 - the classes of this module belong together
        result, subscription = self._codex.client.open("turn/start", params)
        started = parse(v2.TurnStartResponse, result, "the result of turn/start")
        return TurnHandle(self._codex, self.id, started.turn.id, subscription)

    def read(self, *, include_turns: bool = False) -> v2.ThreadReadResponse:
        """Return what is stored of the thread."""
        return self._codex.client.thread_read(thread_id=self.id, include_turns=include_turns)

    def set_name(self, name: str) -> v2.ThreadSetNameResponse:
        """Name the thread."""
        return self._codex.client.thread_name_set(thread_id=self.id, name=name)

    def compact(self) -> v2.ThreadCompactStartResponse:
        """Begin to shorten the conversation that the model gets; notifications say when it is done."""
        return self._codex.client.thread_compact_start(thread_id=self.id)

    def __repr__(self) -> str:
        return f"Thread({self.id!r})"


class TurnHandle:
    """A running turn; it has one consumer, which calls `run` or `stream`.

    Attributes:
        thread_id: The identifier of its thread.
        id: Its own identifier.
    """

    def __init__(self, codex: Codex, thread_id: str, turn_id: str, subscription: WaitingSubscription) -> None:
        self.thread_id = thread_id
        self.id = turn_id
        self._codex = codex
        self._subscription = subscription

    def run(self) -> v2.Turn:
        """Wait until ``turn/completed`` arrives for this turn, and return it.

        The turn can have failed or been interrupted: see its ``status`` and ``error``.

        Raises:
            AuthenticationRequired: It failed because the account is missing or not valid.
            ConnectionFailed: The app-server ended first.
        """
        return _turns.completed_turn(self._codex.client.last_of(self._subscription))

    def stream(self) -> Iterator[Notification]:
        """Yield the turn's notifications in order; the last one is ``turn/completed``.

        Raises:
            SlowConsumer: More than ``CodexConfig.queue_limit`` notifications were waiting.
            ConnectionFailed: The app-server ended first.
        """
        while (notification := self._codex.client.next_of(self._subscription)) is not None:
            yield notification

    def items(self) -> list[v2.ThreadItem]:
        """Return the items that the turn has completed so far, in order, whether or not consumed."""
        return _turns.completed_items(self._subscription)

    def interrupt(self) -> v2.TurnInterruptResponse:
        """Ask the app-server to stop the turn; ``turn/completed`` still follows."""
        return self._codex.client.turn_interrupt(thread_id=self.thread_id, turn_id=self.id)

    def steer(self, input: Input) -> v2.TurnSteerResponse:  # noqa: A002 - the protocol's name
        """Add input to the running turn.

        Raises:
            InvalidRequestError: The turn is not running any more.
        """
        params = _turns.steer_params(self.thread_id, self.id, input)
        return self._codex.client.request("turn/steer", params, v2.TurnSteerResponse)

    def __repr__(self) -> str:
        return f"TurnHandle({self.id!r})"


class LoginHandle:
    """A login that waits for the user.

    Attributes:
        login_id: Its identifier.
        auth_url: The page to open in a browser, for `Codex.login_chatgpt`.
        verification_url: The page to enter ``user_code`` at, for `Codex.login_chatgpt_device_code`.
        user_code: The code to enter.
    """

    def __init__(self, codex: Codex, start: _turns.LoginStart, subscription: WaitingSubscription) -> None:
        self.login_id = start.login_id
        self.auth_url = start.auth_url
        self.verification_url = start.verification_url
        self.user_code = start.user_code
        self._codex = codex
        self._subscription = subscription

    def wait(self) -> v2.AccountLoginCompletedNotification:
        """Wait until the user has logged in, or the login has failed."""
        return _turns.completed_login(self._codex.client.last_of(self._subscription))

    def cancel(self) -> v2.CancelLoginAccountResponse:
        """Give up."""
        return self._codex.client.account_login_cancel(login_id=self.login_id)
