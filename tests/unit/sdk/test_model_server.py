"""The model server gives its scripted answers, on the loopback address only."""

import http.client
import json
import time
from urllib.parse import urlsplit

import pytest

from factory.sdk.model_server import Answer, CallTool, ModelServer, Refuse, Say, model_server


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
