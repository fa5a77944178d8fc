"""Compress the content of a file, and verify the compressed file on every read.

Compression takes nearly all the time of a build. Its output depends only on the content, the
encoder and the level; so a file that two wheels, two releases or two audits share is
compressed only once.
"""

import hashlib
import os
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from factory.core.digests import CHUNK_BYTES, Sha256, read_chunks
from factory.core.errors import IntegrityError

LEVEL = 6
PIECE_BYTES = 16384
"""The number of bytes that hatchling passes to the encoder at once. The pieces decide how zlib refills its
window, so that another size might change the output."""

_HEADER = struct.Struct("<8sLQQ32s32s")
_MAGIC = b"cwf-dfl1"


class DamagedDeflated(IntegrityError):
    """A compressed file is not what was written."""

    hint = "It has been removed; run the same command again."

    def __init__(self, content: Sha256) -> None:
        super().__init__(f"the compressed file of {content} in the cache is damaged or missing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deflated:
    """The compressed content of a file.

    Attributes:
        path: A file with a header and the raw deflate stream.
        sha256: The digest of the content.
        crc32: The CRC-32 of the content.
        size_bytes: The size of the content.
        compressed_bytes: The size of the stream.
        compressed_sha256: The digest of the stream, checked whenever the stream is read.
    """

    path: Path
    sha256: Sha256
    crc32: int
    size_bytes: int
    compressed_bytes: int
    compressed_sha256: Sha256

    @classmethod
    def open(cls, path: Path) -> Self:
        """Read the header of a compressed file.

        Raises:
            FileNotFoundError: The file does not exist.
            DamagedDeflated: The header is not valid, or the file does not have the size in it.
        """
        with path.open("rb") as file:
            raw = file.read(_HEADER.size)
            stream_bytes = os.fstat(file.fileno()).st_size - _HEADER.size
        if len(raw) == _HEADER.size and raw.startswith(_MAGIC):
            _, crc32, size_bytes, compressed_bytes, content, stream = _HEADER.unpack(raw)
            if compressed_bytes == stream_bytes:
                return cls(
                    path=path,
                    sha256=Sha256(content.hex()),
                    crc32=crc32,
                    size_bytes=size_bytes,
                    compressed_bytes=compressed_bytes,
                    compressed_sha256=Sha256(stream.hex()),
                )
        path.unlink(missing_ok=True)
        raise DamagedDeflated(Sha256.of([raw]))

    def chunks(self) -> Iterator[bytes]:
        """Yield the raw deflate stream.

        Raises:
            DamagedDeflated: Another process has pruned the file; or, after the last chunk, the
                stream does not have its digest, and the file is removed.
        """
        hasher = hashlib.sha256()
        try:
            file = self.path.open("rb")
        except FileNotFoundError as error:
            raise DamagedDeflated(self.sha256) from error
        with file:
            file.seek(_HEADER.size)
            for chunk in read_chunks(file, CHUNK_BYTES):
                hasher.update(chunk)
                yield chunk
        if hasher.hexdigest() != self.compressed_sha256.hex:
            self.path.unlink(missing_ok=True)
            raise DamagedDeflated(self.sha256)


def deflate(chunks: Iterable[bytes], into: Path) -> Deflated:
    """Compress a content into a new file, and compute the digests of content and stream."""
    content, stream = hashlib.sha256(), hashlib.sha256()
    crc32 = size_bytes = compressed_bytes = 0
    with into.open("xb") as file:
        file.seek(_HEADER.size)
        encoder = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        pieces = _Pieces()
        for chunk in chunks:
            content.update(chunk)
            crc32 = zlib.crc32(chunk, crc32)
            size_bytes += len(chunk)
            compressed = b"".join(map(encoder.compress, pieces.cut(chunk)))
            stream.update(compressed)
            compressed_bytes += file.write(compressed)
        compressed = encoder.compress(pieces.rest) + encoder.flush()
        stream.update(compressed)
        compressed_bytes += file.write(compressed)
        file.seek(0)
        header = _MAGIC, crc32, size_bytes, compressed_bytes, content.digest(), stream.digest()
        file.write(_HEADER.pack(*header))
    return Deflated(
        path=into,
        sha256=Sha256(content.hexdigest()),
        crc32=crc32,
        size_bytes=size_bytes,
        compressed_bytes=compressed_bytes,
        compressed_sha256=Sha256(stream.hexdigest()),
    )


class _Pieces:
    """Cuts chunks of any size into pieces; the rest of a chunk begins the first piece of the next one.

    Most pieces are views: copies of hundreds of megabytes take 1 % of the time of a build.
    """

    def __init__(self) -> None:
        self.rest = b""

    def cut(self, chunk: bytes) -> Iterator[bytes | memoryview]:
        """Yield the pieces that are complete with this chunk."""
        at = 0
        if self.rest:
            at = PIECE_BYTES - len(self.rest)
            self.rest += chunk[:at]
            if len(self.rest) < PIECE_BYTES:
                return
            yield self.rest
        view = memoryview(chunk)
        end = at + (len(chunk) - at) // PIECE_BYTES * PIECE_BYTES
        for start in range(at, end, PIECE_BYTES):
            yield view[start : start + PIECE_BYTES]
        self.rest = chunk[end:]
