"""Remove the containers of this run when it ends, and those that killed runs left behind.

Each run has a token, labels its containers with it, and holds a lock on a file of that name
until it ends; the kernel releases the lock however the process ends. If a lock can be acquired,
its run is dead and its containers can be removed. The file stays until they are gone.
Containers of runs with another cache have no lock file here, and are left alone.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from factory.core.errors import HostError
from factory.system.containers.engine import ContainerEngine
from factory.system.files import writing


@contextmanager
def cleaning_up(engine: ContainerEngine, locks: Path) -> Iterator[str]:
    """Yield this run's token for its containers, and remove them when the context ends.

    Containers of dead runs are removed at the start.

    Args:
        engine: The engine with the containers.
        locks: The directory of lock files, shared by all runs with the same cache.

    Raises:
        HostError: The engine does not answer. If the context ends with an error, that one is raised.
    """
    token = secrets.token_hex(8)
    lock = FileLock(locks / f"{token}.lock")
    with writing(locks):
        locks.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    is_clean = False
    try:
        sweep(engine, locks)
        yield token
        _remove(engine, token)
        is_clean = True
    except BaseException:
        is_clean = _is_removed(engine, token)
        raise
    finally:
        if is_clean:
            Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()


def sweep(engine: ContainerEngine, locks: Path) -> None:
    """Remove the containers of dead runs, then their lock files.

    Raises:
        HostError: The engine does not answer.
    """
    for path in sorted(locks.glob("*.lock")):
        lock = FileLock(path)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            continue
        try:
            _remove(engine, path.stem)
            path.unlink(missing_ok=True)
        finally:
            lock.release()


def _remove(engine: ContainerEngine, token: str) -> None:
    for owned in engine.owned():
        if owned.owner == token:
            engine.remove(owned.id)


def _is_removed(engine: ContainerEngine, token: str) -> bool:
    """Try to remove the containers; on failure the error already being raised is the one to report."""
    try:
        _remove(engine, token)
    except HostError:
        return False
    return True
