"""A registry that serves a release, well or badly: the first part of the path names the behaviour."""

import gzip
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.soak.release import BASE, Release

GOOD = "good"
_NUMBER = "1" * 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """What a server does, and how a run must end.

    Attributes:
        statuses: The exit statuses that are right; with 0 the wheels must be right, too.
        says: What the error must contain, if there is one.
        options: Options that make the run end in time.
        document: Changes the package document; raises `Answered` if it has answered itself.
        tarball: Sends a package; None for the usual way.
    """

    statuses: tuple[int, ...] = (21,)
    says: str = ""
    options: tuple[str, ...] = ()
    document: "Callable[[Handler, str], bytes] | None" = None
    tarball: "Callable[[Handler, bytes], None] | None" = None


class Answered(Exception):
    """The behaviour has sent its own answer."""


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"
    release: Release
    seen: Counter[tuple[str, str]]

    def log_message(self, *_: object) -> None:
        """Discard the message."""

    def do_GET(self) -> None:
        behaviour = BEHAVIOURS.get(self.name, Behaviour())
        with suppress(OSError, Answered):
            if self.path.endswith(".tgz"):
                content = self.release.tarballs[self.path.rpartition("/")[2]]
                (behaviour.tarball or Handler.send_part)(self, content)
                return
            text = self.release.document.replace(
                BASE, f"http://{self.headers['Host']}/{self.path.split('/')[1]}"
            )
            body = text.encode() if behaviour.document is None else behaviour.document(self, text)
            self.send_whole(body)

    @property
    def name(self) -> str:
        return self.path.split("/")[1].partition("~")[0]

    @property
    def is_first(self) -> bool:
        """Whether the path is requested for the first time."""
        self.seen[self.path, ""] += 1
        return self.seen[self.path, ""] == 1

    def send_whole(self, body: bytes, *, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def send_part(self, content: bytes) -> None:
        """Send the requested range, as a good server does."""
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")[0])
        if "Range" not in self.headers or start >= len(content):
            self.send_whole(content)
            return
        place = f"bytes {start}-{len(content) - 1}/{len(content)}"
        self.send_whole(content[start:], status=206, Content_Range=place)

    def hang(self) -> None:
        """Say nothing until the client gives up."""
        self.connection.settimeout(60)
        with suppress(OSError):
            self.connection.recv(1)
        raise Answered


def _answer(status: int, body: bytes = b"", **headers: str) -> Callable[[Handler, str], bytes]:
    def answer(handler: Handler, _: str) -> bytes:
        handler.send_whole(body, status=status, **headers)
        raise Answered

    return answer


def _text(change: Callable[[str], str]) -> Callable[[Handler, str], bytes]:
    return lambda _, text: change(text).encode("utf-8", "surrogatepass")


def _tarball(status: int, **headers: str) -> Callable[[Handler, bytes], None]:
    return lambda handler, content: handler.send_whole(content, status=status, **headers)


def _trickle(handler: Handler, content: bytes) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    for at in range(len(content)):
        handler.wfile.write(content[at : at + 1])
        time.sleep(0.5)


def _trickle_document(handler: Handler, text: str) -> bytes:
    _trickle(handler, text.encode())
    raise Answered


def _reset_once(handler: Handler, content: bytes) -> None:
    if not handler.is_first:
        handler.send_part(content)
        return
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content[: len(content) // 2])
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    handler.connection.close()


def _busy_once(handler: Handler, content: bytes) -> None:
    if handler.is_first:
        handler.send_whole(b"", status=503, Retry_After="1")
    else:
        handler.send_part(content)


def _endless(handler: Handler, content: bytes) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(100_000):
        handler.wfile.write(content)


def _bomb(handler: Handler, text: str) -> bytes:
    return _answer(200, gzip.compress(bytes(200 << 20)), Content_Encoding="gzip")(handler, text)


def _loop(handler: Handler, _: str) -> bytes:
    handler.send_whole(b"", status=302, Location=handler.path)
    raise Answered


def _hang(handler: Handler, _: str) -> bytes:
    handler.hang()
    raise Answered


def _integrity(change: Callable[[str], str]) -> Callable[[Handler, str], bytes]:
    def changed(text: str) -> str:
        document = json.loads(text)
        for entry in document["versions"].values():
            if "integrity" in entry["dist"]:
                entry["dist"]["integrity"] = change(entry["dist"]["integrity"])
        return json.dumps(document)

    return _text(changed)


_LIMIT = ("--max-time", "4")
BEHAVIOURS: Mapping[str, Behaviour] = {
    "bad-address": Behaviour(document=_text(lambda text: text.replace("http://", "http://[::1"))),
    "other-scheme": Behaviour(document=_text(lambda text: text.replace("http://", "file:///"))),
    "bad-port": Behaviour(document=_text(lambda text: text.replace("http://", "http://h:99999999/"))),
    "deep": Behaviour(document=_text(lambda _: "[" * 200_000)),
    "deep-object": Behaviour(document=_text(lambda _: '{"a":' * 100_000)),
    "digits": Behaviour(document=_text(lambda _: '{"versions":' + _NUMBER + "}")),
    "twice": Behaviour(document=_text(lambda text: '{"versions":{},' + text[1:])),
    "list": Behaviour(document=_text(lambda _: "[]")),
    "empty": Behaviour(document=_text(lambda _: "")),
    "html": Behaviour(document=_text(lambda _: "<html>log in</html>")),
    "surrogates": Behaviour(document=_text(lambda text: text.replace("0.163.0", "\ud800"))),
    "not-utf-8": Behaviour(document=lambda _, text: b"\xff\xfe" + text.encode()),
    "compressed": Behaviour(
        statuses=(0,),
        document=lambda handler, text: _answer(200, gzip.compress(text.encode()), Content_Encoding="gzip")(
            handler, text
        ),
    ),
    "compressed-bomb": Behaviour(
        document=_bomb,
    ),
    "other-encoding": Behaviour(
        says="br",
        document=_answer(200, b"\x0b\x02", Content_Encoding="br"),
    ),
    "large": Behaviour(document=_text(lambda text: text + " " * (33 << 20))),
    "missing": Behaviour(document=_answer(404), says="404"),
    "forbidden": Behaviour(document=_answer(403), says="403"),
    "broken": Behaviour(document=_answer(500), says="500", options=_LIMIT),
    "busy": Behaviour(document=_answer(429, Retry_After="30"), says="429|limit", options=_LIMIT),
    "busy-date": Behaviour(document=_answer(503, Retry_After="9" * 400), says="503|limit", options=_LIMIT),
    "loop": Behaviour(document=_loop),
    "redirect": Behaviour(document=_answer(302, Location="http://[::1")),
    "wrong-length": Behaviour(document=_answer(200, b"{}", Content_Length=_NUMBER), options=_LIMIT),
    "silent": Behaviour(document=_hang, says="limit|timed out", options=_LIMIT),
    "trickle": Behaviour(tarball=_trickle, says="limit", options=_LIMIT),
    "trickle-document": Behaviour(document=_trickle_document, says="limit", options=_LIMIT),
    "trickle-rate": Behaviour(
        tarball=_trickle, says="slower than", options=("--min-rate", "1kB", "--min-rate-time", "2")
    ),
    "no-integrity": Behaviour(statuses=(22,), document=_integrity(lambda _: "")),
    "weak-integrity": Behaviour(statuses=(22,), document=_integrity(lambda _: "sha1-AAAA")),
    "bad-integrity": Behaviour(statuses=(22,), document=_integrity(lambda text: text[:-8] + "AAAA====")),
    "other-bytes": Behaviour(
        statuses=(22,), tarball=lambda handler, content: handler.send_whole(content[:-1] + b"x")
    ),
    "more-bytes": Behaviour(
        statuses=(22,), tarball=lambda handler, content: handler.send_whole(content + b"x")
    ),
    "fewer-bytes": Behaviour(
        statuses=(22,), tarball=lambda handler, content: handler.send_whole(content[:-1])
    ),
    "no-bytes": Behaviour(statuses=(22,), tarball=lambda handler, _: handler.send_whole(b"")),
    "endless": Behaviour(statuses=(21, 22), tarball=_endless, options=_LIMIT),
    "range-digits": Behaviour(
        statuses=(21, 22), tarball=_tarball(206, Content_Range=f"bytes {_NUMBER}-5/6"), options=_LIMIT
    ),
    "range-unasked": Behaviour(tarball=_tarball(206, Content_Range="bytes 3-5/6"), options=_LIMIT),
    "range-words": Behaviour(tarball=_tarball(206, Content_Range="all of it"), options=_LIMIT),
    "reset-once": Behaviour(statuses=(0,), tarball=_reset_once),
    "busy-once": Behaviour(statuses=(0,), tarball=_busy_once),
    GOOD: Behaviour(statuses=(0,)),
}


class _QuietServer(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Discard the error: a client that was killed resets its connection."""


@contextmanager
def serving(release: Release) -> Iterator[str]:
    """Serve a release on this machine until the context ends; yield the address."""
    handler = type("ReleaseHandler", (Handler,), {"release": release, "seen": Counter()})
    server = _QuietServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.block_on_close = False
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
