"""The state machine, without a process: every order in which messages can arrive."""

from __future__ import annotations

import json

import pytest
from codex_factory_sdk import (
    InvalidRequestError,
    ProtocolError,
    ServerBusyError,
    SlowConsumer,
    TransportClosedError,
    UnexpectedMessage,
)
from codex_factory_sdk._protocol import Answered, Asked, Connection, Ended, Event, Failed, Subscription
from hypothesis import given, settings
from hypothesis import strategies as st

THREADS = 3
TURN_NOTES = 4


def subscription(limit: int = 1000) -> Subscription:
    return Subscription(limit, lambda: None)


def connection(limit: int = 1000, *, max_bytes: int = 100_000) -> Connection:
    return Connection(max_message_bytes=max_bytes, unrouted=subscription(limit), early_limit=limit)


def line(message: object) -> bytes:
    return json.dumps(message).encode() + b"\n"


def note(method: str, turn: int, index: int) -> bytes:
    return line({"method": method, "params": {"turnId": f"t{turn}", "index": index}})


def completed(turn: int) -> bytes:
    return line({"method": "turn/completed", "params": {"turn": {"id": f"t{turn}"}}})


def drain(queue: Subscription) -> list[tuple[str, object]]:
    seen = []
    while (notification := queue.poll()) is not None:
        seen.append((notification.method, notification.params.get("index")))
    return seen


def test_a_request_is_one_line_and_its_result_an_event() -> None:
    machine = connection()
    call, data = machine.request("thread/start", {"cwd": "ä"})
    assert data == '{"id":1,"method":"thread/start","params":{"cwd":"ä"}}\n'.encode()
    assert machine.receive(line({"id": call, "result": {"x": 1}})) == [Answered(1, {"x": 1})]


def test_an_error_has_its_class() -> None:
    machine = connection()
    machine.request("model/list", None)
    (event,) = machine.receive(line({"id": 1, "error": {"code": -32001, "message": "busy"}}))
    assert isinstance(event, Failed)
    assert isinstance(event.error, ServerBusyError)


@pytest.mark.parametrize(
    "data", [{"codexErrorInfo": {"httpConnectionFailed": {"httpStatusCode": 500}}}, [], 1]
)
def test_an_error_can_have_any_data(data: object) -> None:
    machine = connection()
    machine.request("model/list", None)
    (event,) = machine.receive(line({"id": 1, "error": {"code": -32600, "message": "no", "data": data}}))
    assert isinstance(event, Failed)
    assert isinstance(event.error, InvalidRequestError)
    assert event.error.data == data


def test_an_error_without_a_message_is_shown() -> None:
    machine = connection()
    machine.request("model/list", None)
    (event,) = machine.receive(line({"id": 1, "error": {"reason": "busy"}}))
    assert isinstance(event, Failed)
    assert str(event.error) == "{'reason': 'busy'} (JSON-RPC error 0)"


@pytest.mark.parametrize(
    "message",
    [
        {"id": 5, "result": {}},
        {"id": None, "error": {"code": -32700, "message": "what"}},
        {"id": 1},
        {"id": 1, "error": None},
        {"id": 1, "error": "no"},
        {"id": "1", "result": {}},
        {"id": True, "result": {}},
        {},
        [],
        7,
        None,
    ],
)
def test_what_is_not_a_message_ends_the_connection(message: object) -> None:
    machine = connection()
    machine.request("model/list", None)
    events = machine.receive(line(message))
    assert [type(event) for event in events] == [Failed, Ended]
    assert isinstance(machine.failure, ProtocolError)
    with pytest.raises(ProtocolError):
        machine.request("model/list", None)
    assert machine.receive(line({"id": 1, "result": {}})) == []


@pytest.mark.parametrize("data", [b"garbage\n", b"\xff\xfe\n", b'{"id": 1\n', b"[" * 100_000 + b"\n"])
def test_what_is_not_json_is_shown(data: bytes) -> None:
    machine = connection(max_bytes=1_000_000)
    machine.receive(data)
    assert isinstance(machine.failure, ProtocolError)
    assert "not JSON" in str(machine.failure)
    assert len(str(machine.failure)) < 400


def test_messages_before_garbage_are_delivered() -> None:
    machine = connection()
    machine.request("model/list", None)
    events = machine.receive(line({"id": 1, "result": 1}) + b"garbage\n")
    assert events[0] == Answered(1, 1)
    assert isinstance(events[1], Ended)


def test_a_long_line_is_refused_before_it_is_complete() -> None:
    machine = connection(max_bytes=1000)
    assert machine.receive(b'{"method":"' + b"a" * 900) == []
    (event,) = machine.receive(b"a" * 200)
    assert isinstance(event, Ended)
    assert "longer than 1000 bytes" in str(event.error)


def test_a_line_of_the_limit_is_accepted() -> None:
    machine = connection(max_bytes=len(line({"method": "a", "params": {}})) - 1)
    assert machine.receive(line({"method": "a", "params": {}})) == []
    assert machine.failure is None


