"""A model server on the loopback address that gives scripted answers.

It implements the part of the Responses API's event stream that a turn of Codex needs, so that a runtime
can be tested without an account or a network. It listens on 127.0.0.1 only and makes no connections.
"""

import json
import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
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
_HOLD_INTERVAL_S = 0.05
_USAGE = {
    "input_tokens": 1,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 1,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 2,
}
_CREATED: Mapping[str, object] = {"type": "response.created", "response": {"id": "resp-1"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """Answer with a message, after a delay."""

    text: str
    delay_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """Answer with a message in pieces, each of which is an event of its own.

    Attributes:
        pieces: The parts of the text.
        interval_s: The wait before each piece; the bytes of an event are then sent one half at a time.
        hold_s: How long the stream stays open, without an event, before it is completed. The hold ends
            earlier when the client closes the connection.
        released: Ends the hold when it is set.
        is_cut: End after the pieces, without the events that complete the answer.
    """

    pieces: tuple[str, ...]
    interval_s: float = 0.0
    hold_s: float = 0.0
    released: threading.Event = field(default_factory=threading.Event, compare=False)
    is_cut: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Echo:
    """Answer with the last text that the user said, in pieces of one word each; see `Stream`."""

    hold_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTool:
    """Answer with a tool call; ``arguments`` is JSON text, as the API sends it."""

    name: str
    arguments: str
    call_id: str = "call-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunScript:
    """Answer with a script for code mode, in JavaScript."""

    script: str
    call_id: str = "call-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """Answer with an HTTP error, such as 429 or 503; ``retry_after_s`` becomes ``Retry-After``."""

    status: int
    retry_after_s: int | None = None


Answer = Say | Stream | Echo | CallTool | RunScript | Refuse


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelServer:
    """A running server.

    Attributes:
        address: The ``base_url`` for clients.
        turns: The bodies of the requests so far.
    """

    address: str
    turns: list[bytes] = field(default_factory=list)

    def configure(self, codex_home: Path, features: Sequence[str] = ()) -> None:
        """Write the ``config.toml`` that makes Codex use this server only, with these features on."""
        codex_home.mkdir(parents=True)
        configuration = CONFIGURATION.format(address=self.address)
        configuration += "".join(f"{feature} = true\n" for feature in features)
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


def last_text(body: bytes) -> str:
    """Return the last text that the user said in a request."""
    items = json.loads(body)["input"]
    parts = [part for item in items if item.get("role") == "user" for part in item["content"]]
    return next((str(part["text"]) for part in reversed(parts) if "text" in part), "")


class _ResponsesHandler(BaseHTTPRequestHandler):
    def take(self, body: bytes) -> Answer:
        raise NotImplementedError

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path != "/v1/responses":
            self.send_error(404)
            return
        answer = self.take(body)
        match answer:
            case Refuse(status=status, retry_after_s=retry_after_s):
                self._refuse(status, retry_after_s)
            case Say(text=text, delay_s=delay_s):
                time.sleep(delay_s)
                self._stream(_message(text))
            case CallTool() as call:
                self._stream(_tool_call(call))
            case Stream():
                self._send_pieces(answer)
            case Echo(hold_s=hold_s):
                words = re.findall(r"\S+\s*", last_text(body))
                self._send_pieces(Stream(pieces=tuple(words), hold_s=hold_s))
            case RunScript() as run:
                self._stream(_script_call(run))

    def _refuse(self, status: int, retry_after_s: int | None) -> None:
        self.send_response(status)
        if retry_after_s is not None:
            self.send_header("Retry-After", str(retry_after_s))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send_pieces(self, stream: Stream) -> None:
        """Send a stream of unknown length, which ends with the connection."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        with suppress(OSError):  # the client has closed the connection
            for event in (_CREATED, _added(), *map(_delta, stream.pieces)):
                self._send_event(event, stream.interval_s)
            self._hold(stream.hold_s, stream.released)
            if not stream.is_cut:
                for event in _completion(_message("".join(stream.pieces))):
                    self._send_event(event, 0.0)

    def _send_event(self, event: Mapping[str, object], interval_s: float) -> None:
        content = _encoded(event)
        half = len(content) // 2 if interval_s else len(content)
        for part in (content[:half], content[half:]):
            self.wfile.write(part)
            self.wfile.flush()
            time.sleep(interval_s / 2)

    def _hold(self, hold_s: float, released: threading.Event) -> None:
        """Keep the connection open with comments, which clients ignore."""
        deadline = time.monotonic() + hold_s
        while time.monotonic() < deadline and not released.wait(_HOLD_INTERVAL_S):
            self.wfile.write(b": still here\n\n")
            self.wfile.flush()

    def _stream(self, item: Mapping[str, object]) -> None:
        events = b"".join(map(_encoded, (_CREATED, *_completion(item))))
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


def _script_call(run: RunScript) -> Mapping[str, object]:
    return {"type": "custom_tool_call", "name": "exec", "input": run.script, "call_id": run.call_id}


def _added() -> Mapping[str, object]:
    item = {**_message(""), "status": "in_progress"}
    return {"type": "response.output_item.added", "output_index": 0, "item": item}


def _delta(text: str) -> Mapping[str, object]:
    place = {"item_id": "msg-1", "output_index": 0, "content_index": 0}
    return {"type": "response.output_text.delta", **place, "delta": text}


def _completion(item: Mapping[str, object]) -> tuple[Mapping[str, object], ...]:
    return (
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": {"id": "resp-1", "usage": _USAGE}},
    )


def _encoded(event: Mapping[str, object]) -> bytes:
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()
