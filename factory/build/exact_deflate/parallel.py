"""Compress one stream on several threads, with the same bytes.

The input is cut into segments, which any thread can parse. The caller's thread joins them in order.
"""

import zlib
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from factory.build.exact_deflate.library import Library, Parsed, Segment

SEGMENT_BYTES = 1 << 20
_HISTORY_BYTES = 65536 + 1024
"""What a search, or a stored block, needs of the bytes before a segment."""
_FOLLOWING_BYTES = 512
"""What the last search in a segment needs of the bytes after it."""


@dataclass(slots=True, kw_only=True)
class _Task:
    """A segment that a thread of the pool will parse, unless the caller's thread does."""

    segment: Segment
    future: Future[Parsed]
    parsed: Parsed | None = field(default=None)


class ParallelCompressor:
    """Compresses one stream on several threads, one of which is the caller's.

    Args:
        library: The compiled library.
        threads: How many threads work at the same time, at least 2.
        segment_bytes: The size of a segment.
    """

    def __init__(self, library: Library, *, threads: int, segment_bytes: int = SEGMENT_BYTES) -> None:
        self._library = library
        self._stream = library.compressobj()
        self._kept = 2 * threads
        self._segment_bytes = segment_bytes
        self._pool = ThreadPoolExecutor(max_workers=threads - 1, thread_name_prefix="deflate")
        self._history = b""
        self._pending = bytearray()
        self._position = 0
        self._is_finished = False
        self._tasks: deque[_Task] = deque()

    def compress(self, data: "bytes | bytearray | memoryview", /) -> bytes:
        """Compress a part of the input, and return the output that is complete.

        Raises:
            zlib.error: The stream is finished.
        """
        if self._is_finished:
            raise zlib.error("the stream is finished")
        self._pending += data
        output: list[bytes] = []
        while len(self._pending) >= self._segment_bytes + _FOLLOWING_BYTES:
            self._begin(self._segment_bytes, is_last=False)
            output += self._joined(keep=self._kept)
        return b"".join(output)

    def flush(self) -> bytes:
        """Finish the stream, and return the rest of the output.

        Raises:
            zlib.error: The stream is finished.
        """
        if self._is_finished:
            raise zlib.error("the stream is finished")
        self._is_finished = True
        self._begin(len(self._pending), is_last=True)
        try:
            return b"".join(self._joined(keep=0))
        finally:
            self._pool.shutdown()

    def _begin(self, size: int, *, is_last: bool) -> None:
        """Queue the next bytes for the threads."""
        following = bytes(self._pending[size : size + _FOLLOWING_BYTES])
        before = self._history + self._pending[:size]
        segment = Segment(
            content=before + following + bytes(_FOLLOWING_BYTES),
            history_bytes=len(self._history),
            size_bytes=size,
            following_bytes=len(following),
            position=self._position,
            is_last=is_last,
        )
        self._tasks.append(_Task(segment=segment, future=self._pool.submit(self._library.parse, segment)))
        self._history = before[-_HISTORY_BYTES:]
        self._position += size
        del self._pending[:size]

    def _joined(self, *, keep: int) -> Iterator[bytes]:
        """Join the first segments in order, and leave some to the threads."""
        while len(self._tasks) > keep:
            task = self._tasks.popleft()
            yield self._stream.join(self._result(task))

    def _result(self, task: _Task) -> Parsed:
        """Return a parsed segment; while another thread is busy with it, parse one that waits."""
        self._parse_here(task)
        for later in self._tasks:
            if task.parsed is not None or task.future.done():
                break
            self._parse_here(later)
        return task.future.result() if task.parsed is None else task.parsed

    def _parse_here(self, task: _Task) -> None:
        if task.parsed is None and task.future.cancel():
            task.parsed = self._library.parse(task.segment)