def test_half_a_line_is_shown_at_the_end() -> None:
    machine = connection()
    machine.receive(b'{"method": "turn/comp')
    machine.end(TransportClosedError("the app-server ended"))
    assert "turn/comp" in str(machine.failure)


def test_an_answer_to_an_abandoned_call_is_ignored() -> None:
    machine = connection()
    call, _ = machine.request("turn/start", {}, subscription())
    machine.abandon(call)
    assert machine.receive(line({"id": call, "result": {"turn": {"id": "t1"}}})) == []
    assert machine.receive(note("item/started", 1, 0)) == []
    assert drain(machine.unrouted) == [("item/started", 0)]


def test_a_second_answer_ends_the_connection() -> None:
    machine = connection()
    machine.request("model/list", None)
    machine.receive(line({"id": 1, "result": {}}))
    machine.receive(line({"id": 1, "result": {}}))
    assert "no open call" in str(machine.failure)


def test_a_question_is_answered_once() -> None:
    machine = connection()
    question = line({"id": "q", "method": "item/tool/call", "params": {"x": 1}})
    assert machine.receive(question) == [Asked("q", "item/tool/call", {"x": 1})]
    assert json.loads(machine.answer("q", {"ok": True})) == {"id": "q", "result": {"ok": True}}
    assert machine.receive(question) == [Asked("q", "item/tool/call", {"x": 1})]
    machine.receive(question)
    assert "asked twice" in str(machine.failure)


def test_a_question_can_be_refused() -> None:
    machine = connection()
    machine.receive(line({"id": 3, "method": "x"}))
    assert json.loads(machine.refuse(3, -32601, "no")) == {
        "id": 3,
        "error": {"code": -32601, "message": "no"},
    }


@pytest.mark.parametrize("params", [{"x": "\ud800"}, {"x": float("nan")}, {"x": object()}])
def test_what_json_cannot_hold_is_a_type_error(params: dict[str, object]) -> None:
    machine = connection()
    with pytest.raises(TypeError, match="thread/start cannot be sent as JSON"):
        machine.request("thread/start", params)
    assert machine.request("thread/start", {})[0] == 1


def test_a_turn_without_an_id_is_an_error() -> None:
    machine = connection()
    turn = subscription()
    machine.request("turn/start", {}, turn)
    (event,) = machine.receive(line({"id": 1, "result": {"turn": {}}}))
    assert isinstance(event, Failed)
    assert isinstance(event.error, UnexpectedMessage)
    assert turn.is_over


def test_a_refused_turn_ends_its_subscription() -> None:
    machine = connection()
    turn = subscription()
    machine.request("turn/start", {}, turn)
    machine.receive(line({"id": 1, "error": {"code": -32600, "message": "no"}}))
    assert turn.is_over


def test_the_end_reaches_calls_and_subscriptions() -> None:
    machine = connection()
    woken: list[str] = []
    open_turn = Subscription(10, lambda: woken.append("open"))
    waiting_turn = Subscription(10, lambda: woken.append("waiting"))
    machine.request("turn/start", {}, open_turn)
    machine.receive(line({"id": 1, "result": {"turn": {"id": "t1"}}}))
    machine.request("turn/start", {}, waiting_turn)
    machine.request("model/list", None)
    error = TransportClosedError("gone")
    assert machine.end(error) == [Failed(2, error), Failed(3, error), Ended(error)]
    assert machine.end(error) == []
    assert sorted(woken) == ["open", "waiting"]
    for queue in (open_turn, waiting_turn, machine.unrouted):
        with pytest.raises(TransportClosedError):
            queue.poll()


def test_a_completed_turn_outlives_the_connection() -> None:
    machine = connection()
    turn = subscription()
    machine.request("turn/start", {}, turn)
    machine.receive(line({"id": 1, "result": {"turn": {"id": "t1"}}}) + completed(1))
    machine.end(TransportClosedError("gone"))
    assert drain(turn) == [("turn/completed", None)]
    assert turn.error is None


def test_a_full_queue_says_how_much_was_lost_and_keeps_the_end() -> None:
    machine = connection()
    turn = subscription(limit=2)
    machine.request("turn/start", {}, turn)
    machine.receive(line({"id": 1, "result": {"turn": {"id": "t1"}}}))
    machine.receive(b"".join(note("item/completed", 1, index) for index in range(5)) + completed(1))
    assert [turn.poll().params["index"] for _ in range(2)] == [0, 1]  # type: ignore[union-attr]
    with pytest.raises(SlowConsumer, match="4 notifications were lost: 2 were") as caught:
        turn.poll()
    assert caught.value.lost == 4
    assert turn.last is not None
    assert len(turn.items) == 5
    assert turn.poll() is None


def test_a_notification_for_two_turns_on_one_id_reaches_both() -> None:
    machine = connection()
    first, second = subscription(), subscription()
    for queue in (first, second):
        call, _ = machine.request("turn/start", {}, queue)
        machine.receive(line({"id": call, "result": {"turn": {"id": "t1"}}}))
    machine.receive(note("item/started", 1, 0) + completed(1))
    assert drain(first) == drain(second) == [("item/started", 0), ("turn/completed", None)]


