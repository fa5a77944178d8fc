"""A content-addressed cache of release assets and derived files, and of small JSON records.

A blob is stored under its expected digest. It is added only if its bytes have that digest, and
checked again whenever it is read, so damage is noticed. Several processes can use one cache at
the same time: a blob is locked while it is received, and every other change is one rename.

    <root>/assets/<algorithm>-<hex>       whole release assets
    <root>/partials/<algorithm>-<hex>     unfinished downloads, to be resumed
    <root>/records/<kind>-<hash of key>   JSON, such as a channel's answer
    <root>/deflate/...                    compressed wheel members
    <root>/locks/<name>.lock              empty, and never removed, since removing a lock file races

The modification time of an entry is the time of its last use, because many file systems do not
record access times.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock, Timeout

from factory.core.digests import Digest, read_chunks
from factory.core.errors import IntegrityError
from factory.system.files import WrongDigest, atomic_write, read_verified, sweep_temporaries, writing
from factory.system.parallel import Stopped

_LOCK_POLL_S = 0.2
_STALE_TEMPORARY_S = 86_400.0


class Namespace(StrEnum):
    """The kinds of entries; each has a directory of its own."""

    ASSETS = "assets"
    PARTIALS = "partials"
    RECORDS = "records"
    DEFLATE = "deflate"


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


class PartialBlob:
    """A blob that is being received; it starts with the bytes of an earlier, interrupted attempt.

    Only `Cache.receive` creates one, while the caller holds the blob's lock.
    """

    def __init__(self, *, partial: Path, final: Path, digest: Digest, name: str) -> None:
        self._partial = partial
        self._final = final
        self._digest = digest
        self._name = name
        with writing(partial):
            partial.parent.mkdir(parents=True, exist_ok=True)
            self._file = partial.open("a+b")
        self._hash = digest.algorithm.new()
        self._size_bytes = 0
        self._file.seek(0)
        for chunk in read_chunks(self._file):
            self._hash.update(chunk)
            self._size_bytes += len(chunk)

    @property
    def size_bytes(self) -> int:
        """The number of bytes received."""
        return self._size_bytes

    @property
    def actual(self) -> Digest:
        """The digest of the bytes received."""
        return Digest(self._digest.algorithm, self._hash.hexdigest())

    @property
    def is_complete(self) -> bool:
        """Whether the bytes received have the expected digest."""
        return self.actual == self._digest

    def write(self, chunk: bytes) -> None:
        """Append a chunk.

        Raises:
            CannotWrite: The disk is full or read-only; the bytes received so far are kept.
        """
        with writing(self._partial):
            self._file.write(chunk)
        self._hash.update(chunk)
        self._size_bytes += len(chunk)

    def restart(self) -> None:
        """Discard all bytes received."""
        with writing(self._partial):
            self._file.truncate(0)
        self._hash = self._digest.algorithm.new()
        self._size_bytes = 0

    def commit(self) -> Path:
        """Add the blob to the cache and return its path.

        Raises:
            WrongDigest: The bytes do not have the expected digest; they are discarded.
        """
        if not self.is_complete:
            actual = self.actual
            self.restart()
            raise WrongDigest(self._name, expected=self._digest, actual=actual)
        self.close()
        with writing(self._final):
            self._final.parent.mkdir(parents=True, exist_ok=True)
            self._partial.replace(self._final)
        return self._final

    def close(self) -> None:
        """Close the file, keeping the bytes received for another attempt; an empty file is removed."""
        if self._file.closed:
            return
        with writing(self._partial):
            self._file.close()
        if self._size_bytes == 0:
            self._partial.unlink(missing_ok=True)


class Cache:
    """A cache in one directory, which is created when the first entry is added."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, digest: Digest) -> Path:
        """Return the path of a blob, whether or not it exists."""
        return self.root / Namespace.ASSETS / _blob_name(digest)

    def has(self, digest: Digest) -> bool:
        """Return whether a blob exists; its content is checked when it is read."""
        return self.path(digest).is_file()

    def touch(self, digest: Digest) -> Path:
        """Record that a blob is in use, so that pruning removes others first, and return its path."""
        path = self.path(digest)
        with suppress(OSError):  # a read-only cache still works, only its times of use do not change
            os.utime(path)
        return path

    def discard(self, digest: Digest) -> None:
        """Remove a blob, if it exists.

        Raises:
            CannotWrite: It cannot be removed.
        """
        path = self.path(digest)
        with writing(path):
            path.unlink(missing_ok=True)

    @contextmanager
    def open(self, digest: Digest) -> Iterator[BinaryIO]:
        """Open a blob; all of it is read and checked by the time the context ends.

        Raises:
            IntegrityError: The blob is missing, or it is damaged and has been removed.
        """
        path = self.touch(digest)
        if not path.is_file():
            raise IntegrityError(
                f"{digest} is not in the cache",
                hint="Run again to download it. Do not prune or clear a cache while a run uses it.",
            )
        try:
            with read_verified(path, digest) as file:
                yield file
        except WrongDigest as error:
            if error.expected != digest:
                raise
            path.unlink(missing_ok=True)
            raise IntegrityError(
                f"the cached copy of {digest} was damaged and has been removed: its digest is {error.actual}",
                hint="Run again to download it. If this happens often, check the disk.",
            ) from error

    def verify(self, digest: Digest) -> None:
        """Read a blob only to check it.

        Raises:
            IntegrityError: The blob is missing, or it is damaged and has been removed.
        """
        with self.open(digest):
            pass

    @contextmanager
    def lock(self, digest: Digest, *, is_stopped: Callable[[], bool] | None = None) -> Iterator[None]:
        """Keep every other process and thread from receiving a blob.

        Args:
            digest: The blob's digest.
            is_stopped: Called now and then while another process holds the lock.

        Raises:
            Stopped: ``is_stopped`` returned true.
        """
        lock = self._file_lock(_blob_name(digest))
        while True:
            try:
                lock.acquire(timeout=_LOCK_POLL_S)
                break
            except Timeout:
                if is_stopped is not None and is_stopped():
                    raise Stopped from None
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def receive(self, digest: Digest, *, name: str) -> Iterator[PartialBlob]:
        """Receive a blob; the caller holds its lock.

        If the context ends before `PartialBlob.commit`, the bytes received are kept for another attempt.

        Args:
            digest: The expected digest.
            name: The blob's name in an error message.
        """
        partial = self.root / Namespace.PARTIALS / _blob_name(digest)
        blob = PartialBlob(partial=partial, final=self.path(digest), digest=digest, name=name)
        try:
            yield blob
        finally:
            blob.close()

    def read_record(self, kind: str, key: str) -> object | None:
        """Return a record's value as parsed JSON, not checked any further, or None if it is missing.

        An unreadable record counts as missing: its writer can write it again.
        """
        path = self._record_path(kind, key)
        try:
            record = json.loads(path.read_bytes())
        except (OSError, ValueError):
            return None
        if not isinstance(record, dict) or record.get("key") != key:
            return None
        with suppress(OSError):
            os.utime(path)
        value: object = record.get("value")
        return value

    def write_record(self, kind: str, key: str, value: Mapping[str, object]) -> None:
        """Write a small JSON value, replacing an earlier one.

        Raises:
            CannotWrite: The disk is full or read-only.
        """
        text = json.dumps({"key": key, "value": value}, indent=1, sort_keys=True)
        atomic_write(self._record_path(kind, key), text.encode())

    def entries(self) -> tuple[CacheEntry, ...]:
        """Return all entries, the least recently used first."""
        return _by_last_use(entry for namespace in Namespace for entry in self._entries_of(namespace))

    def prune(self, *, max_bytes: int, older_than_s: float, now_s: float) -> tuple[CacheEntry, ...]:
        """Remove old entries, then the least recently used ones until the rest fits; return them.

        Blobs that another process is receiving are kept.

        Args:
            max_bytes: The size of the entries that may stay.
            older_than_s: Entries not used for this many seconds are removed even if they fit.
            now_s: The current time, in seconds since the epoch.
        """
        removed = self._shrink(self.entries(), max_bytes=max_bytes, oldest_s=now_s - older_than_s)
        for namespace in Namespace:
            sweep_temporaries(self.root / namespace, before_s=now_s - _STALE_TEMPORARY_S)
        return removed

    def trim(self, namespace: Namespace, *, max_bytes: int) -> tuple[CacheEntry, ...]:
        """Remove a namespace's least recently used entries until the rest fits, and return them."""
        return self._shrink(_by_last_use(self._entries_of(namespace)), max_bytes=max_bytes)

    def clear(self) -> tuple[CacheEntry, ...]:
        """Remove every entry that no other process is receiving, and return the removed ones."""
        return tuple(entry for entry in self.entries() if self._remove(entry))

    def _shrink(
        self, entries: tuple[CacheEntry, ...], *, max_bytes: int, oldest_s: float = float("-inf")
    ) -> tuple[CacheEntry, ...]:
        excess = sum(entry.size_bytes for entry in entries) - max_bytes
        removed = []
        for entry in entries:
            if (excess > 0 or entry.last_used_s < oldest_s) and self._remove(entry):
                excess -= entry.size_bytes
                removed.append(entry)
        return tuple(removed)

    def _entries_of(self, namespace: Namespace) -> Iterator[CacheEntry]:
        directory = self.root / namespace
        for path in directory.rglob("[!.]*"):
            with suppress(FileNotFoundError):
                stat = path.stat()
                if path.is_file():
                    yield CacheEntry(
                        namespace=namespace,
                        name=path.relative_to(directory).as_posix(),
                        path=path,
                        size_bytes=stat.st_size,
                        last_used_s=stat.st_mtime,
                    )

    def _remove(self, entry: CacheEntry) -> bool:
        if entry.namespace is not Namespace.PARTIALS:
            with writing(entry.path):
                entry.path.unlink(missing_ok=True)
            return True
        try:
            with self._file_lock(entry.name).acquire(timeout=0), writing(entry.path):
                entry.path.unlink(missing_ok=True)
        except Timeout:
            return False
        return True

    def _file_lock(self, name: str) -> FileLock:
        path = self.root / "locks" / f"{name}.lock"
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        return FileLock(path)

    def _record_path(self, kind: str, key: str) -> Path:
        return self.root / Namespace.RECORDS / f"{kind}-{hashlib.sha256(key.encode()).hexdigest()}.json"


def _by_last_use(entries: Iterable[CacheEntry]) -> tuple[CacheEntry, ...]:
    return tuple(sorted(entries, key=lambda entry: (entry.last_used_s, entry.path)))


def _blob_name(digest: Digest) -> str:
    return f"{digest.algorithm}-{digest.hex}"
