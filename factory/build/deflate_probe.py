"""Print how this interpreter compresses; it needs only the standard library, also of old versions.

`factory.build.deflate_check` imports this module, and runs it as a file with the interpreter of a
toolchain, where the factory is not installed: ``python -I deflate_probe.py``.
"""

import hashlib
import json
import platform
import sys
import zlib
from collections.abc import Iterator

LEVEL = 6
PIECE_BYTES = 16384

# Too short for a Huffman table of its own: a fixed block.
_SHORT = b"codex codex"
_WORDS = (b"codex ", b"wheel ", b"factory ", b"deflate ", b"\x00\x00\x00\x00", b"the ", b"\x7fELF", b"\n")


def answer() -> str:
    """Return the SHA-256 of the compressed corpus: level 6, raw, in pieces as hatchling writes them."""
    hasher = hashlib.sha256()
    for section in (_SHORT, _text(), _noise(), _runs(), _records()):
        compressor = zlib.compressobj(LEVEL, zlib.DEFLATED, -15)
        for start in range(0, len(section), PIECE_BYTES):
            hasher.update(compressor.compress(section[start : start + PIECE_BYTES]))
        hasher.update(compressor.flush())
    return hasher.hexdigest()


def _numbers(seed: int) -> Iterator[int]:
    """Yield the numbers of a linear congruential generator; `random` differs between Python versions."""
    state = seed
    while True:
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        yield state >> 12


def _text() -> bytes:
    """Return words in random order: dynamic Huffman blocks, matches of many lengths, lazy matching."""
    numbers = _numbers(1)
    return b"".join(_WORDS[next(numbers) % len(_WORDS)] for _ in range(40000))


def _noise() -> bytes:
    """Return incompressible bytes: stored blocks."""
    numbers = _numbers(2)
    return bytes(next(numbers) & 0xFF for _ in range(80000))


def _runs() -> bytes:
    """Return long runs and distant repetitions: the longest matches, and the edge of the window."""
    noise = _noise()[:3000]
    return b"\x00" * 70000 + noise + b"\xff" * 29000 + noise + b"a" * 300 + noise


def _records() -> bytes:
    """Return small records that differ in few bytes, as in relocation tables: short, lazy matches."""
    numbers = _numbers(3)
    return b"".join(
        (next(numbers) % 512).to_bytes(4, "little") + (index * 24).to_bytes(4, "little") + b"\x08\x00\x00\x00"
        for index in range(12000)
    )


def describe() -> dict[str, str]:
    """Return the interpreter, its zlib and the answer."""
    zlib_ng = str(getattr(zlib, "ZLIBNG_VERSION", ""))
    return {
        "executable": sys.executable,
        "implementation": platform.python_implementation(),
        "python": platform.python_version(),
        "name": "zlib-ng" if zlib_ng else "zlib",
        "version": zlib_ng or zlib.ZLIB_RUNTIME_VERSION,
        "answer": answer(),
    }


if __name__ == "__main__":
    json.dump(describe(), sys.stdout)
