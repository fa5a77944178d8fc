"""Directories of locked wheels, from which pip installs in a container without network."""

import hashlib
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from filelock import FileLock

from factory.build.toolchain import Lock
from factory.core.errors import BuildError
from factory.system.files import atomic_write, replace_directory, writing
from factory.system.process import Command, Runner


class WheelsNotFetched(BuildError):
    """pip could not download the wheels of a lock."""

    hint = "Read the log. pip needs an index or a --find-links directory that has the locked files."

    def __init__(self, lock: Lock, reason: str, log: Path) -> None:
        super().__init__(f"fetching the wheels of {lock.name} failed: {reason}; log: {log}")


def fetch_locked_wheels(
    locks: Sequence[Lock],
    *,
    python: Path,
    cache_dir: Path,
    env: Mapping[str, str],
    runner: Runner,
    hold: Callable[[Path], None],
) -> Path:
    """Return a directory with the wheels of some locks, and download them if it does not exist.

    The directory also contains each lock, ``<name>.txt``, so that pip can check the hashes again.

    Args:
        locks: No two may require different versions of one distribution.
        python: An interpreter with pip, which evaluates the markers of the locks.
        cache_dir: Its subdirectory ``toolchains`` contains the directories.
        env: The variables that pip needs: proxies, certificates, ``PIP_*``.
        runner: Starts pip.
        hold: Keeps the directory from being removed until the run ends.

    Raises:
        WheelsNotFetched: pip failed; see the log.
        CannotWrite: The directory is not writable.
    """
    names = "\0".join(f"{lock.name} {lock.sha256}" for lock in locks)
    key = hashlib.sha256(f"{python}\0{names}".encode()).hexdigest()[:16]
    directory = cache_dir / "toolchains" / f"wheels-{key}"
    hold(directory)
    if directory.is_dir():  # it needs no lock: the cache may be read-only
        return directory
    with writing(directory):
        directory.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(directory.with_name(f"{directory.name}.lock")):
            if not directory.is_dir():
                _fetch(locks, python, directory, env, runner)
    return directory


def _fetch(
    locks: Sequence[Lock], python: Path, directory: Path, env: Mapping[str, str], runner: Runner
) -> None:
    """Download into a draft, since only a complete directory may have the name."""
    draft = directory.with_name(f"{directory.name}-draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    log = directory.with_name(f"{directory.name}.log")
    log.unlink(missing_ok=True)
    for lock in locks:
        requirements = draft / f"{lock.name}.txt"
        atomic_write(requirements, lock.content)
        argv = (str(python), "-I", "-m", "pip", "download", *_OPTIONS, "--dest", str(draft))
        completed = runner.run(Command(argv=(*argv, "-r", str(requirements)), env=env, log=log))
        if completed.returncode != 0:
            shutil.rmtree(draft, ignore_errors=True)
            raise WheelsNotFetched(lock, completed.reason, log)
    log.unlink(missing_ok=True)
    replace_directory(draft, directory)


_OPTIONS = (
    "--require-hashes",
    "--only-binary",
    ":all:",
    "--no-deps",
    "--no-input",
    "--quiet",
    "--disable-pip-version-check",
)
