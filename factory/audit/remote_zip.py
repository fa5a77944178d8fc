"""A remote file as a seekable one: only the parts that are looked at cross the network.

A wheel's directory, RECORD and METADATA stand at its end and the template's text at its
beginning, so two or three ranges (RFC 9110, 14) tell everything about 140 MB.
"""

import io
import re
from dataclasses import dataclass, field
from typing import BinaryIO

from factory.core.errors import IntegrityError, UpstreamError
from factory.system.http import HttpClient, HttpResponse, HttpStatusError
from factory.system.retry import RequestFailed, RetryPolicy

BLOCK_BYTES = 1 << 15
_BUFFER_BYTES = 1 << 12
_PARTIAL_CONTENT = 206
_RANGE_NOT_SATISFIABLE = 416
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})")


class RangeRefused(UpstreamError):
    """A server gives a file whole or not at all."""

    hint = "Nothing to do: the file is downloaded instead."

    def __init__(self, name: str) -> None:
        super().__init__(f"the server does not give parts of {name}")


class LyingServer(IntegrityError):
    """What a server says of a file, or gives of it, does not fit together."""

    hint = "Run again; if it stays so, compare with another mirror: its files are not those of the index."

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{name} cannot be read in parts: {problem}")


class BrokenPart(RequestFailed):
    """A part of a file broke off on its way."""

    def __init__(self, name: str, *, seen_bytes: int, asked_bytes: int) -> None:
        super().__init__(
            f"a part of {name} broke off after {seen_bytes} of {asked_bytes} bytes",
            is_transient=True,
            hint="Run again.",
        )


@dataclass(slots=True, kw_only=True)
class Fetched:
    """Counts what was read of a published wheel, in whichever way."""

    size_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteSource:
    """A file on a server.

    Attributes:
        client: Asks the server.
        url: Its address.
        name: What to call it in an error.
        size_bytes: What an index promises; the server's own word where it promises nothing.
        fetched: Is told of every byte that comes.
        retry: How broken parts are asked for again.
    """

    client: HttpClient
    url: str
    name: str
    size_bytes: int | None
    fetched: Fetched
    retry: RetryPolicy = field(default_factory=RetryPolicy)

    def open(self) -> tuple[BinaryIO, int]:
        """Open the file, which the caller closes, and tell its size.

        Raises:
            RangeRefused: The server gives no parts.
            LyingServer: The size is not the promised one.
            RequestFailed: It could not be asked.
        """
        raw = _RemoteFile(self)
        return io.BufferedReader(raw, _BUFFER_BYTES), raw.size_bytes


class _RemoteFile(io.RawIOBase):
    """Reads a remote file block by block and keeps each block that came."""

    def __init__(self, source: RemoteSource) -> None:
        super().__init__()
        self._source = source
        self._blocks: dict[int, bytes] = {}
        self._position = 0
        self._etag: str | None = None
        self.size_bytes = self._probe()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size_bytes}[whence]
        self._position = max(0, base + offset)
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        stop = min(self._position + len(buffer), self.size_bytes)
        if stop <= self._position:
            return 0
        first, last = self._position // BLOCK_BYTES, (stop - 1) // BLOCK_BYTES
        self._load(first, last)
        joined = b"".join(self._blocks[index] for index in range(first, last + 1))
        begin = self._position - first * BLOCK_BYTES
        chunk = joined[begin : begin + stop - self._position]
        buffer[: len(chunk)] = chunk
        self._position += len(chunk)
        return len(chunk)

    def _probe(self) -> int:
        """Ask for the first block: its answer tells the size of the whole."""
        return self._source.retry.call(lambda: self._ask(0, BLOCK_BYTES - 1, size_bytes=None))

    def _load(self, first: int, last: int) -> None:
        """Fetch the blocks that are not here yet, in one request as far as they stand together."""
        missing = [index for index in range(first, last + 1) if index not in self._blocks]
        if missing:
            start = missing[0] * BLOCK_BYTES
            stop = min((missing[-1] + 1) * BLOCK_BYTES, self.size_bytes) - 1
            self._source.retry.call(lambda: self._ask(start, stop, size_bytes=self.size_bytes))

    def _ask(self, start: int, stop: int, *, size_bytes: int | None) -> int:
        source = self._source
        try:
            with source.client.stream(source.url, headers={"Range": f"bytes={start}-{stop}"}) as response:
                total = self._agreed_size(response, start, stop, size_bytes)
                self._take(response, start, min(stop, total - 1))
                return total
        except HttpStatusError as error:
            if error.status == _RANGE_NOT_SATISFIABLE:
                raise LyingServer(source.name, f"it has no bytes {start} to {stop}") from error
            raise

    def _agreed_size(self, response: HttpResponse, start: int, stop: int, known: int | None) -> int:
        """Return the size of the whole file, on which index, server and earlier answers must agree."""
        name = self._source.name
        if response.status != _PARTIAL_CONTENT:
            raise RangeRefused(name)
        answered = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", ""))
        if answered is None:
            raise LyingServer(name, "an answer does not say which part it is")
        total = int(answered[3])
        if (int(answered[1]), int(answered[2])) != (start, min(stop, total - 1)):
            raise LyingServer(name, f"bytes {answered[1]} to {answered[2]} came for {start} to {stop}")
        promised = self._source.size_bytes if known is None else known
        if promised is not None and total != promised:
            raise LyingServer(name, f"its size is {promised} bytes by one word and {total} by another")
        etag = response.headers.get("etag")
        if self._blocks and etag != self._etag:
            raise LyingServer(name, "it changed while it was read")
        self._etag = etag
        return total

    def _take(self, response: HttpResponse, start: int, stop: int) -> None:
        asked_bytes = stop - start + 1
        body = bytearray()
        for chunk in response.chunks():
            body += chunk
            self._source.fetched.size_bytes += len(chunk)
            if len(body) > asked_bytes:
                raise LyingServer(self._source.name, f"more came than the {asked_bytes} bytes asked for")
        if len(body) < asked_bytes:
            raise BrokenPart(self._source.name, seen_bytes=len(body), asked_bytes=asked_bytes)
        for offset in range(0, len(body), BLOCK_BYTES):
            self._blocks[(start + offset) // BLOCK_BYTES] = bytes(body[offset : offset + BLOCK_BYTES])
