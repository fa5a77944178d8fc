"""Bulk for fabricated files: bytes that depend on a seed alone."""

import hashlib

_WORDS = tuple(b"%03d %x " % (byte, byte & 7) for byte in range(256))


def filler(size_bytes: int, *, seed: str, is_compressible: bool = True) -> bytes:
    """Return so many bytes: words that deflate to about a third, or noise that does not deflate.

    They begin with the seed, so that a person sees in a hex dump what a file is.
    """
    if is_compressible:
        noise = hashlib.shake_256(seed.encode()).digest(size_bytes // 6 + 1)
        bulk = b"".join(map(_WORDS.__getitem__, noise))
    else:
        bulk = hashlib.shake_256(seed.encode()).digest(size_bytes)
    return (seed.encode() + b"\n" + bulk)[:size_bytes]


def aligned(value: int, align: int) -> int:
    """Round up to a multiple."""
    return -(-value // align) * align
