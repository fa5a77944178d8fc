"""Write files atomically, and check files against a digest while reading them.

A file is written under a temporary name in its own directory and then renamed, so a reader
never sees half of it. The temporary names share a prefix, so that the files a killed process
left behind can be found and removed.
"""

import errno
import io
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from factory.core.digests import CHUNK_BYTES, Digest
from factory.core.errors import HostError, IntegrityError

TEMPORARY_PREFIX = ".factory-tmp-"


_OUTSIDE = frozenset(
    {
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EFBIG,
        errno.EIO,
        errno.EROFS,
        errno.EACCES,
        errno.EPERM,
        errno.EMFILE,
        errno.ENFILE,
        errno.ENAMETOOLONG,
        errno.ELOOP,
        errno.ESTALE if hasattr(errno, "ESTALE") else errno.EIO,
    }
)
_FULL_BYTES = 1 << 16
"""With less free space, no build step can work."""
_REFUSED = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})


class CannotRead(HostError):
    """A file or directory cannot be read, although it exists."""

    def __init__(self, path: Path, error: OSError) -> None:
        match error.errno:
            case errno.EMFILE | errno.ENFILE:
                hint = "Close other programs, or raise the limit of open files: see 'ulimit -n'."
            case errno.EIO:
                hint = "Check the disk, and run again."
            case _:
                hint = "Check that it exists, and that you may read it."
        super().__init__(f"cannot read {path}: {error.strerror or error}", hint=hint)


class CannotWrite(HostError):
    """A file or directory cannot be written.

    Attributes:
        is_refused: The directory is read-only for this user; the disk itself may be fine.
    """

    def __init__(self, path: Path, error: OSError) -> None:
        self.is_refused = error.errno in _REFUSED
        match error.errno:
            case errno.ENOSPC | errno.EDQUOT:
                hint = (
                    "Free some space, for example with 'factory cache prune', and run again: "
                    "complete files are kept."
                )
            case errno.EROFS | errno.EACCES | errno.EPERM:
                hint = "Choose a writable directory, or correct its permissions."
            case _:
                hint = "Choose another directory, or correct its permissions."
        super().__init__(f"cannot write {path}: {error.strerror or error}", hint=hint)


class WrongDigest(IntegrityError):
    """A file does not have the expected digest."""

    hint = (
        "Do not use it. If the channel or a mirror replaced the file, compare with another channel; "
        "if a transfer damaged it, run again."
    )

    def __init__(self, name: str, *, expected: Digest, actual: Digest) -> None:
        super().__init__(f"{name} has the wrong digest: expected {expected}, got {actual}")
        self.expected = expected
        self.actual = actual


