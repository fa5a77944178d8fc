"""A content-addressed cache of release assets and derived files, and of small JSON records.

A blob is stored under its expected digest. It is added only if its bytes have that digest, and
checked again whenever it is read, so damage is noticed. Several processes can use one cache at
the same time: a blob is received in a directory of the run, and every change of an entry is one rename.

    <root>/assets/<algorithm>-<hex>       whole release assets
    <root>/partials/<algorithm>-<hex>     unfinished downloads, to be resumed
    <root>/records/<kind>-<hash of key>   JSON, such as a channel's answer
    <root>/deflate/...                    compressed wheel members
    <root>/toolchains/<name>-<hash>       environments of tools, each one entry
    <root>/logs/...                       of builds that failed
    <root>/temporary/...                  temporary files and leases of runs: see `factory.system.lease`
    <root>/locks/<name>.lock              empty, and never removed, since removing a lock file races

An entry in use is leased, and not removed. An entry that is damaged, missing or not a regular
file is made again: see `made_again`. The modification time of an entry is the time of its last
use, because many file systems do not record access times.
"""

import hashlib
import json
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, TypeVar

from filelock import FileLock, Timeout

from factory.core.digests import Digest
from factory.core.errors import IntegrityError
from factory.system.cache_entries import CacheEntry, Namespace, entries_of
from factory.system.entries import (
    is_entry,
    open_entry,
    open_own_file,
    put_entry,
    read_entry,
    remove_entry,
)
from factory.system.files import (
    CannotWrite,
    WrongDigest,
    sweep_temporaries,
    verified,
    writing,
)
from factory.system.lease import (
    PARTIAL_PREFIX,
    Lease,
    gate,
    keep_partial,
    leased_entries,
    sweep,
)
from factory.system.parallel import Stopped
from factory.system.partial_blob import PartialBlob

ResultT = TypeVar("ResultT")

_LOCK_POLL_S = 0.2
_STALE_TEMPORARY_S = 86_400.0


class DamagedEntry(IntegrityError):
    """An entry was damaged or gone when it was read; it has been removed, so that it is made again."""

    hint = "Run the same command again. If this happens often, check the disk."


