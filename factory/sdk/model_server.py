"""A model server on the loopback address that gives scripted answers.

It implements the part of the Responses API's event stream that a turn of Codex needs, so that a runtime
can be tested without an account or a network. It listens on 127.0.0.1 only and makes no connections.
"""

import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

# Plugins are off: the runtime would start git to download a list of them.
CONFIGURATION = """\
model = "loopback"
model_provider = "loopback"

[model_providers.loopback]
name = "loopback"
base_url = "{address}"
wire_api = "responses"
requires_openai_auth = false
supports_websockets = false

[features]
plugins = false
"""
_USAGE = {
    "input_tokens": 1,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 1,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 2,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """Answer with a message, after a delay."""

    text: str
    delay_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTool:
    """Answer with a tool call; ``arguments`` is JSON text, as the API sends it."""

    name: str
    arguments: str
    call_id: str = "call-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """Answer with an HTTP error, such as 429 or 503; ``retry_after_s`` becomes ``Retry-After``."""

    status: int
    retry_after_s: int | None = None


Answer = Say | CallTool | Refuse


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelServer:
    """A running server.

    Attributes:
        address: The ``base_url`` for clients.
        turns: The bodies of the requests so far.
    """

    address: str
    turns: list[bytes] = field(default_factory=list)

    def configure(self, codex_home: Path) -> None:
        """Write the ``config.toml`` that makes Codex use this server only."""
        codex_home.mkdir(parents=True)
        configuration = CONFIGURATION.format(address=self.address)
        (codex_home / "config.toml").write_text(configuration, encoding="utf-8")


@contextmanager
def model_server(script: Sequence[Answer]) -> Iterator[ModelServer]:
    """Serve in a thread until the context ends, one answer per request; the last answer repeats.

    Raises:
        ValueError: The script is empty.
    """
    if not script:
        raise ValueError("a model server needs at least one answer")
    turns: list[bytes] = []
    lock = threading.Lock()

    class Handler(_ResponsesHandler):
        def take(self, body: bytes) -> Answer:
            with lock:
                turns.append(body)
                return script[min(len(turns), len(script)) - 1]

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield ModelServer(address=f"http://127.0.0.1:{server.server_port}/v1", turns=turns)
        finally:
            server.shutdown()
            thread.join()


class _ResponsesHandler(BaseHTTPRequestHandler):
    def take(self, body: bytes) -> Answer:
        raise NotImplementedError

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path != "/v1/responses":
            self.send_error(404)
            return
        match self.take(body):
            case Refuse(status=status, retry_after_s=retry_after_s):
                self._refuse(status, retry_after_s)
            case Say(text=text, delay_s=delay_s):
                time.sleep(delay_s)
                self._stream(_message(text))
            case CallTool() as call:
                self._stream(_tool_call(call))

    def _refuse(self, status: int, retry_after_s: int | None) -> None:
        self.send_response(status)
        if retry_after_s is not None:
            self.send_header("Retry-After", str(retry_after_s))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _stream(self, item: Mapping[str, object]) -> None:
        events = _events(item)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Content-Length", str(len(events)))
        self.end_headers()
        self.wfile.write(events)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Discard the message; the requests are in ``turns``."""


def _message(text: str) -> Mapping[str, object]:
    content = [{"type": "output_text", "text": text}]
    return {"type": "message", "role": "assistant", "id": "msg-1", "content": content}


def _tool_call(call: CallTool) -> Mapping[str, object]:
    return {
        "type": "function_call",
        "name": call.name,
        "arguments": call.arguments,
        "call_id": call.call_id,
    }


def _events(item: Mapping[str, object]) -> bytes:
    events: tuple[Mapping[str, object], ...] = (
        {"type": "response.created", "response": {"id": "resp-1"}},
        {"type": "response.output_item.done", "item": item},
        {"type": "response.completed", "response": {"id": "resp-1", "usage": _USAGE}},
    )
    return b"".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events)