def unexpected(error: OSError) -> HostError | None:
    """Return the error for a cause outside the program, wherever it happened; None for a possible bug."""
    if error.errno not in _OUTSIDE:
        return None
    place = Path(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else None
    refused = CannotWrite(place or Path("a temporary file"), error)
    return HostError(f"{place}: {error.strerror}" if place else str(refused), hint=refused.hint)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an `OSError` into `CannotWrite`, with a hint that fits the cause."""
    try:
        yield
    except OSError as error:
        raise CannotWrite(path, error) from error


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn an `OSError` into `CannotRead`, with a hint that fits the cause."""
    try:
        yield
    except OSError as error:
        raise CannotRead(path, error) from error


def require_room(directory: Path) -> None:
    """Refuse a full disk after another program has failed: a full disk is the likely cause.

    Raises:
        CannotWrite: The disk of an existing directory is full.
    """
    with writing(directory):
        if shutil.disk_usage(directory).free < _FULL_BYTES:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@contextmanager
def written(file: BinaryIO, path: Path) -> Iterator[BinaryIO]:
    """Close a file at the end, also after an error; the last bytes are written only then.

    Raises:
        CannotWrite: The last bytes cannot be written.
    """
    try:
        yield file
    except BaseException:
        with suppress(OSError):  # it would replace the error that is being raised
            file.close()
        raise
    with writing(path):
        file.close()


@contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file that appears at its path only if the context ends without an error.

    Its mode is 0644 less the umask, which only the kernel can apply without a race
    between threads. Missing parent directories are created.

    Raises:
        CannotWrite: The file cannot be written; an existing file is unchanged.
    """
    temporary = path.with_name(f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = _create(temporary)
    try:
        with written(file, path):
            yield file
        with writing(path):
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _create(path: Path) -> BinaryIO:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(path, flags, 0o644), "wb")


def atomic_write(path: Path, content: bytes) -> None:
    """Write a small file in one step: a reader sees either the old or the new content.

    Raises:
        CannotWrite: The file cannot be written; an existing file is unchanged.
    """
    with atomic_file(path) as file, writing(path):
        file.write(content)


def move_file(source: Path, destination: Path) -> None:
    """Rename a file; copy it if the destination is on another disk, as under a mount point.

    Raises:
        CannotWrite: The destination cannot be written; an existing file is unchanged.
    """
    with writing(destination):
        try:
            source.replace(destination)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            with source.open("rb") as content, atomic_file(destination) as copy:
                shutil.copyfileobj(content, copy, CHUNK_BYTES)
            source.unlink()


def replace_directory(draft: Path, destination: Path) -> None:
    """Rename a complete directory to its destination, replacing an existing one.

    The existing directory is renamed first and deleted last, so it can be restored.

    Raises:
        CannotWrite: The destination cannot be replaced; an existing directory is unchanged.
    """
    former = draft.with_name(f"{draft.name}-former")
    with writing(destination):
        if destination.exists():
            destination.rename(former)
        try:
            draft.rename(destination)
        except OSError:
            if former.exists():
                former.rename(destination)
            raise
    shutil.rmtree(former, ignore_errors=True)


@contextmanager
def atomic_directory(destination: Path) -> Iterator[Path]:
    """Fill a draft directory that replaces the destination if the context ends without an error.

    Raises:
        CannotWrite: It cannot be written; an existing directory is not changed.
    """
    draft = destination.with_name(f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}")
    try:
        with writing(destination):
            draft.mkdir(parents=True)
            yield draft
        replace_directory(draft, destination)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def sweep_temporaries(directory: Path, *, before_s: float) -> tuple[Path, ...]:
    """Remove the temporary files that killed processes left in a directory, and return them sorted.

    Args:
        directory: Searched without its subdirectories.
        before_s: Only files last written before this time are removed, in seconds since the
            epoch: newer ones may belong to a running process. A caller that holds the
            directory's lock passes the current time.
    """
    removed = []
    for path in sorted(directory.glob(f"{TEMPORARY_PREFIX}*")):
        try:
            if path.is_file() and path.stat().st_mtime < before_s:
                path.unlink()
                removed.append(path)
        except FileNotFoundError:
            continue
    return tuple(removed)


class _HashingReader(io.RawIOBase):
    """Hashes a file's bytes as they are read, in order."""

    def __init__(self, file: BinaryIO, digest: Digest, name: str) -> None:
        super().__init__()
        self._path = Path(name)
        self._file = file
        self._hash = digest.algorithm.new()
        self._algorithm = digest.algorithm

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        with reading(self._path):
            chunk = self._file.read(len(buffer))
        buffer[: len(chunk)] = chunk
        self._hash.update(chunk)
        return len(chunk)

    def digest(self) -> Digest:
        return Digest(self._algorithm, self._hash.hexdigest())


@contextmanager
def read_verified(path: Path, digest: Digest, *, name: str = "") -> Iterator[BinaryIO]:
    """Open a file, and check all of it against a digest by the time the context ends.

    Bytes that the caller did not read are read and hashed at the end. The caller must not use
    what it read before the context has ended without an error.

    Args:
        path: Read once from the start; the file object cannot seek.
        digest: The expected digest.
        name: The file's name in an error message; the last part of the path if empty.

    Raises:
        CannotRead: The file cannot be read.
        WrongDigest: The content has another digest.
    """
    with reading(path):
        file = path.open("rb", buffering=0)
    with verified(file, digest, name=name or path.name) as content:
        yield content


@contextmanager
def verified(file: BinaryIO, digest: Digest, *, name: str) -> Iterator[BinaryIO]:
    """Read an open file, as `read_verified` does, and close it."""
    with file:
        reader = _HashingReader(file, digest, name)
        with io.BufferedReader(reader, CHUNK_BYTES) as buffered:
            yield buffered
            while buffered.read(CHUNK_BYTES):
                pass
            actual = reader.digest()
    if actual != digest:
        raise WrongDigest(name, expected=digest, actual=actual)
