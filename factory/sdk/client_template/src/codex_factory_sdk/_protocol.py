"""The app-server protocol as a state machine, without input and output.

Bytes go in with `Connection.receive`, events come out; calls and answers return the bytes to send. The
sync and the async client both use it, so that what the protocol means is written once. It is not
thread-safe: the sync client holds a lock, the async one uses it from its event loop only.

The app-server speaks JSON-RPC 2.0 without the version member, one message on each line.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from codex_factory_sdk._notification import Notification
from codex_factory_sdk.errors import (
    CodexError,
    ConnectionFailed,
    ProtocolError,
    SlowConsumer,
    UnexpectedMessage,
    rpc_error,
)

JsonObject = Mapping[str, object]
RequestId = int | str
_SHOWN_CHARACTERS = 200
_LAST = frozenset({"turn/completed", "account/login/completed"})
"""The notifications that end a subscription."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A call got its result."""

    call: int
    result: object


@dataclass(frozen=True, slots=True)
class Failed:
    """A call got an error."""

    call: int
    error: CodexError


@dataclass(frozen=True, slots=True)
class Asked:
    """The app-server asks something; it waits for `Connection.answer` or `Connection.refuse`."""

    id: RequestId
    method: str
    params: JsonObject


@dataclass(frozen=True, slots=True)
class Ended:
    """The connection is over: the process can be stopped."""

    error: ConnectionFailed


Event = Answered | Failed | Asked | Ended


class Subscription:
    """A bounded queue of notifications: those of one turn or login, or those of none.

    Attributes:
        key: What the notifications are about, ``turn:ID``; None until the app-server has named it.
        last: The notification that completed it; kept even if the queue is full.
        items: The parameters of its ``item/completed`` notifications, in order.
        error: Why no more notifications can come.
    """

    __slots__ = ("_lost", "_queue", "_wake", "error", "items", "key", "last", "limit")

    def __init__(self, limit: int, wake: Callable[[], None]) -> None:
        self.limit = limit
        self.key: str | None = None
        self.last: Notification | None = None
        self.items: list[JsonObject] = []
        self.error: CodexError | None = None
        self._queue: deque[Notification] = deque()
        self._lost = 0
        self._wake = wake

    @property
    def is_over(self) -> bool:
        """Whether no more notifications can come."""
        return self.last is not None or self.error is not None

    def poll(self) -> Notification | None:
        """Return the next notification, or None if there is none at the moment.

        Raises:
            SlowConsumer: The queue was full; raised after the notifications before the gap.
            CodexError: The connection ended.
        """
        if self._queue:
            return self._queue.popleft()
        if self._lost:
            lost, self._lost = self._lost, 0
            raise SlowConsumer(lost, self.limit)
        if self.last is None and self.error is not None:
            raise self.error
        return None

    def clear(self) -> None:
        """Forget the notifications that wait to be consumed."""
        self._queue.clear()
        self._lost = 0

    def put(self, notification: Notification) -> None:
        """Add a notification, and wake the consumer."""
        if len(self._queue) < self.limit:
            self._queue.append(notification)
        else:
            self._lost += 1
        if self.key is not None:
            if notification.method == "item/completed":
                self.items.append(notification.params)
            if notification.method in _LAST:
                self.last = notification
        self._wake()

    def fail(self, error: CodexError) -> None:
        """End the queue with an error, unless it is complete."""
        if not self.is_over:
            self.error = error
        self._wake()


@dataclass(slots=True)
class _Call:
    method: str
    subscription: Subscription | None
    is_abandoned: bool = False


