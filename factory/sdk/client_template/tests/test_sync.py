"""The sync client against the fake app-server."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import codex_factory_sdk
import pytest
from codex_factory_sdk import (
    AuthenticationRequired,
    Codex,
    CodexConfig,
    CodexError,
    IncompatibleAppServer,
    InvalidParamsError,
    MethodNotFoundError,
    ProtocolError,
    RequestTimeout,
    RuntimeNotFound,
    ServerBusyError,
    ServerRequest,
    SlowConsumer,
    Thread,
    TransportClosedError,
    UnexpectedMessage,
    UnknownVariant,
    final_text,
    retry_on_overload,
)

Fake = Callable[..., CodexConfig]


def is_running(pid: int) -> bool:
    """Whether a process has not ended; in some containers, ended orphans are never collected."""
    try:
        os.kill(pid, 0)
        stat = Path("/proc", str(pid), "stat")
        return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def process_of(codex: Codex) -> int:
    return codex.client._transport.process.pid


def a_thread(codex: Codex) -> Thread:
    return Thread(codex, "thread-1")


def test_the_constructor_has_initialised(fake: Fake) -> None:
    with Codex(fake()) as codex:
        assert codex.metadata.user_agent == "fake/9999.0.0 (loopback)"
        assert is_running(process_of(codex))
    assert not is_running(process_of(codex))


def test_a_turn_has_a_text_and_items(fake: Fake) -> None:
    with Codex(fake()) as codex:
        handle = a_thread(codex).turn("say hello")
        turn = handle.run()
        assert (turn.id, turn.status.value, final_text(turn)) == ("turn-1", "completed", "hello")
        assert [getattr(item.root, "text", None) for item in handle.items()] == ["hello"]
        assert final_text(handle.items()) == "hello"
        assert handle.run() == turn


def test_a_stream_ends_with_the_turn(fake: Fake) -> None:
    with Codex(fake()) as codex:
        handle = a_thread(codex).turn("say hello")
        methods = [notification.method for notification in handle.stream()]
        assert methods == ["turn/started", "item/started", "item/completed", "turn/completed"]
        assert list(handle.stream()) == []
        assert final_text(handle.run()) == "hello"


def test_notifications_before_the_answer_are_not_lost(fake: Fake) -> None:
    with Codex(fake()) as codex:
        handle = a_thread(codex).turn("early hello")
        methods = [notification.method for notification in handle.stream()]
        assert methods == ["turn/started", "item/started", "item/completed", "turn/completed"]


def test_a_turn_without_a_message_has_no_text(fake: Fake) -> None:
    with Codex(fake()) as codex:
        handle = a_thread(codex).turn("hold")
        handle.interrupt()
        turn = handle.run()
        assert turn.status.value == "interrupted"
        assert final_text(turn) is None
        assert final_text(handle.items()) is None


def test_a_turn_can_be_steered(fake: Fake) -> None:
    with Codex(fake()) as codex:
        handle = a_thread(codex).turn("hold")
        handle.steer("left")
        assert final_text(handle.run()) == "steered: left"


def test_turns_of_several_threads_are_kept_apart(fake: Fake) -> None:
    results: dict[int, list[str | None]] = {}

    def chat(codex: Codex, number: int) -> None:
        thread = Thread(codex, f"thread-{number}")
        results[number] = [final_text(thread.turn(f"say {number}-{turn}").run()) for turn in range(10)]

    with Codex(fake()) as codex:
        workers = [threading.Thread(target=chat, args=(codex, number)) for number in range(5)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    assert results == {number: [f"{number}-{turn}" for turn in range(10)] for number in range(5)}


def test_a_slow_consumer_blocks_nobody_and_learns_what_it_lost(fake: Fake) -> None:
    with Codex(fake(queue_limit=10)) as codex:
        slow = a_thread(codex).turn("burst 50")
        assert final_text(Thread(codex, "thread-2").turn("say hello").run()) == "hello"
        stream = slow.stream()
        assert len([next(stream) for _ in range(10)]) == 10
        with pytest.raises(SlowConsumer) as caught:
            next(stream)
        assert caught.value.lost == 44
        assert final_text(slow.run()) == "50"


def test_unknown_messages_are_delivered(fake: Fake) -> None:
    with Codex(fake()) as codex:
        handle = a_thread(codex).turn("unknown")
        stream = list(handle.stream())
        assert stream[1].method == "future/thing"
        assert stream[1].params["news"] == 1
        (item, _) = handle.items()
        assert isinstance(item.root, UnknownVariant)
        assert item.model_dump() == {"type": "futureItem", "id": "item-1", "colour": "blue"}
        assert next(codex.notifications()).method == "future/other"


def test_a_message_that_does_not_fit_leaves_the_client_usable(fake: Fake) -> None:
    with Codex(fake()) as codex:
        handle = a_thread(codex).turn("unreadable")
        bad = list(handle.stream())[1]
        with pytest.raises(UnexpectedMessage, match=r"item/completed does not fit"):
            _ = bad.payload
        with pytest.raises(UnexpectedMessage):
            handle.items()
        with pytest.raises(UnexpectedMessage, match=r"the result of model/list"):
            codex.models(cursor="odd")
        assert codex.models().data == []


def test_results_keep_unknown_fields(fake: Fake) -> None:
    with Codex(fake()) as codex:
        assert codex.models().model_dump()["surprise"] == [1]


def test_errors_have_classes_and_only_an_overload_is_retried(fake: Fake) -> None:
    with Codex(fake()) as codex:
        with pytest.raises(InvalidParamsError):
            codex.models(cursor="-32602")
        with pytest.raises(ServerBusyError):
            retry_on_overload(lambda: codex.models(cursor="busy"), max_attempts=2, initial_delay_s=0.0)
        with pytest.raises(MethodNotFoundError):
            codex.thread_list()


def test_a_request_can_time_out(fake: Fake) -> None:
    with Codex(fake(request_timeout_s=0.2)) as codex:
        with pytest.raises(RequestTimeout, match=r"model/list within 0\.2 s"):
            codex.models(cursor="never")
        assert codex.models().data == []


def test_without_a_handler_a_question_is_declined(fake: Fake) -> None:
    with Codex(fake()) as codex:
        turn = a_thread(codex).turn("ask").run()
        assert json.loads(str(final_text(turn))) == {"decision": "decline"}


def test_a_question_of_another_kind_is_refused(fake: Fake) -> None:
    with Codex(fake()) as codex:
        turn = a_thread(codex).turn("ask item/tool/call").run()
        assert json.loads(str(final_text(turn)))["code"] == -32601


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (lambda request: request.accept(), {"decision": "accept"}),
        (lambda request: request.decline(), {"decision": "decline"}),
        (lambda _: {"decision": "cancel"}, {"decision": "cancel"}),
        (lambda _: None, {"decision": "decline"}),
        (lambda _: 1 / 0, {"decision": "decline"}),
        (lambda _: {"decision": object()}, {"decision": "decline"}),
    ],
)
def test_a_handler_answers(
    fake: Fake, answer: Callable[[ServerRequest], Mapping[str, object]], expected: object
) -> None:
    seen: list[ServerRequest] = []

    def handler(request: ServerRequest) -> Mapping[str, object]:
        seen.append(request)
        return answer(request)

    with Codex(fake(), approval_handler=handler) as codex:
        turn = a_thread(codex).turn("ask").run()
        assert json.loads(str(final_text(turn))) == expected
    assert seen[0].params["itemId"] == "item-1"
    assert seen[0].payload.item_id == "item-1"  # type: ignore[attr-defined]


def test_a_handler_can_use_the_client(fake: Fake) -> None:
    def handler(request: ServerRequest) -> Mapping[str, object]:
        codex.models()
        return request.accept()

    with Codex(fake(), approval_handler=handler) as codex:
        turn = a_thread(codex).turn("ask").run()
        assert json.loads(str(final_text(turn))) == {"decision": "accept"}


def test_not_every_question_can_be_accepted() -> None:
    with pytest.raises(TypeError, match="cannot be accepted or declined"):
        ServerRequest("item/tool/call", {}).accept()


def test_a_missing_account_is_found_at_the_first_turn(fake: Fake) -> None:
    with Codex(fake("well", "--needs-account")) as codex:
        with pytest.raises(AuthenticationRequired, match="login_api_key"):
            a_thread(codex).turn("say hello")
        own_provider = Thread(codex, "thread-2", needs_account=False)
        assert final_text(own_provider.turn("say hello").run()) == "hello"


def test_a_missing_account_can_fail_the_constructor(fake: Fake) -> None:
    with pytest.raises(AuthenticationRequired):
        Codex(fake("well", "--needs-account"), require_auth=True)
    Codex(fake(), require_auth=True).close()


def test_a_refused_account_fails_the_turn(fake: Fake) -> None:
    with Codex(fake()) as codex, pytest.raises(AuthenticationRequired, match="401"):
        a_thread(codex).turn("unauthorized").run()


def test_a_login_is_waited_for(fake: Fake) -> None:
    with Codex(fake()) as codex:
        login = codex.login_chatgpt()
        assert login.auth_url == "http://127.0.0.1/login"
        assert login.wait().success is True


def test_a_dead_app_server_fails_every_call_with_its_last_words(fake: Fake) -> None:
    errors: list[CodexError] = []

    def call(codex: Codex) -> None:
        try:
            codex.models(cursor="never")
        except CodexError as error:
            errors.append(error)

    with Codex(fake()) as codex:
        held = a_thread(codex).turn("hold")
        callers = [threading.Thread(target=call, args=(codex,)) for _ in range(3)]
        for caller in callers:
            caller.start()
        time.sleep(0.3)
        dying = a_thread(codex).turn("die")
        for action in (held.run, dying.run, lambda: list(held.stream()), codex.models):
            with pytest.raises(TransportClosedError, match="my last words") as caught:
                action()
            assert caught.value.exit_code == 7
        for caller in callers:
            caller.join()
    assert [type(error) for error in errors] == [TransportClosedError] * 3


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_what_a_dead_app_server_started_is_killed_and_holds_up_nothing(fake: Fake) -> None:
    with Codex(fake()) as codex:
        with pytest.raises(TransportClosedError, match="exit status 7") as caught:
            a_thread(codex).turn("orphan").run()
        child = int(caught.value.stderr)
        deadline = time.monotonic() + 10
        while is_running(child) and time.monotonic() < deadline:  # until init has collected it
            time.sleep(0.05)
        assert not is_running(child)


def test_the_last_lines_of_much_output_are_kept(fake: Fake) -> None:
    with Codex(fake()) as codex, pytest.raises(TransportClosedError) as caught:
        a_thread(codex).turn("chatter 20000").run()
    lines = caught.value.stderr.splitlines()
    assert (len(lines), lines[-1]) == (20, "my last words")
    assert lines[-2].startswith("line 19999 ")


def test_a_killed_app_server_fails_the_turn(fake: Fake) -> None:
    with Codex(fake()) as codex:
        handle = a_thread(codex).turn("hold")
        os.kill(process_of(codex), signal.SIGKILL)
        with pytest.raises(TransportClosedError) as caught:
            handle.run()
        assert caught.value.exit_code == -9


@pytest.mark.parametrize(
    ("turn", "words"),
    [
        ("garbage", "this is not JSON"),
        ("half", r"incomplete: .*turn/comp"),
        ("long 20000", "longer than 10000 bytes"),
        ("repeat", "asked twice"),
    ],
)
def test_a_broken_protocol_fails_the_turn_and_stops_the_app_server(fake: Fake, turn: str, words: str) -> None:
    def never(_request: ServerRequest) -> None:
        time.sleep(5)

    with Codex(fake(max_message_bytes=10_000), approval_handler=never) as codex:
        handle = a_thread(codex).turn(turn)
        with pytest.raises((ProtocolError, TransportClosedError), match=words):
            handle.run()
        deadline = time.monotonic() + 10
        while is_running(process_of(codex)) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not is_running(process_of(codex))


def test_a_second_answer_to_a_call_is_an_error(fake: Fake) -> None:
    with Codex(fake()) as codex:
        held = a_thread(codex).turn("hold")
        codex.models(cursor="twice")
        with pytest.raises(ProtocolError, match="no open call"):
            held.run()


@pytest.mark.parametrize(
    ("start", "kind", "words"),
    [
        ("garbage", ProtocolError, "this is not JSON"),
        ("number", ProtocolError, "not a message"),
        ("null-id", ProtocolError, "cannot read that"),
        ("other-id", ProtocolError, "no open call"),
        ("utf-8", ProtocolError, "not JSON"),
        ("crash", TransportClosedError, "my last words"),
        ("nameless", IncompatibleAppServer, "initialize"),
        ("old", IncompatibleAppServer, r"0\.0\.1"),
        ("unknown-method", MethodNotFoundError, "too old"),
        ("silent", RequestTimeout, r"initialize within 0\.3 s$"),
        ("half", RequestTimeout, r"within 3 s; the app-server's last message was incomplete: .*res"),
    ],
)
def test_the_constructor_fails_with_a_reason(
    fake: Fake, start: str, kind: type[Exception], words: str
) -> None:
    options = {"silent": {"startup_timeout_s": 0.3}, "half": {"startup_timeout_s": 3.0}}.get(start, {})
    with pytest.raises(kind, match=words):
        Codex(fake(start, **options))


def test_a_missing_executable_is_named(tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    with pytest.raises(RuntimeNotFound, match="nowhere") as caught:
        Codex(CodexConfig(codex_bin=nowhere))
    assert isinstance(caught.value, FileNotFoundError)
    with pytest.raises(RuntimeNotFound, match="nowhere"):
        Codex(CodexConfig(launch_args_override=[str(nowhere)]))
    with pytest.raises(RuntimeNotFound, match="could not be started"):
        Codex(CodexConfig(launch_args_override=[f"{nowhere}\0"]))


def test_a_missing_runtime_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "codex_cli_bin", None)
    with pytest.raises(RuntimeNotFound, match="openai-codex-cli-bin=="):
        Codex()


def test_closing_twice_is_harmless(fake: Fake) -> None:
    codex = Codex(fake())
    handle = a_thread(codex).turn("hold")
    codex.close()
    codex.close()
    with pytest.raises(TransportClosedError, match="the client was closed"):
        handle.run()
    with pytest.raises(TransportClosedError):
        codex.models()


def test_closing_wakes_those_who_wait(fake: Fake) -> None:
    errors: list[Exception] = []
    codex = Codex(fake())

    def wait() -> None:
        try:
            a_thread(codex).turn("hold").run()
        except TransportClosedError as error:
            errors.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    time.sleep(0.2)
    codex.close()
    waiting.join(10)
    assert len(errors) == 1


def test_an_app_server_that_does_not_end_is_killed(fake: Fake) -> None:
    with Codex(fake("stubborn", shutdown_timeout_s=0.2)) as codex:
        pid = process_of(codex)
    assert not is_running(pid)


def test_a_forgotten_client_leaves_no_process(fake: Fake) -> None:
    codex = Codex(fake())
    pid = process_of(codex)
    del codex
    gc.collect()
    assert not is_running(pid)


def test_the_end_of_the_program_leaves_no_process(fake: Fake) -> None:
    config = fake()
    program = (
        "import sys, codex_factory_sdk as sdk\n"
        f"codex = sdk.Codex(sdk.CodexConfig(launch_args_override={config.launch_args_override!r}))\n"
        "print(codex.client._transport.process.pid, flush=True)\n"
        "sys.exit(5)"
    )
    source = str(Path(codex_factory_sdk.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": source},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 5, done.stderr
    assert not is_running(int(done.stdout))
