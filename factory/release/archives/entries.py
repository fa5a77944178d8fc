"""One file of a release package while the package is read, and how much a package may hold."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import PurePosixPath

HEAD_BYTES = 4096
"""How much of a file its first chunk holds at least, so that the chunk tells what the file is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveLimits:
    """How much a package may ask of this machine.

    A release package of today unpacks to half a gigabyte in fifty files, at a ratio below 3.

    Attributes:
        max_total_bytes: All files together, unpacked.
        max_files: Members of any kind.
        max_ratio: Unpacked bytes for each packed byte.
        ratio_floor_bytes: Below this much unpacked the ratio is of no concern.
    """

    max_total_bytes: int = 4 << 30
    max_files: int = 20_000
    max_ratio: int = 200
    ratio_floor_bytes: int = 64 << 20


DEFAULT_LIMITS = ArchiveLimits()


class PackageEntry:
    """A regular file of a package; its bytes can be read once, before the next entry is asked for.

    Attributes:
        path: Where it is in the package.
        mode: The permission bits that the package gives, without setuid, setgid and sticky.
        size_bytes: Its size, which `chunks` keeps to.
    """

    __slots__ = ("_is_taken", "_pieces", "mode", "path", "size_bytes")

    def __init__(self, *, path: PurePosixPath, mode: int, size_bytes: int, pieces: Iterator[bytes]) -> None:
        self.path = path
        self.mode = mode & 0o777
        self.size_bytes = size_bytes
        self._pieces = pieces
        self._is_taken = False

    def at(self, path: PurePosixPath) -> "PackageEntry":
        """Return the same file under another path; only one of the two can be read."""
        return PackageEntry(path=path, mode=self.mode, size_bytes=self.size_bytes, pieces=self._pieces)

    def chunks(self) -> Iterator[bytes]:
        """Yield the content, never an empty chunk; the first has `HEAD_BYTES` if the file has them.

        Raises:
            DamagedPackage: The package ends within the file, or its checksum is wrong.
        """
        if self._is_taken:
            raise RuntimeError(f"{self.path} has been read already: a package is read in one pass")
        self._is_taken = True
        head = b""
        while len(head) < min(HEAD_BYTES, self.size_bytes) and (piece := next(self._pieces, b"")):
            head += piece
        # Not the pieces themselves: who closes them early would leave the reader in the file's middle.
        return chain((head,) if head else (), iter(lambda: next(self._pieces, b""), b""))

    def finish(self) -> None:
        """Pass over whatever was not read; it is checked all the same."""
        self._is_taken = True
        for _ in self._pieces:
            pass