@dataclass(slots=True)
class LineSplitter:
    """Splits a stream of bytes into lines, and refuses one that is longer than ``limit`` bytes."""

    limit: int
    _parts: list[bytes] = field(default_factory=list)
    _size: int = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the lines that are now complete.

        Raises:
            ProtocolError: A line is too long.
        """
        *complete, rest = data.split(b"\n")
        for part in complete:
            self._add(part)
            line = b"".join(self._parts)
            self._parts, self._size = [], 0
            yield line
        if rest:
            self._add(rest)

    def rest(self) -> bytes:
        """Return the bytes after the last line's end."""
        return b"".join(self._parts)

    def _add(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > self.limit:
            start = b"".join(self._parts)[:_SHOWN_CHARACTERS] or part
            raise ProtocolError(f"the app-server sent a line longer than {self.limit} bytes: {_shown(start)}")
        self._parts.append(part)


class Connection:
    """One connection to an app-server.

    Attributes:
        unrouted: The notifications that belong to no open turn or login.
        failure: Why the connection is over; every further call gets it.
    """

    def __init__(self, *, max_message_bytes: int, unrouted: Subscription, early_limit: int) -> None:
        self.unrouted = unrouted
        self.failure: ConnectionFailed | None = None
        self._lines = LineSplitter(max_message_bytes)
        self._early_limit = early_limit
        self._next_call = 1
        self._calls: dict[int, _Call] = {}
        self._asked: set[RequestId] = set()
        self._open: dict[str, list[Subscription]] = {}
        self._early: dict[str, list[Notification]] = {}

    def request(
        self, method: str, params: JsonObject | None, subscription: Subscription | None = None
    ) -> tuple[int, bytes]:
        """Return the number of a new call and the bytes to send.

        A subscription is bound to the turn or login that the result names, before any later message is
        read, so that none of its notifications can be missed.

        Raises:
            ConnectionFailed: The connection is over.
            TypeError: The parameters are not JSON.
        """
        self._require_alive()
        call = self._next_call
        message = {"id": call, "method": method, "params": {} if params is None else params}
        data = _encode(message)
        self._next_call += 1
        self._calls[call] = _Call(method, subscription)
        return call, data

    def notify(self, method: str) -> bytes:
        """Return the bytes of a notification."""
        self._require_alive()
        return _encode({"method": method})

    def abandon(self, call: int) -> None:
        """Say that the result of a call is not wanted any more; it may still arrive."""
        if call in self._calls:
            self._calls[call].is_abandoned = True

    def answer(self, request: RequestId, result: object) -> bytes:
        """Return the bytes that answer a question of the app-server."""
        data = _encode({"id": request, "result": result})
        self._asked.discard(request)
        return data

    def refuse(self, request: RequestId, code: int, message: str) -> bytes:
        """Return the bytes that refuse a question of the app-server."""
        self._asked.discard(request)
        return _encode({"id": request, "error": {"code": code, "message": message}})

    def receive(self, data: bytes) -> list[Event]:
        """Take bytes from the app-server and return what they mean, in order.

        Bytes that break the protocol end the connection: after them, nothing can be trusted.
        """
        events: list[Event] = []
        if self.failure is not None:
            return events
        try:
            for line in self._lines.feed(data):
                if line.strip():
                    events += self._message(_decode(line))
        except ProtocolError as error:
            events += self.end(error)
        return events

    def incomplete(self) -> str:
        """Return words for an error about the part of a line that came last, if there is one."""
        rest = self._lines.rest()
        return f"; the app-server's last message was incomplete: {_shown(rest)}" if rest else ""

    def end(self, error: ConnectionFailed) -> list[Event]:
        """End the connection: every pending call and every subscription gets the error."""
        if self.failure is not None:
            return []
        if not isinstance(error, ProtocolError):
            error.args = (f"{error}{self.incomplete()}",)
        self.failure = error
        failed = [Failed(number, error) for number, call in self._calls.items() if not call.is_abandoned]
        waiting = [call.subscription for call in self._calls.values() if call.subscription is not None]
        self._release_early()
        for subscription in (
            *waiting,
            *(each for some in self._open.values() for each in some),
            self.unrouted,
        ):
            subscription.fail(error)
        self._calls.clear()
        self._open.clear()
        return [*failed, Ended(error)]

    def _require_alive(self) -> None:
        if self.failure is not None:
            raise self.failure

    def _message(self, message: JsonObject) -> Iterator[Event]:
        method, number = message.get("method"), message.get("id")
        if isinstance(method, str):
            params = message.get("params")
            notification = Notification(method, params if isinstance(params, Mapping) else {})
            if "id" not in message:
                self._route(notification)
            elif isinstance(number, int | str) and not isinstance(number, bool) and number not in self._asked:
                self._asked.add(number)
                yield Asked(number, method, notification.params)
            else:
                raise ProtocolError(f"the app-server asked twice under one id: {_show(message)}")
        elif type(number) is not int or number not in self._calls:
            raise ProtocolError(f"the app-server sent an answer to no open call: {_show(message)}")
        elif "result" in message or isinstance(message.get("error"), Mapping):
            yield from self._response(number, message)
        else:
            raise ProtocolError(
                f"the app-server sent an answer without a result or an error: {_show(message)}"
            )

    def _response(self, number: int, message: JsonObject) -> Iterator[Event]:
        call = self._calls.pop(number)
        error = message.get("error")
        failure: CodexError | None = None
        if isinstance(error, Mapping):
            failure = rpc_error(error)
        elif call.subscription is not None and not call.is_abandoned:
            failure = self._bind(call, message.get("result"))
        if failure is not None and call.subscription is not None:
            call.subscription.fail(failure)
        self._release_early()
        if not call.is_abandoned:
            yield Answered(number, message.get("result")) if failure is None else Failed(number, failure)

    def _bind(self, call: _Call, result: object) -> CodexError | None:
        subscription, key = call.subscription, _result_key(result)
        if subscription is None or key is None:
            return UnexpectedMessage(f"the result of {call.method} names no turn or login: {_show(result)}")
        subscription.key = key
        self._open.setdefault(key, []).append(subscription)
        for notification in self._early.pop(key, ()):
            self._deliver(key, notification)
        return None

    def _route(self, notification: Notification) -> None:
        key = _notification_key(notification.params)
        if key in self._open:
            self._deliver(key, notification)
        elif key is not None and any(call.subscription is not None for call in self._calls.values()):
            # The call that opens this turn is not answered yet: keep its notifications until it is.
            self._early.setdefault(key, []).append(notification)
            if sum(map(len, self._early.values())) > self._early_limit:
                self._release_early(is_forced=True)
        else:
            self.unrouted.put(notification)

    def _deliver(self, key: str, notification: Notification) -> None:
        for subscription in self._open.get(key, ()):
            subscription.put(notification)
        if notification.method in _LAST:
            self._open.pop(key, None)

    def _release_early(self, *, is_forced: bool = False) -> None:
        """Pass on what no open call can claim any more."""
        if not is_forced and any(call.subscription is not None for call in self._calls.values()):
            return
        for notifications in self._early.values():
            for notification in notifications:
                self.unrouted.put(notification)
        self._early.clear()


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _notification_key(params: JsonObject) -> str | None:
    turn = params.get("turn")
    turn_id = _text(params.get("turnId")) or _text(turn.get("id") if isinstance(turn, Mapping) else None)
    if turn_id is not None:
        return f"turn:{turn_id}"
    login = _text(params.get("loginId"))
    return None if login is None else f"login:{login}"


def _result_key(result: object) -> str | None:
    return _notification_key(result) if isinstance(result, Mapping) else None


def _encode(message: JsonObject) -> bytes:
    try:
        text = json.dumps(message, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        return f"{text}\n".encode()
    except (TypeError, ValueError) as error:  # UnicodeEncodeError is a ValueError: a lone surrogate
        raise TypeError(f"{message.get('method', 'the answer')} cannot be sent as JSON: {error}") from error


def _decode(line: bytes) -> JsonObject:
    try:
        message = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"the app-server sent a line that is not JSON: {_shown(line)}") from error
    if not isinstance(message, dict):
        raise ProtocolError(f"the app-server sent JSON that is not a message: {_shown(line)}")
    return message


def _show(value: object) -> str:
    return _cut(json.dumps(value, default=str))


def _shown(line: bytes) -> str:
    return _cut(repr(line[: 2 * _SHOWN_CHARACTERS].decode("utf-8", "backslashreplace")))


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."
