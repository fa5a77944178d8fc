"""Locked toolchains: environments of their own with one version of a tool and all that it needs.

Each lock is a file in ``factory/build/locks``, ``<distribution>-<version>.txt``: exact versions
with hashes and without addresses, so that pip takes the bytes from wherever its
configuration says and nothing else than those bytes. To support another version,
add its lock; nothing else changes.

`lock_for` gives those of the build backend, whose version is a part of every recipe;
`lock_named` any of them.
"""

import hashlib
import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from filelock import FileLock

from factory.build.deflate_check import Interpreter, probe_interpreter
from factory.core.digests import Sha256
from factory.core.errors import BuildError, UsageError
from factory.system.files import atomic_write, writing
from factory.system.process import Command, Runner

_REQUIREMENT = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)", re.MULTILINE)
_COMPLETE = "complete.json"


class NoLock(UsageError):
    """The factory has no lock of a name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no toolchain lock {name!r}", hint=f"Locks are {', '.join(lock_names())}.")


class ToolchainFailed(BuildError):
    """The toolchain's environment could not be made."""

    hint = "Read the log. pip needs an index or a --find-links directory that has the locked files."

    def __init__(self, name: str, phase: str, reason: str, log: Path) -> None:
        super().__init__(f"making the toolchain {name} failed while {phase}: {reason}; log: {log}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """A toolchain's requirements, exact and with hashes.

    Attributes:
        name: The tool and its version, ``hatchling-1.33.0``.
        content: The requirements file.
    """

    name: str
    content: bytes

    @property
    def sha256(self) -> Sha256:
        """The digest of the requirements file."""
        return Sha256.of([self.content])

    @property
    def requirements(self) -> tuple[tuple[str, str], ...]:
        """Names and versions, in the file's order; some hold only on other systems."""
        found = _REQUIREMENT.finditer(self.content.decode())
        return tuple((match["name"], match["version"]) for match in found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolchain:
    """An environment with a lock's packages and nothing else.

    Attributes:
        python: Its interpreter.
        interpreter: What that interpreter is; its deflate decides wheels' bytes.
        lock: What is installed in it.
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
        NoLock: There is none of that name.
    """
    if name not in lock_names():
        raise NoLock(name)
    content = files("factory.build").joinpath("locks", f"{name}.txt").read_bytes()
    return Lock(name=name, content=content.replace(b"\r\n", b"\n"))


def locked_versions() -> tuple[str, ...]:
    """Return the backend versions that have a lock, oldest first."""
    versions = (re.fullmatch(r"hatchling-(\d+(?:\.\d+)*)", name) for name in lock_names())
    return tuple(sorted((match[1] for match in versions if match), key=_numbers))


def lock_for(backend_version: str) -> Lock:
    """Load the lock of a backend version.

    Raises:
        NoLock: There is none.
    """
    return lock_named(f"hatchling-{backend_version}")


def make_toolchain(
    *, lock: Lock, base_python: Path, cache_dir: Path, env: Mapping[str, str], runner: Runner
) -> Toolchain:
    """Make a lock's environment, or return the one made before.

    It is made in its final place, since an environment cannot be moved, and a marker
    written last tells a whole one from what an interrupted run left.

    Args:
        lock: What to install.
        base_python: The interpreter to build on.
        cache_dir: Its subdirectory ``toolchains`` keeps environments.
        env: What pip needs of the caller's environment: proxies, certificates, ``PIP_*``.
        runner: What starts the processes.

    Raises:
        ToolchainFailed: pip or venv failed; the log tells.
        ProbeFailed: The interpreter does not work.
    """
    interpreter = probe_interpreter(base_python, env=env, runner=runner)
    directory = cache_dir / "toolchains" / _key(lock, interpreter)
    with writing(directory):
        directory.parent.mkdir(parents=True, exist_ok=True)
        guard = FileLock(directory.with_name(f"{directory.name}.lock"))
        with guard:
            if not (directory / _COMPLETE).is_file() or not _python_of(directory).exists():
                _install(lock, base_python, directory, env, runner)
    return Toolchain(python=_python_of(directory), interpreter=interpreter, lock=lock)


def _install(lock: Lock, base_python: Path, directory: Path, env: Mapping[str, str], runner: Runner) -> None:
    log = directory.with_name(f"{directory.name}.log")
    log.unlink(missing_ok=True)
    shutil.rmtree(directory, ignore_errors=True)

    def run(phase: str, argv: tuple[str, ...]) -> None:
        completed = runner.run(Command(argv=argv, env=env, log=log))
        if completed.returncode != 0:
            shutil.rmtree(directory, ignore_errors=True)
            raise ToolchainFailed(lock.name, phase, completed.reason, log)

    run("creating the environment", (str(base_python), "-I", "-m", "venv", str(directory)))
    requirements = directory / "lock.txt"
    atomic_write(requirements, lock.content)
    run("installing the locked packages", _pip_install(_python_of(directory), requirements))
    atomic_write(directory / _COMPLETE, json.dumps({"lock": str(lock.sha256)}).encode())
    log.unlink(missing_ok=True)


def _pip_install(python: Path, requirements: Path) -> tuple[str, ...]:
    """Wheels only and hashes always: nothing of a package runs while it is installed."""
    options = ("--require-hashes", "--only-binary", ":all:", "--no-deps", "--no-input", "--quiet")
    quiet = ("--disable-pip-version-check", "--no-warn-script-location")
    return (str(python), "-I", "-m", "pip", "install", *options, *quiet, "-r", str(requirements))


def _python_of(directory: Path) -> Path:
    """Return an environment's interpreter; venv lays it out by the system it runs on."""
    windows = directory / "Scripts" / "python.exe"
    return windows if windows.exists() else directory / "bin" / "python"


def _key(lock: Lock, interpreter: Interpreter) -> str:
    said = [
        str(lock.sha256),
        str(interpreter.executable),
        interpreter.implementation,
        interpreter.version,
        str(interpreter.deflate.answer),
    ]
    digest = hashlib.sha256("\0".join(said).encode()).hexdigest()
    return f"{lock.name}-{digest[:16]}"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
