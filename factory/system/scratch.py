"""Directories for big temporary things, which the next process removes where one was killed."""

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from factory.system.files import writing


@contextmanager
def scratch_directory(parent: Path, prefix: str) -> Iterator[Path]:
    """Give a directory of this process alone, gone when the context ends.

    A lock beside it says that its process lives, whatever ended the process; what has no such
    lock any more is removed first.

    Args:
        parent: Where to make it; made if absent.
        prefix: How its name begins; nothing else in the parent may begin so.

    Raises:
        CannotWrite: The place does not take files.
    """
    with writing(parent):
        parent.mkdir(parents=True, exist_ok=True)
        _sweep(parent, prefix)
        directory = parent / f"{prefix}{secrets.token_hex(4)}"
        lock = FileLock(_lock_of(directory))
        lock.acquire(timeout=0)
    try:
        with writing(directory):
            directory.mkdir()
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        _lock_of(directory).unlink(missing_ok=True)
        lock.release()


def _sweep(parent: Path, prefix: str) -> None:
    for directory in parent.glob(f"{prefix}*"):
        if not directory.is_dir():
            continue
        lock = FileLock(_lock_of(directory))
        try:
            lock.acquire(timeout=0)
        except Timeout:
            continue
        shutil.rmtree(directory, ignore_errors=True)
        _lock_of(directory).unlink(missing_ok=True)
        lock.release()


def _lock_of(directory: Path) -> Path:
    return directory.with_name(f"{directory.name}.lock")
