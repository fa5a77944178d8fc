"""The model server gives its scripted answers, on the loopback address only."""

import http.client
import json
import threading
import time
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from factory.sdk.model_server import (
    Answer,
    CallTool,
    Echo,
    ModelServer,
    Refuse,
    RunScript,
    Say,
    Stream,
    model_server,
)


def ask(server: ModelServer, body: str = "{}", path: str = "/responses") -> tuple[int, str | None, str]:
    address = urlsplit(server.address)
    assert address.hostname == "127.0.0.1"
    connection = http.client.HTTPConnection(address.hostname, address.port or 0, timeout=5)
    try:
        connection.request("POST", address.path + path, body)
        answer = connection.getresponse()
        return answer.status, answer.getheader("Retry-After"), answer.read().decode()
    finally:
        connection.close()


def items(stream: str) -> list[dict[str, object]]:
    events = [json.loads(line[6:]) for line in stream.splitlines() if line.startswith("data: ")]
    types = [event["type"] for event in events]
    assert types == ["response.created", "response.output_item.done", "response.completed"]
    return [event["item"] for event in events if "item" in event]


def test_it_follows_the_script_and_repeats_the_last_answer() -> None:
    script: tuple[Answer, ...] = (Refuse(status=503, retry_after_s=1), Refuse(status=429), Say(text="Yes."))
    with model_server(script) as server:
        assert ask(server, "one") == (503, "1", "")
        assert ask(server, "two") == (429, None, "")
        for body in ("three", "four"):
            status, _, stream = ask(server, body)
            assert status == 200
            assert items(stream)[0]["content"] == [{"type": "output_text", "text": "Yes."}]
        assert server.turns == [b"one", b"two", b"three", b"four"]


def test_it_calls_a_tool() -> None:
    with model_server((CallTool(name="shell", arguments='{"command":["true"]}'),)) as server:
        assert items(ask(server)[2]) == [
            {
                "type": "function_call",
                "name": "shell",
                "arguments": '{"command":["true"]}',
                "call_id": "call-1",
            }
        ]


def test_it_sends_a_script_for_code_mode() -> None:
    with model_server((RunScript(script="text(1)"),)) as server:
        assert items(ask(server)[2]) == [
            {"type": "custom_tool_call", "name": "exec", "input": "text(1)", "call_id": "call-1"}
        ]


def test_features_are_turned_on(tmp_path: Path) -> None:
    with model_server((Say(text="Yes."),)) as server:
        server.configure(tmp_path / "home", ["code_mode", "code_mode_only"])
    configuration = tomllib.loads((tmp_path / "home" / "config.toml").read_text())
    assert configuration["features"] == {"plugins": False, "code_mode": True, "code_mode_only": True}


def test_it_waits_before_it_answers() -> None:
    with model_server((Say(text="Late.", delay_s=0.2),)) as server:
        before = time.monotonic()
        ask(server)
        assert time.monotonic() - before >= 0.2


def test_another_path_is_not_found_and_not_counted() -> None:
    with model_server((Say(text="Yes."),)) as server:
        assert ask(server, path="/models")[0] == 404
        assert server.turns == []


def test_an_empty_script_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one answer"), model_server(()):
        pass


def types(stream: str) -> list[str]:
    return [json.loads(line[6:])["type"] for line in stream.splitlines() if line.startswith("data: ")]


def text_of(stream: str) -> str:
    events = [json.loads(line[6:]) for line in stream.splitlines() if line.startswith("data: ")]
    return "".join(event["delta"] for event in events if "delta" in event)


def test_it_streams_pieces() -> None:
    with model_server((Stream(pieces=("One ", "two")),)) as server:
        _, _, stream = ask(server)
    delta = "response.output_text.delta"
    assert types(stream) == [
        *("response.created", "response.output_item.added", delta, delta),
        *("response.output_item.done", "response.completed"),
    ]
    assert text_of(stream) == "One two"
    done = json.loads(stream.splitlines()[-5][6:])
    assert done["item"]["content"] == [{"type": "output_text", "text": "One two"}]


def test_it_splits_events_and_waits() -> None:
    with model_server((Stream(pieces=("a", "b"), interval_s=0.05),)) as server:
        before = time.monotonic()
        assert text_of(ask(server)[2]) == "ab"
        assert time.monotonic() - before >= 0.2


def test_it_cuts_a_stream() -> None:
    with model_server((Stream(pieces=("One",), is_cut=True),)) as server:
        assert types(ask(server)[2])[-1] == "response.output_text.delta"


def test_it_holds_a_stream_open() -> None:
    with model_server((Stream(pieces=("One",), hold_s=0.3),)) as server:
        before = time.monotonic()
        stream = ask(server)[2]
        assert time.monotonic() - before >= 0.3
    assert ": still here" in stream
    assert types(stream)[-1] == "response.completed"


def test_a_client_that_leaves_ends_the_hold() -> None:
    with model_server((Stream(pieces=("One",), hold_s=60),)) as server:
        address = urlsplit(server.address)
        connection = http.client.HTTPConnection(str(address.hostname), address.port or 0, timeout=5)
        connection.request("POST", f"{address.path}/responses", "{}")
        connection.getresponse().read(10)
        connection.close()


def test_an_event_ends_the_hold() -> None:
    held = Stream(pieces=("One",), hold_s=60)
    with model_server((held,)) as server:
        threading.Timer(0.1, held.released.set).start()
        began = time.monotonic()
        assert types(ask(server)[2])[-1] == "response.completed"
        assert 0.1 <= time.monotonic() - began < 4


def test_it_repeats_the_users_last_words() -> None:
    said = [{"role": "user", "content": [{"type": "input_text", "text": text}]} for text in ("a", "b  c")]
    body = json.dumps({"input": [*said, {"role": "assistant", "content": []}]})
    with model_server((Echo(),)) as server:
        stream = ask(server, body)[2]
        assert text_of(stream) == "b  c"
        assert types(stream).count("response.output_text.delta") == 2
        assert text_of(ask(server, '{"input":[]}')[2]) == ""


def test_it_repeats_the_words_before_an_image() -> None:
    image = {"type": "input_image", "image_url": "data:image/png;base64,AA=="}
    said = {"role": "user", "content": [{"type": "input_text", "text": "Look."}, image]}
    with model_server((Echo(),)) as server:
        assert text_of(ask(server, json.dumps({"input": [said]}))[2]) == "Look."
        assert (
            text_of(ask(server, json.dumps({"input": [said, {"role": "user", "content": [image]}]}))[2])
            == "Look."
        )
