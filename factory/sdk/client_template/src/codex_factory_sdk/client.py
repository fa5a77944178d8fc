"""The low-level client: one typed method for each request of the release's protocol."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel

from codex_factory_sdk import _launch
from codex_factory_sdk._notification import Notification, parse
from codex_factory_sdk._options import wire
from codex_factory_sdk._process import AppServerProcess
from codex_factory_sdk._transport import Transport, WaitingSubscription
from codex_factory_sdk.approvals import ApprovalHandler
from codex_factory_sdk.config import CodexConfig
from codex_factory_sdk.errors import AuthenticationRequired, CodexRpcError
from codex_factory_sdk.generated.client_methods import ClientMethods
from codex_factory_sdk.generated.v2_all import GetAccountResponse, InitializeResponse

if TYPE_CHECKING:
    from typing_extensions import Self

ModelT = TypeVar("ModelT", bound=BaseModel)
LOGIN_ADVICE = (
    "the model provider needs an account, and none is logged in: call login_api_key(...) or login_chatgpt(), "
    "run 'codex login', or configure a provider that needs none"
)


class CodexClient(ClientMethods):
    """A running app-server that has been initialised.

    Attributes:
        metadata: What the app-server said of itself.
    """

    def __init__(
        self, config: CodexConfig | None = None, *, approval_handler: ApprovalHandler | None = None
    ) -> None:
        """Start the app-server and initialise it; see `codex_factory_sdk.Codex` for the errors."""
        self._transport = Transport(config or CodexConfig(), approval_handler)
        self._finalizer = weakref.finalize(self, AppServerProcess.kill, self._transport.process)
        try:
            self.metadata = self._initialize()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop the app-server; pending calls and streams fail. A second call does nothing."""
        self._transport.close()
        self._finalizer.detach()

    def request(
        self,
        method: str,
        params: BaseModel | Mapping[str, object] | None,
        response_model: type[ModelT],
        *,
        timeout_s: float | None = None,
    ) -> ModelT:
        """Send any request; the typed methods are made with this one.

        Raises:
            CodexRpcError: The app-server refused it; each JSON-RPC error code has its own class.
            UnexpectedMessage: The result does not fit the model.
            RequestTimeout: There was no answer in time.
            ConnectionFailed: The connection ended.
        """
        result = self._transport.request(method, wire(params), timeout_s=timeout_s)
        return parse(response_model, result, f"the result of {method}")

    def notifications(self) -> Iterator[Notification]:
        """Yield the notifications that belong to no turn or login of this client, as they come.

        They are kept from the start of the client, up to ``CodexConfig.client_queue_limit``.
        """
        while (notification := self._transport.next(self._transport.unrouted)) is not None:
            yield notification

    def require_account(self) -> None:
        """Ask whether the model provider has the account that it needs.

        Raises:
            AuthenticationRequired: It does not.
        """
        if is_account_missing(self.request("account/read", {}, GetAccountResponse)):
            raise AuthenticationRequired(LOGIN_ADVICE)

    def open(self, method: str, params: Mapping[str, object]) -> tuple[object, WaitingSubscription]:
        """Send a request that begins something, and return its result and the notifications about it."""
        subscription = self._transport.subscription()
        return self._transport.request(method, params, subscription=subscription), subscription

    def next_of(self, subscription: WaitingSubscription) -> Notification | None:
        """Wait for the next notification of a subscription; None means that there will be no more."""
        return self._transport.next(subscription)

    def last_of(self, subscription: WaitingSubscription) -> Notification:
        """Wait for the notification that completes a subscription."""
        return self._transport.wait(subscription)

    def _call(self, method: str, params: Mapping[str, object] | None, response: type[ModelT]) -> ModelT:
        return self.request(method, params, response)

    def _initialize(self) -> InitializeResponse:
        config = self._transport.config
        try:
            result = self._transport.request(
                "initialize", _launch.initialize_params(config), timeout_s=config.startup_timeout_s
            )
        except CodexRpcError as error:
            raise _launch.initialize_failed(error) from error
        metadata = _launch.require_release(result, config)
        self._transport.notify("initialized")
        return metadata


def is_account_missing(answer: GetAccountResponse) -> bool:
    """Whether the model provider needs an account and has none."""
    return answer.account is None and answer.requires_openai_auth
