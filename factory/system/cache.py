"""A content-addressed cache of blobs, and of small records about them.

Every blob lies under the digest that somebody promised for it, is placed only when
its bytes have that digest, and is checked again whenever it is read, so a damaged disk
or a meddling hand shows. Several processes may use one cache at once: a blob that
is being received is locked, everything else happens in one rename.

    <root>/assets/<algorithm>-<hex>       whole release assets
    <root>/partials/<algorithm>-<hex>     unfinished ones, kept to be resumed
    <root>/records/<kind>-<hash of key>   JSON, what a channel said
    <root>/deflate/...                    derived: what compressing gave
    <root>/locks/<name>.lock              empty files; never removed, since removing one races

The time of an entry's last use is its modification time: file systems often keep no
access time.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock, Timeout

from factory.core.digests import Digest, read_chunks
from factory.core.errors import IntegrityError, UpstreamError
from factory.system.files import WrongDigest, atomic_write, read_verified, sweep_temporaries, writing

_LOCK_POLL_S = 0.2
_STALE_TEMPORARY_S = 86_400.0


class DamagedBlob(IntegrityError):
    """A blob of the cache is not what it was when it was placed; it has been removed."""

    hint = "Run again: it will be fetched anew. If this happens often, check the disk."

    def __init__(self, digest: Digest, seen: Digest) -> None:
        super().__init__(f"the cache's copy of {digest} is damaged (its digest is {seen}); it was removed")


class MissingBlob(IntegrityError):
    """A blob is not in the cache, or no longer."""

    hint = "Run again: it will be fetched. Do not prune or clear a cache while a run uses it."

    def __init__(self, digest: Digest) -> None:
        super().__init__(f"the cache has no {digest}")


class Cancelled(UpstreamError):
    """Work ended because other work failed; the other error is the one to show."""

    def __init__(self) -> None:
        super().__init__("stopped, because something else failed")


class Namespace(StrEnum):
    """The classes of entries; each is a directory of the cache."""

    ASSETS = "assets"
    PARTIALS = "partials"
    RECORDS = "records"
    DEFLATE = "deflate"


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheEntry:
    """One file of the cache.

    Attributes:
        namespace: Its class.
        name: Its path below the namespace's directory.
        path: Where it is.
        size_bytes: Its size.
        last_used_s: When it was last used, in seconds since the epoch.
    """

    namespace: Namespace
    name: str
    path: Path
    size_bytes: int
    last_used_s: float


class PartialBlob:
    """A blob on its way into the cache; what an earlier attempt received counts as received.

    Only `Cache.receive` makes one, and holds the blob's lock meanwhile.
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
        """How many bytes have been received."""
        return self._size_bytes

    @property
    def seen(self) -> Digest:
        """The digest of the bytes received."""
        return Digest(self._digest.algorithm, self._hash.hexdigest())

    @property
    def is_whole(self) -> bool:
        """Whether the bytes received are those that were promised."""
        return self.seen == self._digest

    def write(self, chunk: bytes) -> None:
        """Take the next bytes.

        Raises:
            CannotWrite: The cache has no room or is read-only; what has been received stays.
        """
        with writing(self._partial):
            self._file.write(chunk)
        self._hash.update(chunk)
        self._size_bytes += len(chunk)

    def restart(self) -> None:
        """Forget everything received."""
        with writing(self._partial):
            self._file.truncate(0)
        self._hash = self._digest.algorithm.new()
        self._size_bytes = 0

    def commit(self) -> Path:
        """Place the blob.

        Raises:
            WrongDigest: The bytes are not those promised; they are forgotten.
        """
        if not self.is_whole:
            seen = self.seen
            self.restart()
            raise WrongDigest(self._name, promised=self._digest, seen=seen)
        self.close()
        with writing(self._final):
            self._final.parent.mkdir(parents=True, exist_ok=True)
            self._partial.replace(self._final)
        return self._final

    def close(self) -> None:
        """Keep what was received for another attempt; nothing is kept of nothing."""
        if self._file.closed:
            return
        with writing(self._partial):
            self._file.close()
        if self._size_bytes == 0:
            self._partial.unlink(missing_ok=True)


