"""Bounded access to the bytes of an executable image.

The readers of ELF, Mach-O and PE headers are our own for three reasons, all
measured on real and hostile files. macholib reads every section into memory
(254 MB for one codex executable). pyelftools finds symbol versions by section
headers, which a loader never reads and a `strip` removes, and follows counts
from the file without bounds. And what reads hostile input should be small
enough to be read itself. Each read here is checked against the file's size and a
limit of its own, so that neither memory nor time depends on what a file claims.
"""

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Self

from factory.core.errors import IntegrityError

_MAX_READ_BYTES = 1 << 22
_MAX_TEXT_BYTES = 4096


class MalformedImage(IntegrityError):
    """An executable image contradicts its format; a check makes a finding of it."""

    hint = "Compare the file with the release package's; a loader would refuse it."

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ImageBytes:
    """A window on a file: reads at offsets, never past the window's end."""

    def __init__(self, file: BinaryIO, *, start: int, size_bytes: int) -> None:
        self._file = file
        self._start = start
        self.size_bytes = size_bytes

    @property
    def start(self) -> int:
        """Where in the file the window starts."""
        return self._start

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Iterator[Self]:
        """Open a whole file.

        Raises:
            MalformedImage: Raised by the reads.
        """
        with path.open("rb") as file:
            yield cls(file, start=0, size_bytes=os.fstat(file.fileno()).st_size)

    def window(self, offset: int, size_bytes: int) -> "ImageBytes":
        """Return a part of it as if it were a file: a slice of a universal Mach-O.

        Raises:
            MalformedImage: The part is not all inside.
        """
        self._require(offset, size_bytes)
        return ImageBytes(self._file, start=self._start + offset, size_bytes=size_bytes)

    def read(self, offset: int, size_bytes: int, *, at_most: int = _MAX_READ_BYTES) -> bytes:
        """Read exactly so many bytes.

        Raises:
            MalformedImage: They are not all inside, or more than any header needs.
        """
        self._require(offset, size_bytes)
        if size_bytes > at_most:
            raise MalformedImage(f"a table of {size_bytes} bytes is larger than any loader's")
        self._file.seek(self._start + offset)
        return self._file.read(size_bytes)

    def chunks(self, offset: int, size_bytes: int, *, chunk_bytes: int) -> Iterator[bytes]:
        """Read a part of any size in pieces, the last one shorter.

        Raises:
            MalformedImage: The part is not all inside.
        """
        self._require(offset, size_bytes)
        end = offset + size_bytes
        for at in range(offset, end, chunk_bytes):
            self._file.seek(self._start + at)
            yield self._file.read(min(chunk_bytes, end - at))

    def unpack(self, layout: str, offset: int) -> tuple[int, ...]:
        """Read integers as `struct` lays them out."""
        return struct.unpack(layout, self.read(offset, struct.calcsize(layout)))

    def text(self, offset: int) -> str:
        """Read a NUL-terminated text; bytes that are no UTF-8 appear escaped.

        Raises:
            MalformedImage: It does not end within 4096 bytes, the longest path of any system.
        """
        size_bytes = max(0, min(_MAX_TEXT_BYTES, self.size_bytes - offset))
        text, end, _ = self.read(offset, size_bytes).partition(b"\0")
        if not end:
            raise MalformedImage(f"the text at offset {offset} has no end")
        return decoded(text)

    def _require(self, offset: int, size_bytes: int) -> None:
        if offset < 0 or size_bytes < 0 or offset + size_bytes > self.size_bytes:
            raise MalformedImage(
                f"{size_bytes} bytes at offset {offset} are asked for, and it has {self.size_bytes}"
            )


def decoded(text: bytes) -> str:
    """Decode a name out of an image so that it can be shown: what is no UTF-8 appears escaped."""
    return text.decode("utf-8", "backslashreplace")
