"""Decompression as a stream of chunks, with nothing left over.

ISA-L reads gzip about twice as fast as zlib does (measured on an npm tarball of
0.163.0: 510 against 255 MB/s on one core), so it is used where its wheel exists. What
comes out is the same: gzip's checksum and length are checked by either.
"""

import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol, cast

from factory.core.digests import CHUNK_BYTES
from factory.release.archives.guard import Guard

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_MAX_WINDOW_LOG = 27
"""zstd's own default bound: 128 MiB of memory, which ``--ultra`` and ``--long`` stay within."""


class Decompressor(Protocol):
    """What takes packed bytes and gives unpacked ones, in the manner of `bz2.BZ2Decompressor`."""

    @property
    def eof(self) -> bool:
        """Whether the stream's end was reached, and its checksum was right."""

    @property
    def needs_input(self) -> bool:
        """Whether nothing more comes out until something is put in."""

    @property
    def unused_data(self) -> bytes:
        """What was put in after the stream's end."""

    def decompress(self, data: bytes, max_length: int = ..., /) -> bytes:
        """Put in some bytes and take out at most so many."""


class ZlibDecompressor:
    """A `Decompressor` of the standard library's zlib, which has another interface.

    Args:
        wbits: 31 for gzip, -15 for bare deflate.
    """

    def __init__(self, wbits: int) -> None:
        self._zlib = zlib.decompressobj(wbits)
        self._is_full = False

    @property
    def eof(self) -> bool:
        """Whether the stream's end was reached, and its checksum was right."""
        return self._zlib.eof

    @property
    def needs_input(self) -> bool:
        """Whether nothing more comes out until something is put in."""
        return not (self._zlib.unconsumed_tail or self._is_full)

    @property
    def unused_data(self) -> bytes:
        """What was put in after the stream's end."""
        return self._zlib.unused_data

    def decompress(self, data: bytes, max_length: int = 0, /) -> bytes:
        """Put in some bytes and take out at most so many."""
        chunk = self._zlib.decompress(self._zlib.unconsumed_tail + data, max_length)
        self._is_full = len(chunk) == max_length
        return chunk


@dataclass(frozen=True, slots=True, kw_only=True)
class Codec:
    """A way to decompress.

    Attributes:
        magic: How each stream begins.
        start: Makes a decompressor for one stream.
        failures: What it raises on wrong input.
    """

    magic: bytes
    start: Callable[[], Decompressor]
    failures: tuple[type[Exception], ...]


def gzip_codec() -> Codec:
    """Return the fastest reader of gzip that is installed."""
    try:
        from isal import igzip_lib as lib  # noqa: PLC0415 (it has no wheel for every platform)
    except ImportError:
        return zlib_gzip_codec()
    return Codec(
        magic=b"\x1f\x8b\x08",
        start=lambda: lib.IgzipDecompressor(flag=lib.DECOMP_GZIP),
        failures=(cast("type[Exception]", lib.error),),  # its stub says that the class is an instance
    )


def zlib_gzip_codec() -> Codec:
    """Return the standard library's reader of gzip."""
    return Codec(magic=b"\x1f\x8b\x08", start=lambda: ZlibDecompressor(31), failures=(zlib.error,))


def zstd_codec() -> Codec:
    """Return the reader of Zstandard."""
    options = {int(zstd.DecompressionParameter.window_log_max): _MAX_WINDOW_LOG}
    return Codec(
        magic=b"\x28\xb5\x2f\xfd",
        start=lambda: zstd.ZstdDecompressor(options=options),
        failures=(zstd.ZstdError,),
    )


def deflate_codec() -> Codec:
    """Return the reader of bare deflate, as in zip."""
    return Codec(magic=b"", start=lambda: ZlibDecompressor(-15), failures=(zlib.error,))


def inflated(file: BinaryIO, codec: Codec, guard: Guard) -> Iterator[bytes]:
    """Yield what a compressed file holds, in chunks of at most `CHUNK_BYTES`, to the file's very end.

    Several streams one after the other are legal in gzip and in Zstandard and are
    read as one; any other byte after a stream's end is refused.

    Raises:
        DamagedPackage: It is cut off, altered, of another format, or has bytes after its end.
        OversizedPackage: It unpacks to too much.
    """
    source = _Source(file)
    unpacked_bytes, is_first = 0, True
    while is_first or source.has_more(len(codec.magic)):
        if not source.begins_with(codec.magic):
            raise guard.damaged("is of another format" if is_first else "has bytes after its end")
        is_first = False
        decompressor = codec.start()
        for chunk in stream_chunks(decompressor, codec, source.read, guard):
            unpacked_bytes += len(chunk)
            guard.check_inflation(packed_bytes=source.packed_bytes, unpacked_bytes=unpacked_bytes)
            yield chunk
        source.put_back(decompressor.unused_data)


def stream_chunks(
    decompressor: Decompressor, codec: Codec, feed: Callable[[], bytes], guard: Guard
) -> Iterator[bytes]:
    """Yield one stream's content, asking for packed bytes as they are needed.

    Raises:
        DamagedPackage: The packed bytes end early, or are wrong.
    """
    while not decompressor.eof:
        data = b""
        if decompressor.needs_input and not (data := feed()):
            raise guard.damaged("ends too early")
        try:
            chunk = decompressor.decompress(data, CHUNK_BYTES)
        except codec.failures as error:
            raise guard.damaged(f"cannot be unpacked ({error})") from error
        if chunk:
            yield chunk


class _Source:
    """A file read in chunks, into which unused bytes can be put back."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._pending = b""
        self.packed_bytes = 0

    def read(self) -> bytes:
        """Return the next bytes; none at the file's end."""
        if self._pending:
            data, self._pending = self._pending, b""
            return data
        data = self._file.read(CHUNK_BYTES)
        self.packed_bytes += len(data)
        return data

    def put_back(self, data: bytes) -> None:
        self._pending = data + self._pending

    def begins_with(self, magic: bytes) -> bool:
        """Look ahead."""
        self.has_more(len(magic))
        return self._pending.startswith(magic)

    def has_more(self, size_bytes: int) -> bool:
        """Whether the file goes on; so many bytes of it are then pending, if there are so many."""
        while len(self._pending) < max(1, size_bytes):
            data = self._file.read(CHUNK_BYTES)
            if not data:
                break
            self.packed_bytes += len(data)
            self._pending += data
        return bool(self._pending)
