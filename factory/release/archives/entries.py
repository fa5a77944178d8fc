"""A file of a release package while the package is read, and the limits for packages."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import PurePosixPath

HEAD_BYTES = 4096
"""The minimum size of a file's first chunk, from which the kind of file is determined."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveLimits:
    """The limits for a package.

    Today a release package unpacks to half a gigabyte in fifty files, at a ratio below 3.

    Attributes:
        max_total_bytes: The unpacked size of all files together.
        max_files: The number of members of any kind.
        max_ratio: The ratio of unpacked to packed bytes.
        ratio_floor_bytes: The ratio is not checked up to this unpacked size.
    """

    max_total_bytes: int = 4 << 30
    max_files: int = 20_000
    max_ratio: int = 200
    ratio_floor_bytes: int = 64 << 20


DEFAULT_LIMITS = ArchiveLimits()


class PackageEntry:
    """A regular file of a package; its bytes can be read once, before the next entry is requested.

    Attributes:
        path: The path in the package.
        mode: The permission bits, without setuid, setgid and sticky.
        size_bytes: The exact number of bytes that `chunks` yields.
    """

    __slots__ = ("_is_taken", "_pieces", "mode", "path", "size_bytes")

    def __init__(self, *, path: PurePosixPath, mode: int, size_bytes: int, pieces: Iterator[bytes]) -> None:
        self.path = path
        self.mode = mode & 0o777
        self.size_bytes = size_bytes
        self._pieces = pieces
        self._is_taken = False

    def at(self, path: PurePosixPath) -> "PackageEntry":
        """Return the same file with another path; only one of the two can be read."""
        return PackageEntry(path=path, mode=self.mode, size_bytes=self.size_bytes, pieces=self._pieces)

    def chunks(self) -> Iterator[bytes]:
        """Yield the content without empty chunks; the first has `HEAD_BYTES` if the file is that long.

        Raises:
            IntegrityError: The package ends within the file, or its checksum is wrong.
        """
        if self._is_taken:
            raise RuntimeError(f"{self.path} has already been read: a package is read in one pass")
        self._is_taken = True
        head = b""
        while len(head) < min(HEAD_BYTES, self.size_bytes) and (piece := next(self._pieces, b"")):
            head += piece
        # Not the pieces themselves: closing them early would leave the reader in the middle of the file.
        return chain((head,) if head else (), iter(lambda: next(self._pieces, b""), b""))

    def finish(self) -> None:
        """Read and check the rest of the file without using it."""
        self._is_taken = True
        for _ in self._pieces:
            pass
