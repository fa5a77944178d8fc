"""Inputs at the edges of zlib's rules, and the digest of zlib's output for each group of them.

They need no zlib to compare with: the one of this interpreter may be zlib-ng. The inputs are those
that found errors in encoders like this one.
"""

import hashlib
from collections.abc import Callable, Iterator
from typing import Protocol

PIECE_BYTES = 16384
"""The pieces that the input is cut into. zlib's output depends on the pieces; those that divide 32 KiB give
the output of the whole input at once."""

_SLIDES = (32506, 65274, 98042)
_FARTHEST = 32506


class Encoder(Protocol):
    """What `zlib.compressobj` returns."""

    def compress(self, data: bytes, /) -> bytes:
        """Compress a part of the input."""

    def flush(self) -> bytes:
        """Finish the stream."""


def noise(size: int, *, symbols: int, seed: int = 0) -> bytes:
    """Return bytes of an alphabet. Alphabets of at most 64 give coded blocks; of 256, stored ones."""
    return (
        hashlib.shake_128(seed.to_bytes(4, "big"))
        .digest(size)
        .translate(bytes(value % symbols for value in range(256)))
    )


def _lengths() -> Iterator[bytes]:
    """Every short length: the end of the input bounds the matches."""
    for size in range(40):
        yield noise(size, symbols=3, seed=size)
        yield b"ab" * size


def _periods() -> Iterator[bytes]:
    """Repeated units around the lengths that a match can have."""
    for period in (1, 2, 3, 4, 5, 7, 127, 128, 129, 256, 257, 258, 259, 300):
        yield (noise(period, symbols=64) * 3000)[:3000]


def _slides() -> Iterator[bytes]:
    """Lengths around the positions where the window slides."""
    for size in _SLIDES:
        for more in (1, 262):
            yield noise(size + more, symbols=64, seed=more)


def _far_candidates() -> Iterator[bytes]:
    """The only earlier place of some bytes is at the greatest distance, or just beyond."""
    unit = b"<the far candidate>"
    for at in (0, 1, 32768):
        for distance in (_FARTHEST - 1, _FARTHEST, _FARTHEST + 1):
            for rest in (0, 300):
                content = bytearray(noise(at + distance + len(unit) + rest, symbols=48))
                content[at : at + len(unit)] = content[at + distance : at + distance + len(unit)] = unit
                yield bytes(content)


def _triples() -> Iterator[bytes]:
    """Three equal bytes around the distance from which zlib drops them."""
    for distance in range(4094, 4099):
        content = bytearray(noise(12000, symbols=200))
        content[100:103] = content[100 + distance : 103 + distance] = b"\xfd\xfe\xff"
        yield bytes(content)


def _chains() -> Iterator[bytes]:
    """Units with a changing rest: more candidates than zlib looks at, 128 or 32."""
    for size in range(3, 15):
        unit = bytes(range(200, 200 + size))
        rests = noise(8000, symbols=64, seed=size)
        yield b"".join(unit + rests[at : at + 1 + at % 5] for at in range(0, 8000, 5))


def _mixtures() -> Iterator[bytes]:
    """Zeros, noise, digits, records and copies."""
    for seed in range(6):
        records = b"".join(
            value.to_bytes(4, "little") + b"\x08\0\0\0" for value in noise(4000, symbols=7, seed=seed)
        )
        digits = noise(30000, symbols=10, seed=seed)
        mixed = records + bytes(20000 * seed) + digits + noise(9000, symbols=256, seed=seed) + records[:9000]
        yield mixed + mixed[seed:50000] + digits[::2]


Group = tuple[str, Callable[[], Iterator[bytes]], str]
"""Name, inputs and answer of a group."""

GROUPS: tuple[Group, ...] = (
    ("short lengths", _lengths, "4024265d2491f1ded6efddb6a6f560b680681ef18d94ded4ce8d02af6a62c966"),
    ("periods", _periods, "fe17ae3197b57e86d54c3048771d1598ddbbc6325f856799c6f4e832bd2588e1"),
    ("sliding windows", _slides, "a5cd66eacd899ed2bb70faa004e3bf1fac8f09a5dcbfa9cd5f7ab7f1033ad111"),
    ("far candidates", _far_candidates, "80b86d75d21d700cc58371761c43b0f598b7554dded7403bd74d5185f9b55f71"),
    ("far triples", _triples, "966cd5a8972d8dddf0987ef4c7c1a5daced9ea5af6ca50199ef175d88eefee48"),
    ("long chains", _chains, "a988509322279b4400be52a725696404a1a8ef6c2eeb187f701ea10d60643ce9"),
    ("mixtures", _mixtures, "3076ccc810f37e62a84f833e318c887739034167bf30e549f1234ab63d06281b"),
)
"""The answers are stock zlib's, measured with 1.2.13."""


def answer(inputs: Iterator[bytes], compressobj: Callable[[], Encoder]) -> str:
    """Return the digest of the compressed inputs, in hexadecimal."""
    hasher = hashlib.sha256()
    for content in inputs:
        encoder = compressobj()
        for start in range(0, len(content), PIECE_BYTES):
            hasher.update(encoder.compress(content[start : start + PIECE_BYTES]))
        hasher.update(encoder.flush())
    return hasher.hexdigest()


def probe(compressobj: Callable[[], Encoder]) -> str | None:
    """Return the first group for which an encoder gives other bytes than zlib; None if there is none."""
    for name, inputs, expected in GROUPS:
        if answer(inputs(), compressobj) != expected:
            return name
    return None
