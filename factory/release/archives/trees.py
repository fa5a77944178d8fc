"""Read a package that is unpacked in a directory."""

import os
import stat
from collections.abc import Generator, Iterator
from pathlib import Path

from factory.core.digests import CHUNK_BYTES
from factory.release.archives.entries import PackageEntry
from factory.release.archives.guard import Guard


def tree_entries(root: Path, guard: Guard) -> Generator[PackageEntry, None, None]:
    """Yield the regular files below a directory, sorted by path.

    Raises:
        IntegrityError: A member is unsafe, cannot be read or changes while it is read, or a limit is
            exceeded.
    """
    for path in _paths(root, guard):
        name = path.relative_to(root).as_posix()
        try:
            status = path.lstat()
        except OSError as error:
            raise guard.damaged(f"has a member {name!r} that cannot be read ({error.strerror})") from error
        if stat.S_ISDIR(status.st_mode):
            guard.admit_directory(name)
            continue
        if not stat.S_ISREG(status.st_mode):
            raise guard.unsafe(name, refusal_of(status.st_mode))
        admitted = guard.admit_file(name, size_bytes=status.st_size)
        pieces = file_pieces(path, status.st_size, name=name, guard=guard)
        entry = PackageEntry(path=admitted, mode=status.st_mode, size_bytes=status.st_size, pieces=pieces)
        yield entry
        entry.finish()


def file_pieces(path: Path, size_bytes: int, *, name: str, guard: Guard) -> Iterator[bytes]:
    """Yield exactly ``size_bytes`` of a file; a link in its place is not followed.

    Raises:
        IntegrityError: The file's size has changed, or it cannot be read.
    """
    seen_bytes = 0
    try:
        with open(path, "rb", buffering=0, opener=_open_no_link) as file:
            while chunk := file.read(CHUNK_BYTES):
                seen_bytes += len(chunk)
                if seen_bytes > size_bytes:
                    break
                yield chunk
    except OSError as error:
        raise guard.damaged(f"has a member {name!r} that cannot be read ({error.strerror})") from error
    if seen_bytes != size_bytes:
        raise guard.damaged(f"has a member {name!r} that changed while it was read")


def refusal_of(mode: int) -> str:
    """Return the reason to refuse a file that is neither regular nor a directory."""
    match stat.S_IFMT(mode):
        case stat.S_IFLNK:
            return "is a symbolic link"
        case stat.S_IFIFO:
            return "is a FIFO"
        case stat.S_IFCHR | stat.S_IFBLK:
            return "is a device"
        case stat.S_IFSOCK:
            return "is a socket"
        case _:
            return "is neither a file nor a directory"


def _paths(root: Path, guard: Guard) -> Iterator[Path]:
    """Yield all paths below a directory, parents first; links are not followed."""
    try:
        with os.scandir(root) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise guard.damaged(f"cannot be read ({error.strerror})") from error
    for entry in found:
        path = Path(entry.path)
        yield path
        if entry.is_dir(follow_symlinks=False):
            yield from _paths(path, guard)


def _open_no_link(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
