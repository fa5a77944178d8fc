"""Bounded access to the bytes of an executable image.

This project has its own readers of ELF, Mach-O and PE headers for three reasons, all measured
on real and hostile files. macholib reads every section into memory (254 MB for one codex
executable). pyelftools finds symbol versions by section headers, which a loader ignores and
`strip` removes, and follows counts in the file without bounds. And a reader of hostile input
should be small enough to review. Each read here is checked against the size of the file and a
fixed limit, so that memory and time do not depend on what a file claims.
"""

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Self

from factory.core.counted import counted
from factory.core.errors import IntegrityError

_MAX_READ_BYTES = 1 << 22
_MAX_TEXT_BYTES = 4096


class MalformedImage(IntegrityError):
    """An executable image is not valid; a check reports it as a finding."""

    hint = "Compare the file with the one in the release package; a loader would reject it."

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ImageBytes:
    """A file, or a part of one, that is read at offsets and never beyond its end."""

    def __init__(self, file: BinaryIO, *, start: int, size_bytes: int) -> None:
        self._file = file
        self.start = start
        self.size_bytes = size_bytes

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Iterator[Self]:
        """Open a whole file."""
        with path.open("rb") as file:
            yield cls(file, start=0, size_bytes=os.fstat(file.fileno()).st_size)

    def window(self, offset: int, size_bytes: int) -> "ImageBytes":
        """Return a part as if it were a file, for example a slice of a universal Mach-O.

        Raises:
            MalformedImage: The part ends beyond the end of the file.
        """
        self._require(offset, size_bytes)
        return ImageBytes(self._file, start=self.start + offset, size_bytes=size_bytes)

    def read(self, offset: int, size_bytes: int, *, at_most: int = _MAX_READ_BYTES) -> bytes:
        """Read this number of bytes.

        Raises:
            MalformedImage: They end beyond the end of the file, or are more than any header needs.
        """
        self._require(offset, size_bytes)
        if size_bytes > at_most:
            raise MalformedImage(f"a table of {counted(size_bytes, 'byte')} is too large for a loader")
        self._file.seek(self.start + offset)
        return self._file.read(size_bytes)

    def chunks(self, offset: int, size_bytes: int, *, chunk_bytes: int) -> Iterator[bytes]:
        """Read a part of any size in chunks; the last one may be shorter.

        Raises:
            MalformedImage: The part ends beyond the end of the file.
        """
        self._require(offset, size_bytes)
        end = offset + size_bytes
        for at in range(offset, end, chunk_bytes):
            self._file.seek(self.start + at)
            yield self._file.read(min(chunk_bytes, end - at))

    def unpack(self, layout: str, offset: int) -> tuple[int, ...]:
        """Read integers in a `struct` format."""
        return struct.unpack(layout, self.read(offset, struct.calcsize(layout)))

    def text(self, offset: int) -> str:
        """Read a NUL-terminated string; bytes that are not UTF-8 are escaped.

        Raises:
            MalformedImage: It does not end within 4096 bytes, the longest path of any system.
        """
        size_bytes = max(0, min(_MAX_TEXT_BYTES, self.size_bytes - offset))
        text, end, _ = self.read(offset, size_bytes).partition(b"\0")
        if not end:
            raise MalformedImage(f"the string at offset {offset} does not end")
        return decoded(text)

    def _require(self, offset: int, size_bytes: int) -> None:
        if offset < 0 or size_bytes < 0 or offset + size_bytes > self.size_bytes:
            raise MalformedImage(
                f"{counted(size_bytes, f'byte at offset {offset} is', f'bytes at offset {offset} are')}"
                f" beyond its end at {self.size_bytes}"
            )


def decoded(text: bytes) -> str:
    """Decode a name from an image; bytes that are not UTF-8 are escaped."""
    return text.decode("utf-8", "backslashreplace")
