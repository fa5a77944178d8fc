"""Compare one stream on several threads with one on one thread, which the other tests compare with zlib."""

import zlib

import pytest

from factory.build.exact_deflate import Library, ParallelCompressor
from tests.deflate_inputs import generate, seeded


def whole(library: Library, content: bytes) -> bytes:
    encoder = library.compressobj()
    return encoder.compress(content) + encoder.flush()


def in_segments(
    library: Library, content: bytes, *, threads: int, segment_bytes: int, piece_bytes: int
) -> bytes:
    encoder = ParallelCompressor(library, threads=threads, segment_bytes=segment_bytes)
    pieces = [content[at : at + piece_bytes] for at in range(0, len(content), piece_bytes)]
    return b"".join(map(encoder.compress, pieces)) + encoder.flush()


@pytest.mark.parametrize("seed", range(60))
def test_generated_inputs_with_seams(library: Library, seed: int) -> None:
    content = generate(seed)
    source = seeded(seed)
    compressed = in_segments(
        library,
        content,
        threads=source.choice((2, 3)),
        segment_bytes=source.choice((max(600, len(content) // 50), 32768, 40_001, 65536)),
        piece_bytes=source.choice((16384, 100_000)),
    )
    assert compressed == whole(library, content)


@pytest.mark.slow
def test_2000_generated_inputs_with_seams_every_64_kib(library: Library) -> None:
    for seed in range(1000, 3000):
        content = generate(seed)
        for threads in (2, 3):
            made = in_segments(library, content, threads=threads, segment_bytes=65536, piece_bytes=100_000)
            assert made == whole(library, content), f"seed {seed}"


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, 65535, 65536, 65537, 66047, 66048, 66049, 131_583])
def test_lengths_around_the_end_of_a_segment(library: Library, size: int) -> None:
    content = seeded(9).randbytes(size // 2).hex().encode() + b"a" * (size % 2)
    made = in_segments(library, content, threads=2, segment_bytes=65536, piece_bytes=1000)
    assert made == whole(library, content)


@pytest.mark.parametrize("content", [bytes(1_500_000), b"ab" * 400_000, seeded(4).randbytes(400_000)])
def test_parses_that_never_meet(library: Library, content: bytes) -> None:
    made = in_segments(library, content, threads=2, segment_bytes=65536, piece_bytes=100_000)
    assert made == whole(library, content)


def test_a_finished_stream_is_refused(library: Library) -> None:
    encoder = ParallelCompressor(library, threads=2)
    assert encoder.compress(b"hello") + encoder.flush() == b"\xcbH\xcd\xc9\xc9\x07\x00"
    with pytest.raises(zlib.error):
        encoder.flush()
    with pytest.raises(zlib.error):
        encoder.compress(b"more")
