"""A model server on the loopback address that answers every turn with the same words.

It speaks as much of the Responses API's event stream as one turn of Codex needs.
"""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

CONFIGURATION = """\
model = "loopback"
model_provider = "loopback"

[model_providers.loopback]
name = "loopback"
base_url = "{address}"
wire_api = "responses"
requires_openai_auth = false
supports_websockets = false
"""
_USAGE = {
    "input_tokens": 1,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 1,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 2,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelServer:
    """A server that runs.

    Attributes:
        address: What to give as ``base_url``.
        turns: The bodies of the requests so far, as sent.
    """

    address: str
    turns: list[bytes] = field(default_factory=list)

    def configure(self, codex_home: Path) -> None:
        """Write the ``config.toml`` that makes Codex ask this server and no other."""
        codex_home.mkdir(parents=True)
        configuration = CONFIGURATION.format(address=self.address)
        (codex_home / "config.toml").write_text(configuration, encoding="utf-8")


@contextmanager
def model_server(answer: str) -> Iterator[ModelServer]:
    """Serve in a thread while the context lasts."""

    class Handler(_ResponsesHandler):
        events = _events(answer)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        running = ModelServer(address=f"http://127.0.0.1:{server.server_port}/v1")
        Handler.turns = running.turns
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield running
        finally:
            server.shutdown()
            thread.join()


class _ResponsesHandler(BaseHTTPRequestHandler):
    events: ClassVar[bytes] = b""
    turns: ClassVar[list[bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path != "/v1/responses":
            self.send_error(404)
            return
        self.turns.append(body)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Content-Length", str(len(self.events)))
        self.end_headers()
        self.wfile.write(self.events)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Keep quiet: the test looks at the turns."""


def _events(answer: str) -> bytes:
    message = {
        "type": "message",
        "role": "assistant",
        "id": "msg-1",
        "content": [{"type": "output_text", "text": answer}],
    }
    events: tuple[Mapping[str, object], ...] = (
        {"type": "response.created", "response": {"id": "resp-1"}},
        {"type": "response.output_item.done", "item": message},
        {"type": "response.completed", "response": {"id": "resp-1", "usage": _USAGE}},
    )
    return b"".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events)
