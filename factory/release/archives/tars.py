"""A strict reader of tar streams (POSIX pax interchange format, and GNU's long names).

The standard library parses the headers. Its complete reader cannot be used: it treats a
damaged header in the middle as the end of the archive, keeps extended headers of any size
in memory, and does not show what follows the last member.
"""

import re
import tarfile
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Final

from factory.release.archives.entries import PackageEntry
from factory.release.archives.guard import Guard

_BLOCK: Final = tarfile.BLOCKSIZE
_ZEROS: Final = bytes(_BLOCK)
_MAX_EXTENDED_BYTES: Final = 1 << 16
_MAX_PADDING_BYTES: Final = 1 << 20
_RECORD: Final = re.compile(rb"(\d{1,5}) ([^=\0]+)=")
_REFUSED: Final = {
    tarfile.SYMTYPE: "is a symbolic link",
    tarfile.LNKTYPE: "is a hard link",
    tarfile.CHRTYPE: "is a character device",
    tarfile.BLKTYPE: "is a block device",
    tarfile.FIFOTYPE: "is a FIFO",
    tarfile.GNUTYPE_SPARSE: "is a sparse file",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Extended:
    """The values that an extended header sets for the next member."""

    name: str | None = None
    size_bytes: int | None = None


def tar_entries(chunks: Iterator[bytes], guard: Guard) -> Generator[PackageEntry, None, None]:
    """Yield the regular files of a tar stream in order, and read the stream to its end.

    Raises:
        IntegrityError: A member is unsafe, a limit is exceeded, or the stream is truncated, altered
            or continues after its end.
    """
    cursor = _Cursor(chunks, guard)
    extended = _Extended()
    while (block := cursor.take(_BLOCK)) != _ZEROS:
        header = _parse(block, guard)
        if header.type in {tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME}:
            extended = _extend(extended, header, cursor, guard)
            continue
        entry = _entry(header, extended, cursor, guard)
        extended = _Extended()
        if entry is not None:
            yield entry
            entry.finish()
            cursor.skip_padding(entry.size_bytes)
    if extended != _Extended():
        raise guard.damaged("ends after an extended header")
    cursor.require_end()


def _parse(block: bytes, guard: Guard) -> tarfile.TarInfo:
    try:
        header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (tarfile.HeaderError, ValueError) as error:
        raise guard.damaged(f"has a broken member header ({error})") from error
    if header.size < 0:
        raise guard.damaged("has a member of negative size")
    return header


def _entry(
    header: tarfile.TarInfo, extended: _Extended, cursor: "_Cursor", guard: Guard
) -> PackageEntry | None:
    """Check a member, and return it if it is a regular file, or None if it is a directory."""
    name = header.name if extended.name is None else extended.name
    size_bytes = header.size if extended.size_bytes is None else extended.size_bytes
    if header.type == tarfile.DIRTYPE:
        if size_bytes:
            raise guard.unsafe(name, "is a directory with content")
        guard.admit_directory(name)
        return None
    if header.type not in {tarfile.REGTYPE, tarfile.AREGTYPE}:
        raise guard.unsafe(name, _REFUSED.get(header.type, f"is of the unknown type {header.type!r}"))
    path = guard.admit_file(name, size_bytes=size_bytes)
    return PackageEntry(path=path, mode=header.mode, size_bytes=size_bytes, pieces=cursor.pieces(size_bytes))


def _extend(extended: _Extended, header: tarfile.TarInfo, cursor: "_Cursor", guard: Guard) -> _Extended:
    """Return the values for the next member, updated from an extended header."""
    if header.size > _MAX_EXTENDED_BYTES:
        raise guard.unsafe(header.name, "is an oversized extended header")
    content = cursor.take(header.size)
    cursor.skip_padding(header.size)
    if header.type == tarfile.GNUTYPE_LONGNAME:
        name = content.removesuffix(b"\0").decode("utf-8", "surrogateescape")
        return _Extended(name=name, size_bytes=extended.size_bytes)
    records = dict(_records(content, guard))
    if any(key.startswith("GNU.sparse.") for key in records):
        raise guard.unsafe(header.name, "describes a sparse file")
    if header.type == tarfile.XGLTYPE:
        if not records.keys().isdisjoint({"path", "size", "linkpath"}):
            raise guard.unsafe(header.name, "sets names or sizes for all members")
        return extended
    size = records.get("size")
    if size is not None and not re.fullmatch(r"[0-9]{1,15}", size):
        raise guard.damaged("has an extended header with an invalid size")
    return _Extended(
        name=records.get("path", extended.name),
        size_bytes=extended.size_bytes if size is None else int(size),
    )


def _records(content: bytes, guard: Guard) -> Iterator[tuple[str, str]]:
    """Yield the ``length key=value`` records of an extended header."""
    at = 0
    while at < len(content):
        match = _RECORD.match(content, at)
        end = at + int(match[1]) if match else 0
        if match is None or end <= match.end() or content[end - 1 : end] != b"\n":
            raise guard.damaged("has a broken extended header")
        yield (
            match[2].decode("utf-8", "surrogateescape"),
            content[match.end() : end - 1].decode("utf-8", "surrogateescape"),
        )
        at = end


class _Cursor:
    """A position in a stream of chunks."""

    def __init__(self, chunks: Iterator[bytes], guard: Guard) -> None:
        self._chunks = chunks
        self._guard = guard
        self._chunk = b""
        self._at = 0

    def take(self, size_bytes: int) -> bytes:
        """Return exactly the next ``size_bytes``."""
        return b"".join(self.pieces(size_bytes))

    def pieces(self, size_bytes: int) -> Iterator[bytes]:
        """Yield exactly the next ``size_bytes`` in pieces; a whole chunk is not copied."""
        missing = size_bytes
        while missing:
            if self._at == len(self._chunk):
                self._chunk, self._at = next(self._chunks, b""), 0
                if not self._chunk:
                    raise self._guard.damaged("ends too early")
            piece = self._chunk[self._at : self._at + missing]
            self._at += len(piece)
            missing -= len(piece)
            yield piece

    def skip_padding(self, size_bytes: int) -> None:
        """Skip the padding after a member of this size, which must be zeros."""
        if any(self.take(-size_bytes % _BLOCK)):
            raise self._guard.damaged("has bytes between its members")

    def require_end(self) -> None:
        """Read the second block of the end marker, then only zeros to the end of the stream."""
        if self.take(_BLOCK) != _ZEROS:
            raise self._guard.damaged("has members after its end marker")
        padding_bytes = 0
        for rest in chain((self._chunk[self._at :],), self._chunks):
            padding_bytes += len(rest)
            if padding_bytes > _MAX_PADDING_BYTES or rest.count(0) != len(rest):
                raise self._guard.damaged("has bytes after its end")
