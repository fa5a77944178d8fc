"""Files that are whole or absent, and bytes that are checked as they are read.

A file is written under a temporary name in its own directory and then renamed, so
that a reader never meets half of it. What a killed process leaves behind has a name
that tells it apart (`TEMPORARY_PREFIX`) and can be swept.
"""

import errno
import io
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from factory.core.digests import CHUNK_BYTES, Digest
from factory.core.errors import HostError, IntegrityError

TEMPORARY_PREFIX = ".factory-tmp-"
"""How every temporary name begins, so that leftovers of a killed process are known."""


class CannotWrite(HostError):
    """A place does not take files."""

    hint = "Choose another place, or correct its permissions."

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"cannot write {path}: {reason}")


class DiskFull(CannotWrite):
    """No room, or a quota is used up."""

    hint = "Free some space, for example with 'factory cache prune', and run again: what is complete is kept."


class ReadOnlyPlace(CannotWrite):
    """A file system or directory that this user cannot write to."""

    hint = "Choose a writable place, or correct its permissions."


class WrongDigest(IntegrityError):
    """Bytes are not those that somebody promised.

    Attributes:
        promised: The digest they should have.
        seen: The digest they have.
    """

    hint = (
        "Do not use it. If the channel or a mirror replaced the file, compare with another channel; "
        "if a transfer damaged it, run again."
    )

    def __init__(self, name: str, *, promised: Digest, seen: Digest) -> None:
        super().__init__(f"{name} is not what was promised: promised {promised}, seen {seen}")
        self.promised = promised
        self.seen = seen


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn the operating system's refusals to write into errors that say what to do.

    Raises:
        DiskFull: There is no room.
        ReadOnlyPlace: Writing is not allowed.
        CannotWrite: Any other refusal.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        match error.errno:
            case errno.ENOSPC | errno.EDQUOT:
                raise DiskFull(path, reason) from error
            case errno.EROFS | errno.EACCES | errno.EPERM:
                raise ReadOnlyPlace(path, reason) from error
            case _:
                raise CannotWrite(path, reason) from error


@contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file that appears at its path when the context ends well, and not otherwise.

    Its mode is 0644 less the umask, which only the kernel can apply without a race
    between threads. Directories above it are made.

    Raises:
        CannotWrite: The place does not take it.
    """
    temporary = path.with_name(f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = _create(temporary)
    try:
        with file:
            yield file
            with writing(path):
                file.flush()
        with writing(path):
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _create(path: Path) -> BinaryIO:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(path, flags, 0o644), "wb")


def atomic_write(path: Path, content: bytes) -> None:
    """Write a small file in one step: a reader sees the old content or the new.

    Raises:
        CannotWrite: The place does not take it; what was there before stays.
    """
    with atomic_file(path) as file, writing(path):
        file.write(content)


def replace_directory(draft: Path, destination: Path) -> None:
    """Rename a whole directory to its place, setting a former one aside first and removing it last.

    Raises:
        CannotWrite: The place does not take it; what was there before stays.
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
    """Remove what killed processes left in a directory.

    Args:
        directory: Where to look; below it is not looked.
        before_s: Only what was last written before this time goes, in seconds since the
            epoch: a process at work may own the rest. Whoever holds the directory's lock
            passes the current time.

    Returns:
        What was removed, sorted.
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


class _VerifyingReader(io.RawIOBase):
    """Hashes a file's bytes as they are read, in order."""

    def __init__(self, file: BinaryIO, digest: Digest) -> None:
        super().__init__()
        self._file = file
        self._hash = digest.algorithm.new()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        chunk = self._file.read(len(buffer))
        buffer[: len(chunk)] = chunk
        self._hash.update(chunk)
        return len(chunk)

    def seen(self, digest: Digest) -> Digest:
        return Digest(digest.algorithm, self._hash.hexdigest())


@contextmanager
def read_verified(path: Path, digest: Digest, *, name: str = "") -> Iterator[BinaryIO]:
    """Open a file and check all of it against a digest by the time the context ends.

    The rest that the caller did not read is read then, so no byte goes unchecked. What
    the caller made of the bytes counts only once the context has ended without an error.

    Args:
        path: The file; it is read once, from its start, and cannot be sought.
        digest: The promise.
        name: What to call it in an error; its file name when empty.

    Raises:
        WrongDigest: The content is another one.
    """
    with path.open("rb", buffering=0) as file:
        reader = _VerifyingReader(file, digest)
        with io.BufferedReader(reader, CHUNK_BYTES) as buffered:
            yield buffered
            while buffered.read(CHUNK_BYTES):
                pass
            seen = reader.seen(digest)
    if seen != digest:
        raise WrongDigest(name or path.name, promised=digest, seen=seen)
