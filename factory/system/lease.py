"""The lease of a run on a cache: the entries that it uses, and its temporary files.

    <root>/temporary/gate.lock         locked while entries are leased, and while entries are removed
    <root>/temporary/run-<token>/      of one run
        alive.lock                     locked as long as the run lives, however it ends
        leased                         the entries in use, one path in each line
        partial-<number>-<blob>        a download in progress
        ...                            other temporary files

A run with a free lock is dead: its directory is removed by the next run, and by every command
that removes entries. Its unfinished downloads are kept, to be resumed. No clock is read, except
for a directory without a lock file: a run may be making it, so it stays for a day.
"""

import os
import secrets
import shutil
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from factory.system.entries import files_below, read_entry
from factory.system.files import CannotWrite, writing

DIRECTORY = "temporary"
PARTIAL_PREFIX = "partial-"

_RUN_PREFIX = "run-"
_LOCK = "alive.lock"
_LEASED = "leased"
_UNLOCKED_S = 86_400.0


class Lease:
    """The lease of one run; its directory is made when it is first needed.

    Several threads can use it. A cache that this user cannot write to needs no lease: this user
    cannot remove its entries either.

    Args:
        root: The directory of the cache.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._mutex = threading.Lock()
        self._directory: Path | None = None
        self._alive: FileLock | None = None
        self._leased: set[Path] = set()

    @property
    def directory(self) -> Path | None:
        """The directory of the temporary files, if it was needed."""
        return self._directory

    def new_path(self, name: str = "") -> Path:
        """Return a path for a temporary file or directory, on the same disk as the entries.

        Raises:
            CannotWrite: The cache is not writable.
        """
        with self._mutex:
            directory = self._opened()
        return directory / (name or secrets.token_hex(8))

    @contextmanager
    def scratch(self, name: str) -> Iterator[Path]:
        """Make a directory for large files on the disk of the cache; it is removed when the context ends.

        Raises:
            CannotWrite: The cache is not writable.
        """
        directory = self.new_path(f"{name}-{secrets.token_hex(4)}")
        with writing(directory):
            directory.mkdir()
        try:
            yield directory
        finally:
            shutil.rmtree(directory, ignore_errors=True)

    def hold(self, paths: Iterable[Path]) -> None:
        """Keep entries from being removed until the run ends; they need not exist.

        Call this before looking whether an entry exists: afterwards another process may have removed it.

        Raises:
            CannotWrite: The disk is full.
        """
        new = [path for path in paths if path not in self._leased]
        if not new:
            return
        with self._mutex:
            try:
                with gate(self._root):
                    self._append(self._opened() / _LEASED, new)
            except CannotWrite as error:
                if not error.is_refused:
                    raise
            self._leased.update(new)

    def close(self) -> None:
        """End the lease and remove the temporary files."""
        with self._mutex:
            if self._directory is None or self._alive is None:
                return
            _remove_run(self._directory)
            self._alive.release()
            shutil.rmtree(self._directory, ignore_errors=True)  # on Windows, the lock file only now
            self._directory = self._alive = None
            self._leased = set()

    def _append(self, file: Path, paths: Iterable[Path]) -> None:
        lines = "".join(f"{path.relative_to(self._root).as_posix()}\n" for path in paths)
        with writing(file), file.open("a", encoding="utf-8") as opened:
            opened.write(lines)

    def _opened(self) -> Path:
        while self._directory is None:
            directory = self._root / DIRECTORY / f"{_RUN_PREFIX}{secrets.token_hex(8)}"
            alive = FileLock(directory / _LOCK)
            with writing(directory):
                sweep(self._root)
                directory.mkdir(parents=True)
                # Another process may take the new lock file for that of a dead run: then try again.
                with suppress(Timeout, FileNotFoundError):
                    alive.acquire(timeout=0)
                    self._directory, self._alive = directory, alive
        return self._directory


@contextmanager
def gate(root: Path) -> Iterator[None]:
    """Let no other process lease or remove entries meanwhile.

    Raises:
        CannotWrite: The cache is not writable.
    """
    path = root / DIRECTORY / "gate.lock"
    lock = FileLock(path)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def leased_entries(root: Path, *, but: Lease | None = None) -> frozenset[Path]:
    """Return the entries that running processes use; the caller holds the gate.

    Args:
        root: The directory of the cache.
        but: A lease to leave out: the caller's own, when it does not need its entries any more.
    """
    found: set[Path] = set()
    for directory in _runs(root):
        if but is None or directory != but.directory:
            lines = (read_entry(directory / _LEASED) or b"").decode("utf-8", "replace")
            found.update(root / line for line in lines.splitlines())
    return frozenset(found)


def sweep(root: Path) -> None:
    """Remove the temporary files of dead runs, and keep their unfinished downloads to be resumed."""
    for directory in _runs(root):
        lock = _lock_of_dead_run(directory)
        if lock is None:
            continue
        for partial in directory.glob(f"{PARTIAL_PREFIX}*-*"):
            keep_partial(partial, root / "partials" / partial.name.split("-", 2)[2])
        _remove_run(directory)
        lock.release()
        shutil.rmtree(directory, ignore_errors=True)


def _remove_run(directory: Path) -> None:
    """Remove the directory of a run, and its lock file last: if this is killed, the next run goes on."""
    with suppress(OSError):
        for path in sorted(directory.iterdir()):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            elif path.name != _LOCK:
                path.unlink(missing_ok=True)
    shutil.rmtree(directory, ignore_errors=True)


def keep_partial(partial: Path, kept: Path) -> None:
    """Move an unfinished download out of a run's directory, unless it is empty or cannot be moved."""
    with suppress(OSError):
        if partial.lstat().st_size:
            kept.parent.mkdir(parents=True, exist_ok=True)
            partial.replace(kept)
        else:
            partial.unlink()


def _runs(root: Path) -> list[Path]:
    return sorted(path for path in (root / DIRECTORY).glob(f"{_RUN_PREFIX}*") if path.is_dir())


def _lock_of_dead_run(directory: Path) -> FileLock | None:
    """Lock a dead run's directory; return None if the run lives."""
    path = directory / _LOCK
    lock = FileLock(path)
    try:
        if not path.is_file() and time.time() - directory.stat().st_mtime < _UNLOCKED_S:
            return None
        lock.acquire(timeout=0)
    except (OSError, Timeout):
        return None
    return lock


def is_temporary(path: Path) -> bool:
    """Whether a file below the directory is a temporary file, and not one that manages the leases."""
    return path.name not in {_LOCK, _LEASED, "gate.lock"}


def sizes_of_temporaries(root: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Yield the temporary files of all runs, with their status."""
    for path in files_below(root / DIRECTORY):
        with suppress(OSError):
            if is_temporary(path):
                yield path, path.lstat()
