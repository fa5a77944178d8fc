"""A seekable file on a server: only the blocks that are read cross the network.

A wheel's directory, RECORD and METADATA are at its end and the template's text at its beginning, so
two or three ranges (RFC 9110, section 14) of a wheel of 140 MB are enough.
"""

import io
import re
from dataclasses import dataclass, field
from typing import BinaryIO

from factory.core.counted import counted
from factory.core.errors import IntegrityError, UpstreamError
from factory.system.http import HttpClient, HttpResponse, HttpStatusError
from factory.system.retry import RequestFailed, RetryPolicy

BLOCK_BYTES = 1 << 15
_BUFFER_BYTES = 1 << 12
_PARTIAL_CONTENT = 206
_RANGE_NOT_SATISFIABLE = 416
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})")


class RangeRefused(UpstreamError):
    """A server ignores range requests: the file must be downloaded whole."""


@dataclass(slots=True, kw_only=True)
class Fetched:
    """Counts the bytes that were downloaded of a published wheel."""

    size_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteSource:
    """A file on a server.

    Attributes:
        client: Sends the requests.
        name: The file's name in errors.
        size_bytes: The size that the index gives; None if it gives no size.
        fetched: Counts every byte received.
        retry: How to repeat a request that was interrupted.
    """

    client: HttpClient
    url: str
    name: str
    size_bytes: int | None
    fetched: Fetched
    retry: RetryPolicy = field(default_factory=RetryPolicy)

    def open(self) -> tuple[BinaryIO, int]:
        """Open the file, which the caller closes, and return it with its size.

        Raises:
            RangeRefused: The server does not support ranges.
            IntegrityError: The size is not the promised one.
            RequestFailed: The server does not answer.
        """
        raw = _RemoteFile(self)
        return io.BufferedReader(raw, _BUFFER_BYTES), raw.size_bytes


class _RemoteFile(io.RawIOBase):
    """Reads a remote file in blocks, and keeps each block that it has read."""

    def __init__(self, source: RemoteSource) -> None:
        super().__init__()
        self._source = source
        self._blocks: dict[int, bytes] = {}
        self._position = 0
        self._etag: str | None = None
        # The answer to a request for the first block states the size of the whole file.
        self.size_bytes = source.retry.call(lambda: self._request(0, BLOCK_BYTES - 1, size_bytes=None))

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

    def _load(self, first: int, last: int) -> None:
        """Request the missing blocks of a range, all in one request."""
        missing = [index for index in range(first, last + 1) if index not in self._blocks]
        if missing:
            start = missing[0] * BLOCK_BYTES
            stop = min((missing[-1] + 1) * BLOCK_BYTES, self.size_bytes) - 1
            self._source.retry.call(lambda: self._request(start, stop, size_bytes=self.size_bytes))

    def _request(self, start: int, stop: int, *, size_bytes: int | None) -> int:
        source = self._source
        try:
            with source.client.stream(source.url, headers={"Range": f"bytes={start}-{stop}"}) as response:
                total = self._checked_size(response, start, stop, size_bytes)
                self._receive(response, start, min(stop, total - 1))
                return total
        except HttpStatusError as error:
            if error.status == _RANGE_NOT_SATISFIABLE:
                raise self._inconsistent(f"it has no bytes {start} to {stop}") from error
            raise

    def _checked_size(self, response: HttpResponse, start: int, stop: int, known: int | None) -> int:
        """Return the size of the whole file if the index, this answer and earlier answers agree."""
        if response.status != _PARTIAL_CONTENT:
            raise RangeRefused(f"the server does not give parts of {self._source.name}")
        answered = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", ""))
        if answered is None:
            raise self._inconsistent("an answer does not state its range")
        total = int(answered[3])
        if (int(answered[1]), int(answered[2])) != (start, min(stop, total - 1)):
            raise self._inconsistent(
                f"the server sent bytes {answered[1]} to {answered[2]} instead of {start} to {stop}"
            )
        promised = self._source.size_bytes if known is None else known
        if promised is not None and total != promised:
            raise self._inconsistent(f"its size is {counted(total, 'byte')} instead of {promised}")
        etag = response.headers.get("etag")
        if self._blocks and etag != self._etag:
            raise self._inconsistent("it changed while it was read")
        self._etag = etag
        return total

    def _receive(self, response: HttpResponse, start: int, stop: int) -> None:
        requested_bytes = stop - start + 1
        body = bytearray()
        for chunk in response.chunks():
            body += chunk
            self._source.fetched.size_bytes += len(chunk)
            if len(body) > requested_bytes:
                raise self._inconsistent(
                    f"the server sent more than the requested {counted(requested_bytes, 'byte')}"
                )
        if len(body) < requested_bytes:
            raise RequestFailed(
                f"a part of {self._source.name} ended after {len(body)}"
                f" of {counted(requested_bytes, 'byte')}",
                is_transient=True,
                hint="Run again.",
            )
        for offset in range(0, len(body), BLOCK_BYTES):
            self._blocks[(start + offset) // BLOCK_BYTES] = bytes(body[offset : offset + BLOCK_BYTES])

    def _inconsistent(self, problem: str) -> IntegrityError:
        """Return the error for a server whose answers contradict each other or the index."""
        return IntegrityError(
            f"{self._source.name} cannot be read in parts: {problem}",
            hint="Run again. If the error remains, try another mirror: this one serves other files.",
        )
