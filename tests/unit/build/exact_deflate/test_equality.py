"""Compare with the zlib of this interpreter, which must be stock zlib."""

import random
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factory.build.deflate_check import deflate_identity
from factory.build.exact_deflate import Library
from tests.deflate_inputs import EDGES, generate, seeded

pytestmark = pytest.mark.skipif(not deflate_identity().is_reference, reason="this Python has another zlib")


def with_zlib(content: bytes) -> bytes:
    encoder = zlib.compressobj(6, zlib.DEFLATED, -15)
    return encoder.compress(content) + encoder.flush()


def in_pieces(library: Library, content: bytes, source: random.Random, longest: int) -> bytes:
    encoder = library.compressobj()
    compressed, at = b"", 0
    while at < len(content):
        piece = content[at : at + source.randrange(1, longest + 1)]
        compressed += encoder.compress(piece)
        at += len(piece)
    return compressed + encoder.flush()


def whole(library: Library, content: bytes) -> bytes:
    encoder = library.compressobj()
    return encoder.compress(content) + encoder.flush()


@pytest.mark.parametrize("seed", range(60))
def test_generated_inputs_in_random_pieces(library: Library, seed: int) -> None:
    content = generate(seed)
    source = seeded(seed)
    longest = source.choice((max(1, len(content) // 500), 16384, 70_000, 400_000))
    assert in_pieces(library, content, source, longest) == with_zlib(content)


@pytest.mark.slow
def test_20000_generated_inputs(library: Library) -> None:
    for seed in range(1000, 21_000):
        content = generate(seed)
        assert whole(library, content) == with_zlib(content), f"seed {seed}"


def test_every_short_length(library: Library) -> None:
    alphabet = seeded(1).randbytes(4)
    content = bytes(alphabet[value & 3] for value in seeded(2).randbytes(600))
    for size in range(601):
        assert whole(library, content[:size]) == with_zlib(content[:size]), f"{size} bytes"
        assert whole(library, bytes(size)) == with_zlib(bytes(size)), f"{size} zeros"


@pytest.mark.parametrize("edge", EDGES)
def test_lengths_around_the_edges_of_the_window(library: Library, edge: int) -> None:
    alphabet = seeded(edge).randbytes(64)
    content = bytes(alphabet[value & 63] for value in seeded(edge).randbytes(edge + 263))
    for size in (*range(edge - 4, edge + 5), *range(edge + 258, edge + 264), edge - 263, edge - 262):
        assert whole(library, content[:size]) == with_zlib(content[:size]), f"{size} bytes"


@pytest.mark.parametrize("at", [0, 1, 32767, 32768, 32769, 65536])
@pytest.mark.parametrize("rest", [0, 200, 260, 261, 262, 300])
def test_a_candidate_at_the_greatest_distance(library: Library, at: int, rest: int) -> None:
    unit = b"<the far candidate>"
    alphabet = seeded(at).randbytes(48)
    for distance in (32505, 32506, 32507):
        noise = seeded(rest).randbytes(at + distance + len(unit) + rest)
        content = bytearray(alphabet[value % 48] for value in noise)
        content[at : at + len(unit)] = content[at + distance : at + distance + len(unit)] = unit
        assert whole(library, bytes(content)) == with_zlib(bytes(content)), f"at {distance}"


@settings(max_examples=150, deadline=None)
@given(
    parts=st.lists(
        st.tuples(st.binary(min_size=1, max_size=40), st.integers(1, 400), st.integers(0, 3)), max_size=30
    ),
    longest=st.integers(1, 5000),
)
def test_repeated_parts(library: Library, parts: list[tuple[bytes, int, int]], longest: int) -> None:
    content = b"".join(part * times + bytes(zeros) for part, times, zeros in parts)
    assert in_pieces(library, content, seeded(longest), longest) == with_zlib(content)


def test_zeros_and_noise(library: Library) -> None:
    for content in (bytes(2_000_000), seeded(1).randbytes(500_000)):
        assert whole(library, content) == with_zlib(content)


def test_the_input_in_pieces_that_divide_the_window_equals_the_whole_input() -> None:
    content = generate(3, limit=200_000) + generate(7)
    for size in (8192, 16384, 32768):
        encoder = zlib.compressobj(6, zlib.DEFLATED, -15)
        pieces = [encoder.compress(content[at : at + size]) for at in range(0, len(content), size)]
        assert b"".join(pieces) + encoder.flush() == with_zlib(content)


def test_zlibs_own_bytes_depend_on_the_pieces(library: Library) -> None:
    """A first piece that ends 261 bytes after 65274 makes zlib slide its window one position earlier."""
    unit = bytes(range(1, 39, 2))  # odd among even bytes: no other place has the same hash
    content = bytearray(2 * (value % 64) for value in seeded(6).randbytes(70_000))
    content[32768 : 32768 + len(unit)] = content[65274 : 65274 + len(unit)] = unit
    encoder = zlib.compressobj(6, zlib.DEFLATED, -15)
    cut = (
        encoder.compress(content[: 65274 + 261]) + encoder.compress(content[65274 + 261 :]) + encoder.flush()
    )
    assert cut != with_zlib(bytes(content))
    assert whole(library, bytes(content)) == with_zlib(bytes(content))
    two = library.compressobj()
    assert (
        two.compress(content[: 65274 + 261]) + two.compress(content[65274 + 261 :]) + two.flush()
    ) == with_zlib(bytes(content))
