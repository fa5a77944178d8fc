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
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from factory.build.encoder import ZLIB, Compressor, Encoder, EncoderDiffers
from factory.core.digests import CHUNK_BYTES, Sha256, read_chunks
from factory.release.archives.inflate import fast_crc32, fast_deflate_codec
from factory.system.cache import DamagedEntry
from factory.system.entries import open_entry, remove_entry
from factory.system.files import CannotWrite, reading, writing, written

PIECE_BYTES = 16384
"""The number of bytes that hatchling passes to the encoder at once. The pieces decide how zlib refills its
window, so that another size might change the output."""

_FIELDS = struct.Struct("<8sLQQ32sL")
_CHECKSUM = struct.Struct("<L")  # the CRC-32 of the fields
_HEADER_BYTES = _FIELDS.size + _CHECKSUM.size
_MAGIC = b"cwf-dfl3"


class DamagedDeflated(DamagedEntry):
    """A compressed file is not what was written, or gone."""

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
        compressed_crc32: The CRC-32 of the stream, checked whenever the stream is read. It finds damage; a
            cryptographic digest would find no more, because whoever can write the file can write both.
            What a wheel contains is compared with the release's digests when the wheel is verified.
    """

    path: Path
    sha256: Sha256
    crc32: int
    size_bytes: int
    compressed_bytes: int
    compressed_crc32: int

    @classmethod
    def open(cls, path: Path) -> Self:
        """Read the header of a compressed file.

        Raises:
            DamagedDeflated: There is no usable file, the header is not valid, or the file does not
                have the size in it.
        """
        opened = open_entry(path)
        if opened is None:
            raise DamagedDeflated(Sha256.of([b""]))
        with opened as file, reading(path):
            raw = file.read(_HEADER_BYTES)
            stream_bytes = os.fstat(file.fileno()).st_size - _HEADER_BYTES
        fields, checksum = raw[: _FIELDS.size], raw[_FIELDS.size :]
        if fields.startswith(_MAGIC) and checksum == _CHECKSUM.pack(zlib.crc32(fields)):
            _, crc32, size_bytes, compressed_bytes, content, compressed_crc32 = _FIELDS.unpack(fields)
            if compressed_bytes == stream_bytes:
                return cls(
                    path=path,
                    sha256=Sha256(content.hex()),
                    crc32=crc32,
                    size_bytes=size_bytes,
                    compressed_bytes=compressed_bytes,
                    compressed_crc32=compressed_crc32,
                )
        raise _removed(path, Sha256.of([raw]))

    def chunks(self) -> Iterator[bytes]:
        """Yield the raw deflate stream.

        Raises:
            DamagedDeflated: The file is gone; or, after the last chunk, the stream does not have its CRC-32.
        """
        crc32_of, crc32 = fast_crc32(), 0
        file = open_entry(self.path)
        if file is None:
            raise DamagedDeflated(self.sha256)
        with file, reading(self.path):
            file.seek(_HEADER_BYTES)
            for chunk in read_chunks(file, CHUNK_BYTES):
                crc32 = crc32_of(chunk, crc32)
                yield chunk
        if crc32 != self.compressed_crc32:
            raise _removed(self.path, self.sha256)


def _removed(path: Path, content: Sha256) -> DamagedDeflated:
    """Remove a damaged file, so that no later run finds it, and return the error."""
    with suppress(CannotWrite):
        remove_entry(path)
    return DamagedDeflated(content)


def deflate(chunks: Iterable[bytes], into: Path, encoder: Encoder = ZLIB, *, threads: int = 1) -> Deflated:
    """Compress a content into a new file, and compute its digest and the checksums of content and stream.

    Args:
        chunks: The content.
        into: The new file.
        encoder: Gives zlib's bytes.
        threads: How many threads may work, this one included; zlib uses one.

    Raises:
        EncoderDiffers: The encoder is not zlib, and its stream does not inflate to the content.
        CannotWrite: There is no room.
    """
    content, crc32_of = hashlib.sha256(), fast_crc32()
    crc32 = size_bytes = compressed_crc32 = compressed_bytes = 0
    with writing(into):
        opened = into.open("xb")
    with written(opened, into) as file:

        def write(compressed: bytes) -> int:
            nonlocal compressed_crc32
            compressed_crc32 = crc32_of(compressed, compressed_crc32)
            with writing(into):  # not around the loop: errors of the source are not about this file
                return file.write(compressed)

        file.seek(_HEADER_BYTES)
        compressor = _InPieces(encoder.start()) if encoder.is_zlib else _Inflated(encoder, threads)
        for chunk in chunks:
            content.update(chunk)
            crc32 = crc32_of(chunk, crc32)
            size_bytes += len(chunk)
            compressed_bytes += write(compressor.compress(chunk))
        compressed_bytes += write(compressor.flush())
        if isinstance(compressor, _Inflated):
            compressor.require(crc32=crc32, size_bytes=size_bytes)
        header = _MAGIC, crc32, size_bytes, compressed_bytes, content.digest(), compressed_crc32
        fields = _FIELDS.pack(*header)
        with writing(into):
            file.seek(0)
            file.write(fields + _CHECKSUM.pack(zlib.crc32(fields)))
    return Deflated(
        path=into,
        sha256=Sha256(content.hexdigest()),
        crc32=crc32,
        size_bytes=size_bytes,
        compressed_bytes=compressed_bytes,
        compressed_crc32=compressed_crc32,
    )


class _InPieces:
    """Gives zlib the pieces that decide its output, whatever the chunks are."""

    def __init__(self, compressor: Compressor) -> None:
        self._compressor = compressor
        self._pieces = _Pieces()

    def compress(self, chunk: bytes) -> bytes:
        return b"".join(map(self._compressor.compress, self._pieces.cut(chunk)))

    def flush(self) -> bytes:
        return self._compressor.compress(self._pieces.rest) + self._compressor.flush()


class _Inflated:
    """Inflates an encoder's stream while it is written. The pieces do not matter to this encoder."""

    def __init__(self, encoder: Encoder, threads: int) -> None:
        self._encoder = encoder
        self._compressor = encoder.start_on(threads)
        self._codec = fast_deflate_codec()
        self._inflater = self._codec.start()
        self._crc32_of = fast_crc32()
        self._crc32 = self._size_bytes = 0

    def compress(self, chunk: bytes) -> bytes:
        return self._checked(self._compressor.compress(chunk))

    def flush(self) -> bytes:
        return self._checked(self._compressor.flush())

    def require(self, *, crc32: int, size_bytes: int) -> None:
        """Require that the stream has ended, and that it is the content."""
        inflated = (self._crc32, self._size_bytes, self._inflater.eof, self._inflater.unused_data)
        if inflated != (crc32, size_bytes, True, b""):
            raise self._differs()

    def _checked(self, compressed: bytes) -> bytes:
        if not compressed:
            return b""
        try:
            content = self._inflater.decompress(compressed, -1)
        except self._codec.failures as error:
            raise self._differs() from error
        self._crc32 = self._crc32_of(content, self._crc32)
        self._size_bytes += len(content)
        return compressed

    def _differs(self) -> EncoderDiffers:
        return EncoderDiffers(f"{self._encoder.label} wrote a stream that does not inflate to its input")


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
