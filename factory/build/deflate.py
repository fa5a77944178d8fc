"""Deflated contents: made once per distinct content, kept, and verified on every read.

Deflate is nearly all the time of a build. Its output depends on the content, the
encoder, the level, and on nothing else that differs between wheels; so a member
that two wheels, two releases or two audits share is compressed once.
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
"""What hatchling hands to the encoder at a time. zlib refills its window by what it is handed, so the
piece size is kept the same rather than trusted not to matter."""

_HEADER = struct.Struct("<8sLQQ32s32s")
_MAGIC = b"cwf-dfl1"


class DamagedDeflated(IntegrityError):
    """A kept deflated content is not what was written."""

    hint = "It has been removed; run the same command again."

    def __init__(self, content: Sha256) -> None:
        super().__init__(f"the deflate store's entry for {content} is damaged or gone")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deflated:
    """A content in deflated form, in a file.

    Attributes:
        path: The file: a header, then the raw deflate stream.
        sha256: The content's digest.
        crc32: The content's CRC-32, as zip headers have it.
        size_bytes: The content's size.
        compressed_bytes: The stream's size.
        compressed_sha256: The stream's digest, checked whenever the stream is read.
    """

    path: Path
    sha256: Sha256
    crc32: int
    size_bytes: int
    compressed_bytes: int
    compressed_sha256: Sha256

    @classmethod
    def open(cls, path: Path) -> Self:
        """Read the header of a kept content.

        Raises:
            FileNotFoundError: Nothing is kept there.
            DamagedDeflated: The header is not one, or the file has another size than it says.
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
            DamagedDeflated: The file is gone, since another process pruned it; or, after the last chunk,
                the stream is not what was written, and it is removed.
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
    """Deflate a content into a file, digesting both sides on the way.

    Args:
        chunks: The content.
        into: Where to write; created exclusively.
    """
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
    """Cuts chunks of any size into whole pieces; what is left of one chunk begins the next one's first.

    Whole pieces are views: hundreds of megabytes go through here, and a copy of each costs
    a hundredth of a build.
    """

    def __init__(self) -> None:
        self.rest = b""

    def cut(self, chunk: bytes) -> Iterator[bytes | memoryview]:
        """Yield the pieces that are whole with this chunk."""
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
