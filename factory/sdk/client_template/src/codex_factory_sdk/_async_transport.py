"""The async shell around the protocol: everything happens in the event loop but reading and writing."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping

from codex_factory_sdk import _launch
from codex_factory_sdk._notification import Notification
from codex_factory_sdk._process import AppServerProcess
from codex_factory_sdk._protocol import Answered, Asked, Connection, Ended, Event, Failed, Subscription
from codex_factory_sdk.approvals import LOGGER, Answer, AsyncApprovalHandler, ServerRequest, reply
from codex_factory_sdk.config import CodexConfig
from codex_factory_sdk.errors import ConnectionFailed, RequestTimeout

_CHUNKS_IN_LOOP = 16
_POLL_S = 1.0


class AwaitableSubscription(Subscription):
    """A queue of notifications that a task can wait for."""

    def __init__(self, limit: int) -> None:
        self.changed = asyncio.Event()
        super().__init__(limit, self.changed.set)


class AsyncTransport:
    """A connection to an app-server, for any number of tasks of one event loop."""

    def __init__(self, config: CodexConfig, handler: AsyncApprovalHandler | None) -> None:
        """Start the app-server; an event loop must be running.

        Raises:
            RuntimeNotFound: It cannot be started.
        """
        self.config = config
        self.unrouted = AwaitableSubscription(config.client_queue_limit)
        self._handler = handler
        self._loop = asyncio.get_running_loop()
        self._connection = Connection(
            max_message_bytes=config.max_message_bytes,
            unrouted=self.unrouted,
            early_limit=config.queue_limit,
        )
        self._calls: dict[int, asyncio.Future[object]] = {}
        self._answers: set[asyncio.Task[None]] = set()
        # A loop that is busy makes the reader wait, and the app-server after it: nothing piles up here.
        self._chunks = threading.BoundedSemaphore(_CHUNKS_IN_LOOP)
        self.process = AppServerProcess(
            _launch.command(config),
            env=_launch.environment(config),
            cwd=config.cwd,
            on_data=self._on_data,
            on_end=self._on_end,
        )

    def subscription(self) -> AwaitableSubscription:
        """Return a subscription for `request`."""
        return AwaitableSubscription(self.config.queue_limit)

    async def request(
        self,
        method: str,
        params: Mapping[str, object] | None,
        *,
        subscription: Subscription | None = None,
        timeout_s: float | None = None,
    ) -> object:
        """Send a request and wait for its result; see the sync transport for the errors."""
        call, data = self._connection.request(method, params, subscription)
        future: asyncio.Future[object] = self._loop.create_future()
        self._calls[call] = future
        limit = self.config.request_timeout_s if timeout_s is None else timeout_s
        try:
            self.process.send(data)
            return await asyncio.wait_for(future, limit)
        except asyncio.TimeoutError:
            raise RequestTimeout(
                f"the app-server did not answer {method} within {limit:g} s{self._connection.incomplete()}"
            ) from None
        finally:
            if self._calls.pop(call, None) is not None:
                self._connection.abandon(call)

    def notify(self, method: str) -> None:
        """Send a notification."""
        self.process.send(self._connection.notify(method))

    async def next(self, subscription: AwaitableSubscription) -> Notification | None:
        """Wait for the next notification; None means that there will be no more."""
        while True:
            subscription.changed.clear()
            notification = subscription.poll()
            if notification is not None or subscription.is_over:
                return notification
            await subscription.changed.wait()

    async def wait(self, subscription: AwaitableSubscription) -> Notification:
        """Wait for the notification that completes a subscription, and drop those before it."""
        while True:
            subscription.changed.clear()
            subscription.clear()
            if subscription.last is not None:
                return subscription.last
            if subscription.error is not None:
                raise subscription.error
            await subscription.changed.wait()

    async def close(self) -> None:
        """Stop the app-server; a second call does nothing. If it is cancelled, kill the app-server."""
        closing = self._loop.run_in_executor(None, self.process.close, self.config.shutdown_timeout_s)
        try:
            await asyncio.shield(closing)
        except asyncio.CancelledError:
            self.process.kill()
            raise

    def _on_data(self, data: bytes) -> None:
        while not self._chunks.acquire(timeout=_POLL_S):
            if self._loop.is_closed():
                return
        self._in_loop(lambda: self._take(data))

    def _on_end(self, error: ConnectionFailed) -> None:
        self._in_loop(lambda: self._dispatch(self._connection.end(error)))

    def _in_loop(self, action: Callable[[], None]) -> None:
        try:
            self._loop.call_soon_threadsafe(action)
        except RuntimeError:  # the loop is closed, and with it everything that could wait for this
            self.process.kill()

    def _take(self, data: bytes) -> None:
        try:
            self._dispatch(self._connection.receive(data))
        finally:
            self._chunks.release()

    def _dispatch(self, events: list[Event]) -> None:
        for event in events:
            match event:
                case Answered(call=call, result=result):
                    future = self._waiting(call)
                    if future is not None:
                        future.set_result(result)
                case Failed(call=call, error=error):
                    future = self._waiting(call)
                    if future is not None:
                        future.set_exception(error)
                case Asked():
                    task = self._loop.create_task(self._answer(event))
                    self._answers.add(task)
                    task.add_done_callback(self._answers.discard)
                case Ended():
                    self._loop.run_in_executor(None, self.process.kill)

    def _waiting(self, call: int) -> asyncio.Future[object] | None:
        future = self._calls.pop(call, None)
        return None if future is None or future.done() else future

    async def _answer(self, asked: Asked) -> None:
        try:
            answer = (
                None if self._handler is None else self._handler(ServerRequest(asked.method, asked.params))
            )
            settled: Answer = await answer if isinstance(answer, Awaitable) else answer
            data = reply(self._connection, asked, settled)
        except Exception:  # noqa: BLE001 - a handler may raise anything; the question still needs an answer
            LOGGER.exception("the approval handler failed at %s, which is declined", asked.method)
            data = reply(self._connection, asked, None)
        self.process.send(data)
