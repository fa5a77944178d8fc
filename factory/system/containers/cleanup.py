"""Whose a container is, so that what a killed run left is told from what a living one uses.

Each run has a token and holds a lock on a file of that name for as long as it lives;
the kernel lets go of the lock however the process ends. A container carries its
run's token, and whoever can take the lock may remove the container. The file stays
until the containers are gone. Containers of another cache have no lock file here,
and are left alone.
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
    """Own containers until the context ends; then none of them is left, and none of dead runs either.

    Args:
        engine: Where the containers are.
        locks: The directory of lock files, one for all runs that share a cache.

    Raises:
        HostError: The engine does not answer at the start, or an end without another error.
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
    """Remove the containers of runs that are dead, and their lock files after them.

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
    """Remove what can be removed; another error is under way, and that is the one to show."""
    try:
        _remove(engine, token)
    except HostError:
        return False
    return True
