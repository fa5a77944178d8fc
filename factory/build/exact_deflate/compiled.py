"""Compile the C source into a directory that only this user can write.

A library is code that this process will run. So it is never taken from a cache that is shared or
restored; its directory and file must belong to this user and be closed to others, and its name
has the digests of its source and of its bytes. What does not fit is compiled again.

It is compiled for the processor of this machine, which saves a tenth of the time: no other machine loads it,
because its name also has the digest of the processor's features.

An installation can have the library in `SHIPPED`: ``python -m factory.build.exact_deflate "$PATH"``
compiles it there, as the builder image does, for every processor of the architecture. It is trusted as the
Python files beside it are.
"""

import hashlib
import os
import secrets
import shutil
import stat
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from factory.core.errors import HostError
from factory.system.files import TEMPORARY_PREFIX
from factory.system.process import CannotStart, Command, Runner

COMPILERS = ("cc", "gcc", "clang")
FLAGS = ("-std=c11", "-O3", "-fPIC", "-shared", "-fvisibility=hidden")
FOR_THIS_PROCESSOR = "-march=native"
SOURCE = Path(__file__).with_name("exact_deflate.c")
SHIPPED = Path(__file__).with_name("shipped")
"""The directory of a library that was compiled when the package was installed."""
CPUINFO = Path("/proc/cpuinfo")

_TIMEOUT_S = 300.0
_GROUP_AND_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class NotAvailable(HostError):
    """The encoder cannot be used here; zlib does the same work, more slowly."""

    hint = "Install a C compiler (Debian: apt-get install gcc), or go on with zlib: the bytes are the same."


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledLibrary:
    """A library on disk.

    Attributes:
        source_sha256: The digest of its C source, in hexadecimal.
    """

    path: Path
    source_sha256: str


def compile_library(
    *, directory: Path, search_path: str, runner: Runner, shipped: Path = SHIPPED, cpuinfo: Path = CPUINFO
) -> CompiledLibrary:
    """Return the compiled library, and compile it if there is no valid one.

    Args:
        directory: Where it is kept; created with mode 0700.
        search_path: Where to look for a C compiler, in the format of ``PATH``.
        runner: Starts the compiler.
        shipped: The directory of a library that came with the installation; it need not exist.
        cpuinfo: Where Linux lists the features of the processor.

    Raises:
        NotAvailable: No compiler was found, it failed, or the directory is not private.
    """
    source_sha256 = hashlib.sha256(SOURCE.read_bytes()).hexdigest()
    try:
        path = next(_shipped(shipped, f"{_key(source_sha256, FLAGS)}-"), None)
        if path is None:
            features = _features(cpuinfo)
            flags = (*FLAGS, FOR_THIS_PROCESSOR) if features else FLAGS
            prefix = f"{_key(source_sha256, (*flags, features))}-"
            _make_private(directory)
            path = next(_valid(directory, prefix), None) or _compile(
                directory, prefix, flags, search_path=search_path, runner=runner
            )
    except OSError as error:
        raise NotAvailable(
            f"cannot compile exact_deflate in {directory}: {error.strerror or error}"
        ) from error
    return CompiledLibrary(path=path, source_sha256=source_sha256)


def _key(source_sha256: str, flags: tuple[str, ...]) -> str:
    """Return what decides the library: source, flags, and the platform of this interpreter."""
    platform = (sys.platform, sysconfig.get_platform(), str(sysconfig.get_config_var("SOABI")))
    return hashlib.sha256("\0".join((source_sha256, *flags, *platform)).encode()).hexdigest()[:16]


def _features(cpuinfo: Path) -> str:
    """Return the features of an x86 processor, as Linux lists them; empty if they are not known.

    Elsewhere not every compiler knows `FOR_THIS_PROCESSOR`, and nothing lists what the library would need.
    """
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return next((line for line in lines if line.startswith("flags")), "")


def _make_private(directory: Path) -> None:
    """Create the directory; one of this user that others could have changed is emptied.

    Raises:
        NotAvailable: It belongs to another user, or is not a directory.
    """
    directory.parent.mkdir(parents=True, exist_ok=True)
    try:
        directory.mkdir(mode=0o700)
    except FileExistsError:
        status = directory.lstat()
        if not stat.S_ISDIR(status.st_mode) or not _is_own(status):
            raise NotAvailable(f"{directory} is not a directory of this user") from None
        if not _is_closed(status):
            shutil.rmtree(directory)
            directory.mkdir(mode=0o700)


def _is_own(status: os.stat_result) -> bool:
    return sys.platform == "win32" or status.st_uid == os.geteuid()


def _is_closed(status: os.stat_result) -> bool:
    """Whether other users have no access; on Windows the directory's access list decides, not the mode."""
    return sys.platform == "win32" or not status.st_mode & _GROUP_AND_OTHERS


def ship(*, search_path: str, runner: Runner, directory: Path = SHIPPED) -> Path:
    """Compile the library into the installed package, for every user who can run the package.

    Raises:
        NotAvailable: No compiler was found, or it failed.
    """
    directory.mkdir(mode=0o755, exist_ok=True)
    prefix = f"{_key(hashlib.sha256(SOURCE.read_bytes()).hexdigest(), FLAGS)}-"
    path = _compile(directory, prefix, FLAGS, search_path=search_path, runner=runner)
    path.chmod(0o755)
    return path


def _shipped(directory: Path, prefix: str) -> Iterator[Path]:
    """Yield the library that came with the installation, if it is complete and of this source."""
    for path in sorted(directory.glob(f"{prefix}*.so")):
        if path.name == _name(prefix, path.read_bytes()):
            yield path


def _valid(directory: Path, prefix: str) -> Iterator[Path]:
    """Yield the libraries that are unchanged, and remove the others of this name."""
    for path in sorted(directory.glob(f"{prefix}*.so")):
        status = path.lstat()
        is_private = stat.S_ISREG(status.st_mode) and _is_own(status) and _is_closed(status)
        if is_private and path.name == _name(prefix, path.read_bytes()):
            yield path
        else:
            path.unlink()


def _name(prefix: str, library: bytes) -> str:
    return f"{prefix}{hashlib.sha256(library).hexdigest()[:32]}.so"


def _compile(
    directory: Path, prefix: str, flags: tuple[str, ...], *, search_path: str, runner: Runner
) -> Path:
    """Compile under a temporary name, and rename: another process sees the whole library or none."""
    compiler = next(filter(None, (shutil.which(name, path=search_path) for name in COMPILERS)), None)
    if compiler is None:
        raise NotAvailable(f"no C compiler ({', '.join(COMPILERS)}) is on PATH")
    temporary = directory / f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}"
    argv = (compiler, *flags, "-o", str(temporary), str(SOURCE))
    try:
        completed = runner.run(Command(argv=argv, env={"PATH": search_path}, timeout_s=_TIMEOUT_S))
        if completed.returncode != 0 or not temporary.is_file():
            lines = completed.output.strip().splitlines()
            raise NotAvailable(
                f"{compiler} failed ({completed.reason}): {lines[-1] if lines else 'no output'}"
            )
        temporary.chmod(0o700)
        path = directory / _name(prefix, temporary.read_bytes())
        temporary.replace(path)
    except CannotStart as error:
        raise NotAvailable(str(error)) from error
    finally:
        temporary.unlink(missing_ok=True)
    return path
