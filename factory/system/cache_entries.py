"""List the entries of a cache, with their sizes and times of use."""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from factory.system.entries import files_below
from factory.system.files import TEMPORARY_PREFIX
from factory.system.lease import sizes_of_temporaries


class Namespace(StrEnum):
    """The kinds of entries; each has a directory of its own."""

    ASSETS = "assets"
    PARTIALS = "partials"
    RECORDS = "records"
    DEFLATE = "deflate"
    TEMPORARY = "temporary"
    TOOLCHAINS = "toolchains"
    LOGS = "logs"


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheEntry:
    """One file of the cache.

    Attributes:
        name: The path below the namespace's directory.
        last_used_s: The time of the last use, in seconds since the epoch.
    """

    namespace: Namespace
    name: str
    path: Path
    size_bytes: int
    last_used_s: float


def entries_of(root: Path, *namespaces: Namespace) -> tuple[CacheEntry, ...]:
    """Return the entries of some namespaces, the least recently used first."""
    entries = (entry for namespace in namespaces for entry in _entries_of(root, namespace))
    return tuple(sorted(entries, key=lambda entry: (entry.last_used_s, entry.path)))


def _entries_of(root: Path, namespace: Namespace) -> Iterator[CacheEntry]:
    directory = root / namespace
    if namespace is Namespace.TEMPORARY:
        yield from _temporaries(root)
        return
    if directory.is_symlink():  # what is behind it is not of this cache alone
        return
    if namespace is Namespace.TOOLCHAINS:
        yield from _toolchains(directory)
        return
    for path in files_below(directory):
        with suppress(FileNotFoundError):
            if not path.name.startswith("."):
                yield _entry(namespace, path, path.lstat(), below=directory)


def _temporaries(root: Path) -> Iterator[CacheEntry]:
    for path, status in sizes_of_temporaries(root):
        yield _entry(Namespace.TEMPORARY, path, status, below=root)
    for namespace in Namespace:
        for path in (root / namespace).glob(f"{TEMPORARY_PREFIX}*"):
            with suppress(FileNotFoundError):
                yield _entry(Namespace.TEMPORARY, path, path.lstat(), below=root)


def _toolchains(directory: Path) -> Iterator[CacheEntry]:
    """Yield each environment as one entry, and the logs beside them."""
    for path in directory.glob("[!.]*"):
        if path.suffix == ".lock":
            continue
        with suppress(FileNotFoundError):
            entry = _entry(Namespace.TOOLCHAINS, path, path.lstat(), below=directory)
            if path.is_dir() and not path.is_symlink():
                sizes = map(_size_of, files_below(path))
                entry = replace(entry, size_bytes=sum(sizes))
            yield entry


def _size_of(path: Path) -> int:
    try:
        return path.lstat().st_size
    except FileNotFoundError:
        return 0


def _entry(namespace: Namespace, path: Path, status: os.stat_result, *, below: Path) -> CacheEntry:
    return CacheEntry(
        namespace=namespace,
        name=path.relative_to(below).as_posix(),
        path=path,
        size_bytes=status.st_size,
        last_used_s=status.st_mtime,
    )
