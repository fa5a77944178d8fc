"""Check the streams of an encoder that is not zlib."""

import secrets
import zlib
from collections.abc import Iterator, Sequence

from factory.build.deflate import PIECE_BYTES, Deflated
from factory.build.deflate_check import deflate_identity
from factory.build.encoder import ZLIB, Encoder, EncoderDiffers

LARGE_BYTES = 16 << 20
"""The least size of a file for the sample."""
SAMPLE_BYTES = 16 << 20
"""How much of the file is compressed again by zlib, in half a second."""


def require_sample_like_zlib(contents: Sequence[Deflated], encoder: Encoder) -> None:
    """Compare the beginning of one random large file with zlib.

    A host with another zlib has nothing to compare with; there the known answers of the encoder count.

    Raises:
        EncoderDiffers: zlib gives other bytes.
        DamagedDeflated: The compressed file is damaged.
    """
    large = [content for content in contents if content.size_bytes >= LARGE_BYTES]
    if large and deflate_identity().is_reference:
        require_like_zlib(secrets.choice(large), encoder, sample_bytes=SAMPLE_BYTES)


def require_like_zlib(deflated: Deflated, encoder: Encoder, *, sample_bytes: int) -> None:
    """Compare the beginning of a compressed file with what zlib writes for its content.

    Raises:
        EncoderDiffers: zlib gives other bytes.
        DamagedDeflated: The compressed file is damaged.
    """
    chunks = deflated.chunks()
    try:
        stream, expected = _sample(chunks, sample_bytes)
    except zlib.error:
        stream, expected = b"", None
    if stream == expected:
        return
    for _ in chunks:  # a damaged file has the wrong CRC-32, which is known at its end
        pass
    raise EncoderDiffers(
        f"{encoder.label} gives other bytes than zlib for the file with SHA-256 {deflated.sha256}"
    )


def _sample(chunks: Iterator[bytes], sample_bytes: int) -> tuple[bytes, bytes]:
    """Return the beginning of a stream, and what zlib writes for its content.

    Raises:
        zlib.error: The stream cannot be inflated.
    """
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    compressor = ZLIB.start()
    stream, content, expected = bytearray(), bytearray(), bytearray()
    for chunk in chunks:
        stream += chunk
        content += inflater.decompress(chunk)
        if len(content) >= sample_bytes:
            break
    for start in range(0, min(len(content), sample_bytes), PIECE_BYTES):
        expected += compressor.compress(content[start : min(start + PIECE_BYTES, sample_bytes)])
    if inflater.eof and len(content) <= sample_bytes:
        expected += compressor.flush()
    else:
        del stream[len(expected) :]  # what zlib has not written yet
    return bytes(stream), bytes(expected)