class Cache:
    """A cache under one directory, which is made when something is first placed."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, digest: Digest) -> Path:
        """Return where a blob is or would be."""
        return self.root / Namespace.ASSETS / _blob_name(digest)

    def has(self, digest: Digest) -> bool:
        """Say whether a blob is there; its content is checked when it is read."""
        return self.path(digest).is_file()

    def touch(self, digest: Digest) -> Path:
        """Note that a blob is in use, so that pruning takes others first, and return where it is."""
        path = self.path(digest)
        with suppress(OSError):  # a read-only cache serves as well, only its order of use stands still
            os.utime(path)
        return path

    @contextmanager
    def open(self, digest: Digest) -> Iterator[BinaryIO]:
        """Open a blob; all of it is read and checked by the time the context ends.

        Raises:
            MissingBlob: It is not there.
            DamagedBlob: It is not what it was; it has been removed.
        """
        path = self.touch(digest)
        if not path.is_file():
            raise MissingBlob(digest)
        try:
            with read_verified(path, digest) as file:
                yield file
        except WrongDigest as error:
            if error.promised != digest:
                raise
            path.unlink(missing_ok=True)
            raise DamagedBlob(digest, error.seen) from error

    def verify(self, digest: Digest) -> None:
        """Read a blob for nothing but the check.

        Raises:
            MissingBlob: It is not there.
            DamagedBlob: It is not what it was; it has been removed.
        """
        with self.open(digest):
            pass

    @contextmanager
    def lock(self, digest: Digest, *, is_cancelled: Callable[[], bool] | None = None) -> Iterator[None]:
        """Keep every other process and thread from receiving a blob.

        Args:
            digest: Whose.
            is_cancelled: Asked while another one holds the lock.

        Raises:
            Cancelled: The wait was cancelled.
        """
        lock = self._file_lock(_blob_name(digest))
        while True:
            try:
                lock.acquire(timeout=_LOCK_POLL_S)
                break
            except Timeout:
                if is_cancelled is not None and is_cancelled():
                    raise Cancelled from None
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def receive(self, digest: Digest, *, name: str) -> Iterator[PartialBlob]:
        """Receive a blob; whoever calls holds its lock.

        When the context ends before `PartialBlob.commit`, what was received is kept for another attempt.

        Args:
            digest: What is promised.
            name: What to call it in an error.
        """
        blob = _blob_name(digest)
        partial = self.root / Namespace.PARTIALS / blob
        incoming = PartialBlob(partial=partial, final=self.path(digest), digest=digest, name=name)
        try:
            yield incoming
        finally:
            incoming.close()

    def read_record(self, kind: str, key: str) -> object | None:
        """Return a record's value, parsed from JSON and otherwise unchecked, or None where there is none.

        A record that cannot be read counts as absent: whoever wrote it can write it again.
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
        """Keep a small value that JSON can hold, in place of an earlier one.

        Raises:
            CannotWrite: The cache has no room or is read-only.
        """
        text = json.dumps({"key": key, "value": value}, indent=1, sort_keys=True)
        atomic_write(self._record_path(kind, key), text.encode())

    def entries(self) -> tuple[CacheEntry, ...]:
        """Return every entry, those least recently used first."""
        found = [entry for namespace in Namespace for entry in self._entries_of(namespace)]
        return tuple(sorted(found, key=lambda entry: (entry.last_used_s, entry.path)))

    def prune(self, *, max_bytes: int, older_than_s: float, now_s: float) -> tuple[CacheEntry, ...]:
        """Remove what has not been used for long, then the least recently used until the rest fits.

        What another process is receiving stays.

        Args:
            max_bytes: How much may stay.
            older_than_s: What was not used for so many seconds goes in any case.
            now_s: The current time, in seconds since the epoch.

        Returns:
            What was removed.
        """
        entries = self.entries()
        excess = sum(entry.size_bytes for entry in entries) - max_bytes
        removed = []
        for entry in entries:
            if (excess > 0 or entry.last_used_s < now_s - older_than_s) and self._remove(entry):
                excess -= entry.size_bytes
                removed.append(entry)
        for namespace in Namespace:
            sweep_temporaries(self.root / namespace, before_s=now_s - _STALE_TEMPORARY_S)
        return tuple(removed)

    def trim(self, namespace: Namespace, *, max_bytes: int) -> tuple[CacheEntry, ...]:
        """Remove the least recently used entries of one class until the rest fits, and return them."""
        entries = sorted(self._entries_of(namespace), key=lambda entry: (entry.last_used_s, entry.path))
        excess = sum(entry.size_bytes for entry in entries) - max_bytes
        removed = []
        for entry in entries:
            if excess > 0 and self._remove(entry):
                excess -= entry.size_bytes
                removed.append(entry)
        return tuple(removed)

    def clear(self) -> tuple[CacheEntry, ...]:
        """Remove every entry that no other process is receiving, and return what was removed."""
        return tuple(entry for entry in self.entries() if self._remove(entry))

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


def _blob_name(digest: Digest) -> str:
    return f"{digest.algorithm}-{digest.hex}"
