"""The sync shell around the protocol: a lock, and threads that wait."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout

from codex_factory_sdk import _launch
from codex_factory_sdk._notification import Notification
from codex_factory_sdk._process import AppServerProcess
from codex_factory_sdk._protocol import Answered, Asked, Connection, Ended, Event, Failed, Subscription
from codex_factory_sdk.approvals import LOGGER, Answer, ApprovalHandler, ServerRequest, reply
from codex_factory_sdk.config import CodexConfig
from codex_factory_sdk.errors import CodexError, ConnectionFailed, RequestTimeout


class WaitingSubscription(Subscription):
    """A queue of notifications that a thread can wait for."""

    def __init__(self, limit: int) -> None:
        self.changed = threading.Event()
        super().__init__(limit, self.changed.set)


class Transport:
    """A connection to an app-server, for any number of threads."""

    def __init__(self, config: CodexConfig, handler: ApprovalHandler | None) -> None:
        """Start the app-server.

        Raises:
            RuntimeNotFound: It cannot be started.
        """
        self.config = config
        self.unrouted = WaitingSubscription(config.client_queue_limit)
        self._handler = handler
        self._lock = threading.Lock()
        self._connection = Connection(
            max_message_bytes=config.max_message_bytes,
            unrouted=self.unrouted,
            early_limit=config.queue_limit,
        )
        self._calls: dict[int, Future[object]] = {}
        with self._lock:  # the process's threads may call back before its variable is set
            self.process = AppServerProcess(
                _launch.command(config),
                env=_launch.environment(config),
                cwd=config.cwd,
                on_data=self._on_data,
                on_end=self._on_end,
            )

    def subscription(self) -> WaitingSubscription:
        """Return a subscription for `request`."""
        return WaitingSubscription(self.config.queue_limit)

    def request(
        self,
        method: str,
        params: Mapping[str, object] | None,
        *,
        subscription: Subscription | None = None,
        timeout_s: float | None = None,
    ) -> object:
        """Send a request and wait for its result.

        Raises:
            CodexRpcError: The app-server refused it.
            RequestTimeout: There was no answer in time.
            ConnectionFailed: The connection ended.
        """
        future: Future[object] = Future()
        with self._lock:
            call, data = self._connection.request(method, params, subscription)
            self._calls[call] = future
            self.process.send(data)
        limit = self.config.request_timeout_s if timeout_s is None else timeout_s
        try:
            return future.result(limit)
        except FutureTimeout:
            if future.done():  # an error of the operation itself
                raise
            raise RequestTimeout(
                f"the app-server did not answer {method} within {limit:g} s{self._connection.incomplete()}"
            ) from None
        finally:
            if not future.done():
                with self._lock:
                    self._connection.abandon(call)
                    self._calls.pop(call, None)

    def notify(self, method: str) -> None:
        """Send a notification.

        Raises:
            ConnectionFailed: The connection ended.
        """
        with self._lock:
            self.process.send(self._connection.notify(method))

    def next(self, subscription: WaitingSubscription) -> Notification | None:
        """Wait for the next notification; None means that there will be no more.

        Raises:
            SlowConsumer: Notifications were lost.
            CodexError: The connection ended.
        """
        while True:
            subscription.changed.clear()
            with self._lock:
                notification = subscription.poll()
                if notification is not None or subscription.is_over:
                    return notification
            subscription.changed.wait()

    def wait(self, subscription: WaitingSubscription) -> Notification:
        """Wait for the notification that completes a subscription, and drop those before it.

        Raises:
            CodexError: The connection ended.
        """
        while True:
            subscription.changed.clear()
            with self._lock:
                subscription.clear()
                if subscription.last is not None:
                    return subscription.last
                if subscription.error is not None:
                    raise subscription.error
            subscription.changed.wait()

    def close(self) -> None:
        """Stop the app-server; a second call does nothing."""
        self.process.close(self.config.shutdown_timeout_s)

    def _on_data(self, data: bytes) -> None:
        with self._lock:
            events = self._connection.receive(data)
        self._dispatch(events)

    def _on_end(self, error: ConnectionFailed) -> None:
        with self._lock:
            events = self._connection.end(error)
        self._dispatch(events)

    def _dispatch(self, events: list[Event]) -> None:
        for event in events:
            match event:
                case Answered(call=call, result=result):
                    with self._lock:
                        future = self._calls.pop(call, None)
                    if future is not None:
                        future.set_result(result)
                case Failed(call=call, error=error):
                    self._fail(call, error)
                case Asked():
                    threading.Thread(target=self._answer, args=(event,), daemon=True).start()
                case Ended():
                    self.process.kill()

    def _fail(self, call: int, error: CodexError) -> None:
        with self._lock:
            future = self._calls.pop(call, None)
        if future is not None:
            future.set_exception(error)

    def _answer(self, asked: Asked) -> None:
        answer: Answer = None
        try:
            if self._handler is not None:
                answer = self._handler(ServerRequest(asked.method, asked.params))
            data = self._reply(asked, answer)
        except Exception:  # noqa: BLE001 - a handler may raise anything; the question still needs an answer
            LOGGER.exception("the approval handler failed at %s, which is declined", asked.method)
            data = self._reply(asked, None)
        if data is not None:
            self.process.send(data)

    def _reply(self, asked: Asked, answer: Answer) -> bytes:
        with self._lock:
            return reply(self._connection, asked, answer)
