"""Open and replace the files of a cache without trusting what is at their paths.

A cache directory may be shared, restored by a CI system, or damaged. An entry is a regular file
of a user who controls the directory anyway. Anything else at its path counts as missing, so that
it is made again: a directory, a link (which could lead to a file outside), a FIFO (which would
block the reader), a file of a third user, a file without read permission.
"""

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from factory.system.files import CannotRead, writing

_UNUSABLE = frozenset(
    {
        errno.ENOENT,
        errno.ENOTDIR,
        errno.EISDIR,
        errno.ELOOP,  # a link, because of O_NOFOLLOW
        errno.EMLINK,  # the same on FreeBSD
        errno.EACCES,
        errno.EPERM,
        errno.ENXIO,  # a socket, or a FIFO without a writer
        errno.ENODEV,
    }
)
_SAFE = (
    getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)  # opening a FIFO does not wait for its other end
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


def open_entry(path: Path) -> BinaryIO | None:
    """Open an entry for reading; None if there is no usable one.

    Raises:
        CannotRead: The disk does not work, or too many files are open.
    """
    return _open(path, os.O_RDONLY, "rb")


def open_own_file(path: Path, *, mode: int = 0o600) -> BinaryIO:
    """Open a file for reading and appending that only this process uses; make it if necessary.

    What is at the path and is not an entry is removed first.

    Raises:
        CannotWrite: The file cannot be made.
    """
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT
    file = _open(path, flags, "a+b", mode)
    if file is not None:
        return file
    with writing(path):
        remove_entry(path)
        return os.fdopen(os.open(path, flags | os.O_EXCL | _SAFE, mode), "a+b")


def _open(path: Path, flags: int, form: str, mode: int = 0o600) -> BinaryIO | None:
    try:
        descriptor = os.open(path, flags | _SAFE, mode)
    except OSError as error:
        if error.errno in _UNUSABLE:
            return None
        raise CannotRead(path, error) from error
    try:
        if _is_trusted(os.fstat(descriptor), path):
            return os.fdopen(descriptor, form)  # type: ignore[return-value]  # both forms are binary
    except OSError as error:
        os.close(descriptor)
        raise CannotRead(path, error) from error
    os.close(descriptor)
    return None


def _is_trusted(status: os.stat_result, path: Path) -> bool:
    """Whether a file is a regular one of this user, of root, or of the owner of its directory.

    The owner of the directory can replace every file in it. So their files need no more trust
    than the use of the directory, and a cache that another user filled can be read.
    """
    if not stat.S_ISREG(status.st_mode):
        return False
    user = getattr(os, "geteuid", lambda: status.st_uid)()
    return status.st_uid in {user, 0} or status.st_uid == path.parent.stat().st_uid


def is_entry(path: Path) -> bool:
    """Return whether there is a usable entry at a path."""
    file = open_entry(path)
    if file is None:
        return False
    file.close()
    return True


def read_entry(path: Path) -> bytes | None:
    """Return the content of a small entry; None if there is no usable one.

    Raises:
        CannotRead: The disk does not work.
    """
    file = open_entry(path)
    if file is None:
        return None
    with file:
        try:
            return file.read()
        except OSError as error:
            raise CannotRead(path, error) from error


def files_below(directory: Path) -> Iterator[Path]:
    """Yield what is below a directory and is not one, while other processes add and remove files.

    `Path.rglob` ends with an error if a directory disappears. Links to directories are not followed.
    """
    for parent, directories, names in os.walk(directory):
        for name in (*names, *directories):
            path = Path(parent, name)
            if name in names or path.is_symlink():
                yield path


def put_entry(temporary: Path, path: Path) -> None:
    """Rename a complete file to the path of an entry, and replace whatever is there.

    Raises:
        CannotWrite: The directory is not writable.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        temporary.replace(path)


def remove_entry(path: Path) -> None:
    """Remove what is at the path of an entry, if anything: a file, a link or a directory.

    Raises:
        CannotWrite: It cannot be removed.
    """
    with writing(path):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
