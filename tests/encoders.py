"""Encoders that are not zlib: one that gives its bytes, and wrong ones."""

import zlib
from collections.abc import Callable

from factory.build.encoder import Compressor, Encoder

SOURCE = "5e" * 32


def encoder(start: Callable[[], Compressor]) -> Encoder:
    return Encoder(name="exact_deflate", source_sha256=SOURCE, start=start)


EQUAL = encoder(lambda: zlib.compressobj(6, zlib.DEFLATED, -15))


class Damaging:
    """Compresses, and changes the content or the stream."""

    def __init__(self, *, before: bytes = b"", after: bytes = b"", dropped: int = 0) -> None:
        self._compressor = zlib.compressobj(6, zlib.DEFLATED, -15)
        self._before = before
        self._after = after
        self._dropped = dropped

    def compress(self, data: "bytes | bytearray | memoryview", /) -> bytes:
        before, self._before = self._before, b""
        return self._compressor.compress(before + bytes(data))

    def flush(self) -> bytes:
        rest = self._compressor.flush()
        return rest[: len(rest) - self._dropped] + self._after


class _Longer:
    """Begins with an empty stored block (RFC 1951, 3.2.4), which inflates to nothing."""

    def __init__(self) -> None:
        self._compressor = zlib.compressobj(6, zlib.DEFLATED, -15)
        self._empty = b"\x00\x00\x00\xff\xff"

    def compress(self, data: "bytes | bytearray | memoryview", /) -> bytes:
        empty, self._empty = self._empty, b""
        return empty + self._compressor.compress(data)

    def flush(self) -> bytes:
        empty, self._empty = self._empty, b""
        return empty + self._compressor.flush()


OTHER_BYTES = encoder(_Longer)
"""Gives streams that inflate to the content, but not zlib's."""
