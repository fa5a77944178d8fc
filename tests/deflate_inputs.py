"""Generate inputs that are hard for an encoder that must give zlib's bytes, from a seed."""

import random
from collections.abc import Callable

EDGES = (32506, 32768, 65274, 65280, 98042, 98304)
"""Where zlib's window slides, or its greatest distance ends."""


def seeded(seed: int) -> random.Random:
    """Return a source of numbers that are the same every time."""
    return random.Random(seed)  # noqa: S311 -- not a secret


def generate(seed: int, *, limit: int = 300_000) -> bytes:
    """Return one input: a mixture of pieces, of a length that is short, near an edge, or any."""
    source = seeded(seed)
    size = min(limit, _size(source, limit))
    content = bytearray()
    while len(content) < size:
        if len(content) > 100 and source.random() < 0.3:
            start = source.randrange(len(content))
            content += content[start : start + source.randrange(1, 2000)]
        else:
            piece = (
                source.choice((10, 300, 3000, 30_000, size)) if size > 300 else source.randrange(1, size + 1)
            )
            content += source.choice(KINDS)(source, piece)
    return bytes(content[:size])


def _size(source: random.Random, limit: int) -> int:
    match source.randrange(4):
        case 0:
            return source.randrange(601)
        case 1:
            return source.choice(EDGES) + source.randrange(-263, 264)
        case 2:
            return source.randrange(20_000)
        case _:
            return source.randrange(limit)


def _zeros(_source: random.Random, size: int) -> bytes:
    return bytes(size)


def _noise(source: random.Random, size: int) -> bytes:
    """Bytes of an alphabet; with 256 symbols they become stored blocks."""
    alphabet = source.randbytes(source.choice((2, 3, 4, 10, 16, 64, 64, 256)))
    return bytes(alphabet[value % len(alphabet)] for value in source.randbytes(size))


def _period(source: random.Random, size: int) -> bytes:
    unit = source.randbytes(source.randrange(1, 301))
    return (unit * (size // len(unit) + 1))[:size]


def _long_chains(source: random.Random, size: int) -> bytes:
    """A unit with a changing rest: more candidates than zlib looks at."""
    unit = source.randbytes(source.randrange(3, 15))
    return _joined(size, lambda: unit + source.randbytes(source.randrange(6)))


def _far_triples(source: random.Random, size: int) -> bytes:
    """Three bytes repeated around the distance from which zlib drops them."""
    triple = source.randbytes(3)
    return _joined(size, lambda: triple + source.randbytes(source.randrange(4090, 4097)))


def _copies(source: random.Random, size: int) -> bytes:
    content = bytearray(source.randbytes(40))
    while len(content) < size:
        start = len(content) - source.randrange(1, min(len(content), 32768) + 1)
        content += content[start : start + source.randrange(3, 40)]
        content += source.randbytes(source.choice((0, 0, 1, 2, 3)))
    return bytes(content[:size])


def _records(source: random.Random, size: int) -> bytes:
    numbers = iter(range(size))
    return _joined(
        size,
        lambda: (
            source.randrange(512).to_bytes(4, "little")
            + (next(numbers) * 24).to_bytes(4, "little")
            + b"\x08\0\0\0"
        ),
    )


def _words(source: random.Random, size: int) -> bytes:
    words = [source.randbytes(source.randrange(1, 9)) for _ in range(source.choice((4, 20, 200)))]
    return _joined(size, lambda: source.choice(words))


def _far_candidate(source: random.Random, size: int) -> bytes:
    """Some bytes that were there once before, at about the greatest distance."""
    alphabet, unit = source.randbytes(64), source.randbytes(20)
    content = bytearray(alphabet[value & 63] for value in source.randbytes(size))
    distance = source.choice((32504, 32505, 32506, 32507, 32768))
    if size > distance + 40:
        at = source.randrange(size - distance - 40)
        content[at : at + 20] = content[at + distance : at + distance + 20] = unit
    return bytes(content)


def _joined(size: int, part: Callable[[], bytes]) -> bytes:
    content = bytearray()
    while len(content) < size:
        content += part()
    return bytes(content[:size])


KINDS = (
    _zeros, _noise, _noise, _period, _long_chains, _far_triples, _copies, _records, _words, _far_candidate,
)  # fmt: skip