def test_early_notifications_wait_for_the_answer_only() -> None:
    machine = connection()
    turn = subscription()
    machine.request("turn/start", {}, turn)
    machine.receive(note("item/started", 1, 0) + note("item/started", 2, 9))
    assert drain(machine.unrouted) == []
    machine.receive(line({"id": 1, "result": {"turn": {"id": "t1"}}}))
    assert drain(turn) == [("item/started", 0)]
    assert drain(machine.unrouted) == [("item/started", 9)]


def test_early_notifications_are_bounded() -> None:
    machine = connection(limit=3)
    machine.request("turn/start", {}, subscription())
    machine.receive(b"".join(note("item/started", 1, index) for index in range(4)))
    assert [machine.unrouted.poll().params["index"] for _ in range(3)] == [0, 1, 2]  # type: ignore[union-attr]


@st.composite
def interleavings(draw: st.DrawFn) -> tuple[list[bytes], list[int]]:
    """Return the messages of some turns, each in its own order but mixed with one another.

    A turn's answer can come anywhere before its last notification, also after others of it.
    """
    streams: list[list[bytes]] = []
    for turn in range(THREADS):
        notes = [note("item/completed", turn, index) for index in range(draw(st.integers(0, TURN_NOTES)))]
        answer = line({"id": turn + 1, "result": {"turn": {"id": f"t{turn}"}}})
        notes.append(completed(turn))
        notes.insert(draw(st.integers(0, len(notes))), answer)
        streams.append(notes)
    streams.append([line({"method": "other", "params": {"index": index}}) for index in range(3)])
    order = draw(st.permutations([number for number, each in enumerate(streams) for _ in each]))
    positions = [0] * len(streams)
    mixed = []
    for number in order:
        mixed.append(streams[number][positions[number]])
        positions[number] += 1
    cuts = draw(st.lists(st.integers(0, sum(map(len, mixed))), max_size=12))
    return mixed, sorted(cuts)


def feed(machine: Connection, data: bytes, cuts: list[int]) -> list[Event]:
    events: list[Event] = []
    for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
        events += machine.receive(data[start:end])
    return events


@settings(deadline=None)
@given(interleavings())
def test_every_turn_gets_its_notifications_in_order(case: tuple[list[bytes], list[int]]) -> None:
    messages, cuts = case
    machine = connection()
    turns = [subscription() for _ in range(THREADS)]
    for turn in turns:
        machine.request("turn/start", {}, turn)
    events = feed(machine, b"".join(messages), cuts)
    assert machine.failure is None
    assert sorted(event.call for event in events if isinstance(event, Answered)) == [1, 2, 3]
    for number, turn in enumerate(turns):
        sent = [json.loads(each) for each in messages]
        own = [
            each["params"]["index"]
            for each in sent
            if each.get("method") == "item/completed" and each["params"]["turnId"] == f"t{number}"
        ]
        expected = [("item/completed", index) for index in own]
        assert turn.last is not None
        assert [params["index"] for params in turn.items] == own
        assert drain(turn) == [*expected, ("turn/completed", None)]
    assert drain(machine.unrouted) == [("other", 0), ("other", 1), ("other", 2)]


@settings(deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=10))
def test_any_bytes_end_in_a_known_state(chunks: list[bytes]) -> None:
    machine = connection(max_bytes=100)
    machine.request("model/list", None)
    events = [event for chunk in chunks for event in machine.receive(chunk)]
    events += machine.end(TransportClosedError("gone"))
    assert isinstance(events[-1], Ended)
    assert sum(isinstance(event, Answered | Failed) for event in events) == 1


TEXTS = st.sampled_from(["t1", "turn/completed", "x"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)


def some_of(**fields: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    """Objects with some of these fields, or in their place any JSON."""
    return st.fixed_dictionaries({}, optional=fields) | JSON


TURN = some_of(id=JSON)
ERROR = some_of(code=JSON, message=JSON, data=some_of(codexErrorInfo=JSON))
PARAMS = some_of(turn=TURN, turnId=JSON, threadId=JSON, loginId=JSON)
ANSWERS = st.fixed_dictionaries({"id": st.integers(1, 2)}, optional={"result": PARAMS, "error": ERROR})
MESSAGES = ANSWERS | some_of(id=JSON, method=TEXTS, params=PARAMS, result=PARAMS, error=ERROR)


@settings(max_examples=300, deadline=None)
@given(st.lists(MESSAGES, max_size=5))
def test_any_messages_end_in_a_known_state(messages: list[object]) -> None:
    machine = connection()
    machine.request("turn/start", {}, subscription())
    machine.request("model/list", None)
    events = [event for message in messages for event in machine.receive(line(message))]
    ended = [event.error for event in events if isinstance(event, Ended)]
    assert ended == ([] if machine.failure is None else [machine.failure])
