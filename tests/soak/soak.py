"""The program in many processes, and whether each of them ended rightly."""

import hashlib
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from factory.system.files import TEMPORARY_PREFIX
from tests.soak.registry import GOOD

ROOT = Path(__file__).resolve().parents[2]
LONGEST_S = 300.0
_ALLOWED = ("--allow", "closed-world-member:*=the release is synthetic")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a process ended."""

    status: int
    err: str

    @property
    def first(self) -> str:
        """The first line of the error, or what was printed last."""
        lines = self.err.splitlines()
        return next((line for line in lines if line.startswith("factory: ")), lines[-1] if lines else "")


class Started:
    """A running process; its messages go to a file, so that it never waits for a reader."""

    def __init__(self, words: Sequence[str], *, cache: Path, cwd: Path) -> None:
        cwd.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix="soak-err-")
        self._log = Path(name)
        environ = {name: value for name, value in os.environ.items() if not name.startswith("FACTORY_")}
        environ |= {
            "PYTHONPATH": str(ROOT),
            "DOCKER_HOST": "unix:///nonexistent/engine.sock",
            "FACTORY_CACHE_DIR": str(cache),
        }
        with os.fdopen(descriptor, "wb") as log:
            self.process = subprocess.Popen(  # noqa: S603 - this program
                [sys.executable, "-m", "factory", *words],
                cwd=cwd,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
            )

    def wait(self, timeout_s: float = LONGEST_S) -> Ended:
        """Wait for the end; a process that does not end is killed and has the status -99."""
        try:
            status = self.process.wait(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            status = -99
        err = self._log.read_text("utf-8", "replace")
        self._log.unlink()
        return Ended(status=status, err=err)


@dataclass(slots=True, kw_only=True)
class Soak:
    """What all tries share.

    Attributes:
        home: The directory of all files; the toolchains in it are in every cache.
        address: The address of the registry.
        expected: The digests of the files that an undisturbed run writes.
        run_s: How long an undisturbed run takes.
    """

    home: Path
    address: str
    choice: random.Random
    expected: Mapping[str, str] = field(default_factory=dict)
    run_s: float = 5.0
    number: int = 0

    def new_directory(self, name: str) -> Path:
        """Return a new directory for one try."""
        self.number += 1
        directory = self.home / f"{name}-{self.number}"
        directory.mkdir()
        return directory

    def cache(self, directory: Path) -> Path:
        """Return the cache in a directory, with the toolchain, so that no index is needed."""
        cache = directory / "cache"
        cache.mkdir(parents=True, exist_ok=True)
        if not (cache / "toolchains").exists():
            (cache / "toolchains").symlink_to(self.home / "toolchains")
        return cache

    def wheels(self, cache: Path, out: Path, *more: str, behaviour: str = GOOD, key: str = "0") -> Started:
        """Start ``factory wheels``; a registry with another key counts its requests from the start."""
        registry = f"{self.address}/{behaviour}~{key}"
        words = ("wheels", "0.163.0", "--out", str(out), "--npm-registry", registry, *_ALLOWED, *more)
        return Started(words, cache=cache, cwd=out.parent)

    def fault_of(self, ended: Ended, out: Path) -> str:
        """Return what is wrong with a run that should have written the wheels; empty if nothing is."""
        if "Traceback" in ended.err:
            return f"traceback: {ended.err.splitlines()[-1]}"
        if ended.status != 0:
            return f"exit status {ended.status}: {ended.first}"
        found = contents(out)
        if found != self.expected:
            return f"other files: {sorted(set(found.items()) ^ set(self.expected.items()))[:3]}"
        left = [path.name for path in out.rglob(f"{TEMPORARY_PREFIX}*")]
        return f"left behind: {left}" if left else ""


def contents(directory: Path) -> dict[str, str]:
    """Return the digests of the files below a directory."""
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and TEMPORARY_PREFIX not in path.name
    }
