"""The low-level async client: one typed method for each request of the release's protocol."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel

from codex_factory_sdk import _launch
from codex_factory_sdk._async_transport import AsyncTransport, AwaitableSubscription
from codex_factory_sdk._notification import Notification, parse
from codex_factory_sdk._options import wire
from codex_factory_sdk._process import AppServerProcess
from codex_factory_sdk.approvals import AsyncApprovalHandler
from codex_factory_sdk.client import LOGIN_ADVICE, is_account_missing
from codex_factory_sdk.config import CodexConfig
from codex_factory_sdk.errors import AuthenticationRequired, CodexRpcError, TransportClosedError
from codex_factory_sdk.generated.client_methods import AsyncClientMethods
from codex_factory_sdk.generated.v2_all import GetAccountResponse, InitializeResponse

if TYPE_CHECKING:
    from typing_extensions import Self

ModelT = TypeVar("ModelT", bound=BaseModel)


class AsyncCodexClient(AsyncClientMethods):
    """An app-server that is started and initialised at the first use."""

    def __init__(
        self, config: CodexConfig | None = None, *, approval_handler: AsyncApprovalHandler | None = None
    ) -> None:
        """Start nothing yet."""
        self._config = config or CodexConfig()
        self._handler = approval_handler
        self._starting = asyncio.Lock()
        self._transport: AsyncTransport | None = None
        self._metadata: InitializeResponse | None = None
        self._is_closed = False

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def metadata(self) -> InitializeResponse:
        """What the app-server said of itself.

        Raises:
            RuntimeError: It is not started yet.
        """
        if self._metadata is None:
            raise RuntimeError("the client is not started; use 'async with', or await something first")
        return self._metadata

    async def start(self) -> InitializeResponse:
        """Start the app-server and initialise it, unless that is done; see `codex_factory_sdk.Codex`."""
        async with self._starting:
            if self._is_closed:
                raise TransportClosedError("the client was closed")
            if self._transport is None or self._metadata is None:
                transport = AsyncTransport(self._config, self._handler)
                self._finalizer = weakref.finalize(self, AppServerProcess.kill, transport.process)
                try:
                    self._metadata = await self._initialize(transport)
                except BaseException:
                    await transport.close()
                    raise
                self._transport = transport
            return self._metadata

    async def close(self) -> None:
        """Stop the app-server; pending calls and streams fail. A second call does nothing."""
        self._is_closed = True
        async with self._starting:
            if self._transport is not None:
                await self._transport.close()
                self._finalizer.detach()

    async def request(
        self,
        method: str,
        params: BaseModel | Mapping[str, object] | None,
        response_model: type[ModelT],
        *,
        timeout_s: float | None = None,
    ) -> ModelT:
        """Send any request; the typed methods are made with this one. See the sync client for the errors."""
        transport = await self._started()
        result = await transport.request(method, wire(params), timeout_s=timeout_s)
        return parse(response_model, result, f"the result of {method}")

    async def notifications(self) -> AsyncIterator[Notification]:
        """Yield the notifications that belong to no turn or login of this client, as they come."""
        transport = await self._started()
        while (notification := await transport.next(transport.unrouted)) is not None:
            yield notification

    async def require_account(self) -> None:
        """Ask whether the model provider has the account that it needs.

        Raises:
            AuthenticationRequired: It does not.
        """
        if is_account_missing(await self.request("account/read", {}, GetAccountResponse)):
            raise AuthenticationRequired(LOGIN_ADVICE)

    async def open(self, method: str, params: Mapping[str, object]) -> tuple[object, AwaitableSubscription]:
        """Send a request that begins something, and return its result and the notifications about it."""
        transport = await self._started()
        subscription = transport.subscription()
        return await transport.request(method, params, subscription=subscription), subscription

    async def next_of(self, subscription: AwaitableSubscription) -> Notification | None:
        """Wait for the next notification of a subscription; None means that there will be no more."""
        return await (await self._started()).next(subscription)

    async def last_of(self, subscription: AwaitableSubscription) -> Notification:
        """Wait for the notification that completes a subscription."""
        return await (await self._started()).wait(subscription)

    async def _call(self, method: str, params: Mapping[str, object] | None, response: type[ModelT]) -> ModelT:
        return await self.request(method, params, response)

    async def _started(self) -> AsyncTransport:
        if self._transport is None:
            await self.start()
            return await self._started()
        return self._transport

    async def _initialize(self, transport: AsyncTransport) -> InitializeResponse:
        try:
            result = await transport.request(
                "initialize",
                _launch.initialize_params(self._config),
                timeout_s=self._config.startup_timeout_s,
            )
        except CodexRpcError as error:
            raise _launch.initialize_failed(error) from error
        metadata = _launch.require_release(result, self._config)
        transport.notify("initialized")
        return metadata
