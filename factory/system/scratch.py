"""Scratch directories for large files; the next process removes those of a killed one."""

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from factory.system.files import writing


@contextmanager
def scratch_directory(parent: Path, prefix: str) -> Iterator[Path]:
    """Create a directory for this process alone, and remove it when the context ends.

    A lock file beside the directory is held as long as the process lives. Directories whose
    lock is free belong to dead processes and are removed first.

    Args:
        parent: Created if missing.
        prefix: The start of the directory's name; no other file in the parent may start with it.

    Raises:
        CannotWrite: The parent cannot be written.
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