class Cache:
    """A cache in one directory, which is created when the first entry is added.

    Attributes:
        lease: The entries that this process uses, and its temporary files; `close` ends it.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.lease = Lease(root)

    def close(self) -> None:
        """End the lease and remove the temporary files of this process."""
        self.lease.close()

    def path(self, digest: Digest) -> Path:
        """Return the path of a blob, whether or not it exists."""
        return self.root / Namespace.ASSETS / _blob_name(digest)

    def has(self, digest: Digest) -> bool:
        """Return whether a blob exists, and lease it; its content is checked when it is read."""
        path = self.path(digest)
        self.lease.hold([path])
        return is_entry(path)

    def touch(self, digest: Digest) -> Path:
        """Record that a blob is in use, so that pruning removes others first, and return its path."""
        path = self.path(digest)
        with suppress(OSError):  # a read-only cache still works, only its times of use do not change
            os.utime(path)
        return path

    def discard(self, digest: Digest) -> None:
        """Remove a blob, unless another process uses it.

        Raises:
            CannotWrite: It cannot be removed.
        """
        path = self.path(digest)
        with gate(self.root):
            if path not in leased_entries(self.root, but=self.lease):
                remove_entry(path)

    @contextmanager
    def open(self, digest: Digest) -> Iterator[BinaryIO]:
        """Open a blob; all of it is read and checked by the time the context ends.

        Raises:
            DamagedEntry: The blob is missing, or it is damaged and has been removed.
        """
        path = self.touch(digest)
        self.lease.hold([path])
        file = open_entry(path)
        if file is None:
            raise DamagedEntry(f"{digest} is not in the cache")
        try:
            with verified(file, digest, name=path.name) as content:
                yield content
        except WrongDigest as error:
            if error.expected != digest:
                raise
            remove_entry(path)
            raise DamagedEntry(
                f"the cached copy of {digest} was damaged and has been removed: its digest is {error.actual}"
            ) from error

    def verify(self, digest: Digest) -> None:
        """Read a blob only to check it.

        Raises:
            DamagedEntry: The blob is missing, or it is damaged and has been removed.
        """
        with self.open(digest):
            pass

    @contextmanager
    def lock(self, digest: Digest, *, is_stopped: Callable[[], bool] | None = None) -> Iterator[None]:
        """Keep other processes and threads from receiving a blob, so that it is downloaded once.

        Nothing but this depends on the lock: without permission to use the lock file, for example
        because it belongs to another user, the blob is received anyway.

        Args:
            digest: The blob's digest.
            is_stopped: Called now and then while another process holds the lock.

        Raises:
            Stopped: ``is_stopped`` returned true.
            CannotWrite: The lock file cannot be made.
        """
        lock = self._file_lock(_blob_name(digest))
        try:
            while not _is_acquired(lock, timeout_s=_LOCK_POLL_S):
                if is_stopped is not None and is_stopped():
                    raise Stopped
        except CannotWrite as error:
            if not error.is_refused:
                raise
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def receive(self, digest: Digest, *, name: str) -> Iterator[PartialBlob]:
        """Receive a blob in the directory of this run; the caller holds its lock.

        If the context ends before `PartialBlob.commit`, the bytes received are kept for another attempt.

        Args:
            digest: The expected digest.
            name: The blob's name in an error message.

        Raises:
            CannotWrite: The cache is not writable.
        """
        kept = self.root / Namespace.PARTIALS / _blob_name(digest)
        own = self.lease.new_path(f"{PARTIAL_PREFIX}{secrets.token_hex(4)}-{_blob_name(digest)}")
        with suppress(OSError):
            kept.replace(own)
        blob = PartialBlob(partial=own, final=self.path(digest), digest=digest, name=name)
        try:
            yield blob
        finally:
            try:
                blob.close()
            finally:
                keep_partial(own, kept)

    def read_record(self, kind: str, key: str) -> object | None:
        """Return a record's value as parsed JSON, not checked any further, or None if it is missing.

        A record that is unreadable, or was changed after it was written, counts as missing: its
        writer can write it again.
        """
        path = self._record_path(kind, key)
        try:
            record = json.loads(read_entry(path) or b"")
        except (ValueError, RecursionError):
            return None
        if not isinstance(record, dict) or record.get("key") != key:
            return None
        value: object = record.get("value")
        if record.get("sha256") != _checksum(key, value):
            return None
        with suppress(OSError):
            os.utime(path)
        return value

    def write_record(self, kind: str, key: str, value: Mapping[str, object]) -> None:
        """Write a small JSON value that only this user can read, replacing an earlier one.

        A cache that is read-only for this user still works, without the record.

        Raises:
            CannotWrite: The disk is full.
        """
        if self.read_record(kind, key) == value:
            return
        record = {"key": key, "sha256": _checksum(key, value), "value": value}
        text = json.dumps(record, indent=1, sort_keys=True)
        try:
            temporary = self.lease.new_path()
            with writing(temporary), open_own_file(temporary) as file:
                file.write(text.encode())
            put_entry(temporary, self._record_path(kind, key))
        except CannotWrite as error:
            if not error.is_refused:
                raise

    def entries(self) -> tuple[CacheEntry, ...]:
        """Return all entries and temporary files, the least recently used first."""
        return entries_of(self.root, *Namespace)

    def prune(self, *, max_bytes: int, older_than_s: float, now_s: float) -> tuple[CacheEntry, ...]:
        """Remove old entries, then the least recently used ones until the rest fits; return them.

        Entries that another process uses are kept. The temporary files of dead processes are
        always removed.

        Args:
            max_bytes: The size of the entries that may stay.
            older_than_s: Entries not used for this many seconds are removed even if they fit.
            now_s: The current time, in seconds since the epoch.
        """
        swept = self._sweep(before_s=now_s - _STALE_TEMPORARY_S)
        return swept + self._shrink(self.entries(), max_bytes=max_bytes, oldest_s=now_s - older_than_s)

    def trim(self, namespace: Namespace, *, max_bytes: int) -> tuple[CacheEntry, ...]:
        """Remove a namespace's least recently used entries until the rest fits, and return them.

        Entries that another process uses are kept; those that this process has used are not.
        """
        return self._shrink(entries_of(self.root, namespace), max_bytes=max_bytes, but=self.lease)

    def clear(self) -> tuple[CacheEntry, ...]:
        """Remove every entry and temporary file that no other process uses, and return the removed ones."""
        swept = self._sweep(before_s=float("inf"))
        return swept + self._shrink(self.entries(), max_bytes=0, oldest_s=float("inf"))

    def _shrink(
        self,
        entries: tuple[CacheEntry, ...],
        *,
        max_bytes: int,
        oldest_s: float = float("-inf"),
        but: Lease | None = None,
    ) -> tuple[CacheEntry, ...]:
        excess = sum(entry.size_bytes for entry in entries) - max_bytes
        if excess <= 0 and all(entry.last_used_s >= oldest_s for entry in entries):
            return ()
        removed = []
        with gate(self.root):
            in_use = leased_entries(self.root, but=but)
            for entry in entries:
                is_due = excess > 0 or entry.last_used_s < oldest_s
                if is_due and entry.path not in in_use and self._remove(entry):
                    excess -= entry.size_bytes
                    removed.append(entry)
        return tuple(removed)

    def _sweep(self, *, before_s: float) -> tuple[CacheEntry, ...]:
        """Remove the temporary files of dead runs, and those of older versions that are old enough."""
        before = entries_of(self.root, Namespace.TEMPORARY)
        sweep(self.root)
        for namespace in Namespace:
            sweep_temporaries(self.root / namespace, before_s=before_s)
        return tuple(entry for entry in before if not entry.path.exists())

    def _remove(self, entry: CacheEntry) -> bool:
        match entry.namespace:
            case Namespace.TEMPORARY:  # of a living process: those of dead ones have been removed
                return False
            case Namespace.PARTIALS:
                lock = self._file_lock(entry.name)
                if not _is_acquired(lock, timeout_s=0):
                    return False
                try:
                    remove_entry(entry.path)
                finally:
                    lock.release()
            case _:
                remove_entry(entry.path)
        return True

    def _file_lock(self, name: str) -> FileLock:
        path = self.root / "locks" / f"{name}.lock"
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        return FileLock(path)

    def _record_path(self, kind: str, key: str) -> Path:
        return self.root / Namespace.RECORDS / f"{kind}-{hashlib.sha256(key.encode()).hexdigest()}.json"


def made_again(action: Callable[[bool], ResultT]) -> ResultT:
    """Call a function, and call it once more with true if an entry was damaged or gone.

    The second call must trust no entry that it has not checked itself.

    Raises:
        DamagedEntry: An entry was damaged in the second call, too: the disk may be broken.
    """
    try:
        return action(False)  # noqa: FBT003 - the only argument
    except DamagedEntry:
        return action(True)  # noqa: FBT003 - as above


def _is_acquired(lock: FileLock, *, timeout_s: float) -> bool:
    with writing(Path(lock.lock_file)):
        try:
            lock.acquire(timeout=timeout_s)
        except Timeout:
            return False
    return True


def _checksum(key: str, value: object) -> str:
    """Return a digest of a record, to notice damage; who can write the file can also change the digest."""
    text = json.dumps([key, value], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _blob_name(digest: Digest) -> str:
    return f"{digest.algorithm}-{digest.hex}"
