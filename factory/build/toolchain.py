"""Locked toolchains: virtual environments with one version of a tool and its dependencies.

Each lock is a file in ``factory/build/locks``, ``<distribution>-<version>.txt``. It has exact versions
with hashes and no addresses: pip downloads from the index in its configuration, and accepts only
files with these hashes. To support another version of a tool, add its lock.

`lock_for` loads a lock of the build backend, whose version is part of every recipe; `lock_named`
loads any lock.
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from filelock import FileLock

from factory.build.deflate_check import Interpreter, probe_interpreter
from factory.core.digests import Sha256
from factory.core.errors import BuildError, UsageError
from factory.system.files import atomic_write, require_room, writing
from factory.system.process import Command, Runner

_REQUIREMENT = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)", re.MULTILINE)
_COMPLETE = "complete.json"


class ToolchainFailed(BuildError):
    """The environment of a toolchain could not be made."""

    hint = "Read the log. pip needs an index or a --find-links directory that has the locked files."

    def __init__(self, name: str, phase: str, reason: str, log: Path) -> None:
        super().__init__(f"making the toolchain {name} failed while {phase}: {reason}; log: {log}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """The requirements of a toolchain, exact and with hashes.

    Attributes:
        name: The tool and its version, ``hatchling-1.33.0``.
        content: A requirements file for pip.
    """

    name: str
    content: bytes

    @property
    def sha256(self) -> Sha256:
        """The digest of the requirements file."""
        return Sha256.of([self.content])

    @property
    def requirements(self) -> tuple[tuple[str, str], ...]:
        """Names and versions, in the order of the file; some have markers for other systems."""
        found = _REQUIREMENT.finditer(self.content.decode())
        return tuple((match["name"], match["version"]) for match in found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolchain:
    """An environment with the packages of a lock and no others.

    Attributes:
        python: The path of its interpreter.
        interpreter: Describes the interpreter, whose deflate encoder decides the bytes of wheels.
    """

    python: Path
    interpreter: Interpreter
    lock: Lock


def lock_names() -> tuple[str, ...]:
    """Return the names of all locks, sorted."""
    names = (entry.name for entry in files("factory.build").joinpath("locks").iterdir())
    return tuple(sorted(name.removesuffix(".txt") for name in names if name.endswith(".txt")))


def lock_named(name: str) -> Lock:
    """Load a lock.

    Raises:
        UsageError: There is no lock with that name.
    """
    if name not in lock_names():
        raise UsageError(f"there is no toolchain lock {name!r}", hint=f"Locks are {', '.join(lock_names())}.")
    content = files("factory.build").joinpath("locks", f"{name}.txt").read_bytes()
    return Lock(name=name, content=content.replace(b"\r\n", b"\n"))


def locked_versions() -> tuple[str, ...]:
    """Return the backend versions that have a lock, oldest first."""
    versions = (re.fullmatch(r"hatchling-(\d+(?:\.\d+)*)", name) for name in lock_names())
    return tuple(sorted((match[1] for match in versions if match), key=_numbers))


def lock_for(backend_version: str) -> Lock:
    """Load the lock of a backend version.

    Raises:
        UsageError: There is no lock for it.
    """
    return lock_named(f"hatchling-{backend_version}")


def _need_no_lease(_directory: Path) -> None:
    """Let other processes remove the environment."""


def make_toolchain(
    *,
    lock: Lock,
    base_python: Path,
    cache_dir: Path,
    env: Mapping[str, str],
    runner: Runner,
    hold: Callable[[Path], None] = _need_no_lease,
) -> Toolchain:
    """Return the environment of a lock, and make it if it does not exist.

    It is made in its final directory, since an environment cannot be moved. A marker is written last,
    so that the next run recognizes an incomplete environment.

    Args:
        lock: The packages to install.
        base_python: The interpreter of the environment.
        cache_dir: Its subdirectory ``toolchains`` contains the environments.
        env: The variables that pip needs: proxies, certificates, ``PIP_*``.
        runner: Starts pip and venv.
        hold: Keeps the environment from being removed until the run ends.

    Raises:
        ToolchainFailed: pip or venv failed; see the log.
        ProbeFailed: The interpreter does not work.
    """
    interpreter = probe_interpreter(base_python, env=env, runner=runner)
    directory = cache_dir / "toolchains" / _key(lock, interpreter)
    hold(directory)
    if not _is_complete(directory):  # a complete one needs no lock: the cache may be read-only
        with writing(directory):
            directory.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(directory.with_name(f"{directory.name}.lock")):
                if not _is_complete(directory):
                    _install(lock, base_python, directory, env, runner)
    with suppress(OSError):  # the time of its last use; a read-only cache still works
        os.utime(directory)
    return Toolchain(python=_python_of(directory), interpreter=interpreter, lock=lock)


def _is_complete(directory: Path) -> bool:
    return (directory / _COMPLETE).is_file() and _python_of(directory).exists()


def _install(lock: Lock, base_python: Path, directory: Path, env: Mapping[str, str], runner: Runner) -> None:
    log = directory.with_name(f"{directory.name}.log")
    log.unlink(missing_ok=True)
    shutil.rmtree(directory, ignore_errors=True)

    def run(phase: str, argv: tuple[str, ...]) -> None:
        completed = runner.run(Command(argv=argv, env=env, log=log))
        if completed.returncode != 0:
            require_room(directory.parent)
            shutil.rmtree(directory, ignore_errors=True)
            raise ToolchainFailed(lock.name, phase, completed.reason, log)

    run("creating the environment", (str(base_python), "-I", "-m", "venv", str(directory)))
    requirements = directory / "lock.txt"
    atomic_write(requirements, lock.content)
    run("installing the locked packages", _pip_install(_python_of(directory), requirements))
    atomic_write(directory / _COMPLETE, json.dumps({"lock": str(lock.sha256)}).encode())
    log.unlink(missing_ok=True)


def _pip_install(python: Path, requirements: Path) -> tuple[str, ...]:
    """Return the command that installs wheels with hashes, so that no code of a package runs."""
    options = ("--require-hashes", "--only-binary", ":all:", "--no-deps", "--no-input", "--quiet")
    quiet = ("--disable-pip-version-check", "--no-warn-script-location")
    return (str(python), "-I", "-m", "pip", "install", *options, *quiet, "-r", str(requirements))


def _python_of(directory: Path) -> Path:
    """Return the interpreter of an environment, whose path depends on the system."""
    windows = directory / "Scripts" / "python.exe"
    return windows if windows.exists() else directory / "bin" / "python"


def _key(lock: Lock, interpreter: Interpreter) -> str:
    inputs = [
        str(lock.sha256),
        str(interpreter.executable),
        interpreter.implementation,
        interpreter.version,
        str(interpreter.deflate.answer),
    ]
    digest = hashlib.sha256("\0".join(inputs).encode()).hexdigest()
    return f"{lock.name}-{digest[:16]}"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
