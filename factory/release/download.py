"""Bring release assets here: in parallel, resumable, bounded, and checked on the way."""

import re
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NoReturn

from factory.core.errors import IntegrityError, UpstreamError, UsageError
from factory.core.model import Local, ReleaseAsset, Remote
from factory.core.progress import Progress, ProgressTask
from factory.system.cache import Cache, Cancelled, PartialBlob
from factory.system.files import read_verified
from factory.system.http import HttpClient, HttpResponse, HttpStatusError
from factory.system.retry import RequestFailed, RetryPolicy

MAX_ASSET_BYTES = 2 << 30
"""No release asset of Codex comes near this; a server that sends more is not to fill the disk."""

_SLICE_S = 0.5
_PARTIAL_CONTENT = 206
_RANGE_NOT_SATISFIABLE = 416


class OversizeAsset(IntegrityError):
    """A server sends more than was promised, or more than any asset can hold."""

    hint = "Do not use it. Compare the size with another channel, or try another mirror."

    def __init__(self, name: str, limit_bytes: int) -> None:
        super().__init__(f"{name} is larger than the {limit_bytes} bytes that it may have")


class TruncatedBody(RequestFailed):
    """A body ended before all of it had come."""

    def __init__(self, name: str, *, seen_bytes: int, promised_bytes: int) -> None:
        super().__init__(
            f"{name} broke off after {seen_bytes} of {promised_bytes} bytes",
            is_transient=True,
            hint="Run again: what has arrived is kept, and the rest is asked for.",
        )


class UnreadableAsset(UsageError):
    """A local asset cannot be read."""

    hint = "Put the file back, or correct its permissions."

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"cannot read {path}: {reason}")


class UnaskedPart(UpstreamError):
    """A server answers a request for a whole file with a part of one."""

    hint = "Try another mirror: this one does not follow RFC 9110."

    def __init__(self, name: str) -> None:
        super().__init__(f"the server sends a part of {name} where all of it was asked for")


@dataclass(frozen=True, slots=True, kw_only=True)
class Downloader:
    """Fetches assets into a cache.

    Attributes:
        cache: Where they go; what it has is not fetched again.
        client: Asks the servers.
        progress: Told how far each download is.
        retry: How transient failures are tried again.
        max_bytes: What one asset may hold at most, whatever its channel promises.
    """

    cache: Cache
    client: HttpClient
    progress: Progress
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    max_bytes: int = MAX_ASSET_BYTES

    def fetch(self, asset: ReleaseAsset, *, stop: threading.Event | None = None) -> Path:
        """Return a path of the asset's bytes, which have had the promised digest when this returns.

        A local asset is hashed and used in place, neither copied nor linked: nobody
        but its owner decides how long it stays. Readers check again as they read,
        by `Cache.open` or `factory.system.files.read_verified`.

        Args:
            asset: What to fetch.
            stop: Set by others to end this early.

        Raises:
            WrongDigest: The bytes are not those promised; none of them are kept.
            OversizeAsset: More bytes than promised; none of them are kept.
            RequestFailed: The server could not be asked; what has arrived is kept.
            CannotWrite: The cache does not take it.
            Cancelled: `stop` was set.
        """
        match asset.location:
            case Local(path=path):
                return _checked_in_place(asset, path)
            case Remote(url=url):
                if self.cache.has(asset.digest):
                    return self.cache.touch(asset.digest)
                return self._fetch_remote(asset, url, stop or threading.Event())

    def fetch_all(self, assets: Sequence[ReleaseAsset], *, jobs: int) -> tuple[Path, ...]:
        """Fetch several assets at once and return their paths in the same order.

        The first error, or Ctrl-C, stops the others at their next chunk and is raised.
        Equal digests are fetched once: before 0.100.0 one tarball serves every target.

        Args:
            assets: What to fetch.
            jobs: How many at a time.
        """
        distinct = {asset.digest: asset for asset in assets}
        stop = threading.Event()
        with ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="fetch") as pool:
            futures = {
                digest: pool.submit(self.fetch, asset, stop=stop) for digest, asset in distinct.items()
            }
            try:
                wait(futures.values(), return_when=FIRST_EXCEPTION)
            finally:
                if not all(future.done() for future in futures.values()):
                    stop.set()
                    pool.shutdown(wait=True, cancel_futures=True)
        _raise_first(futures.values())
        return tuple(futures[asset.digest].result() for asset in assets)

    def _fetch_remote(self, asset: ReleaseAsset, url: str, stop: threading.Event) -> Path:
        with self.cache.lock(asset.digest, is_cancelled=stop.is_set):
            if self.cache.has(asset.digest):  # another process fetched it while this one waited
                return self.cache.touch(asset.digest)
            with (
                self.progress.task(asset.name, total_bytes=asset.size_bytes) as task,
                self.cache.receive(asset.digest, name=asset.name) as incoming,
            ):
                transfer = _Transfer(
                    asset=asset,
                    url=url,
                    incoming=incoming,
                    bar=_HighWater(task),
                    stop=stop,
                    max_bytes=self.max_bytes,
                )
                self._transfer(transfer)
                return incoming.commit()

    def _transfer(self, transfer: "_Transfer") -> None:
        """Bring the bytes; where they rest on earlier ones and are wrong, begin again, once.

        Earlier bytes may be of a file that has changed since.
        """
        retry = replace(self.retry, sleep=_in_slices(self.retry.sleep, transfer.stop))
        was_resumed = retry.call(lambda: transfer.attempt(self.client))
        if was_resumed and not transfer.incoming.is_whole:
            transfer.incoming.restart()
            retry.call(lambda: transfer.attempt(self.client))


class _HighWater:
    """Tells a task of new bytes only: what is received again after a restart was told before."""

    def __init__(self, task: ProgressTask) -> None:
        self._task = task
        self._told_bytes = 0

    def reached(self, size_bytes: int) -> None:
        if size_bytes > self._told_bytes:
            self._task.advance(size_bytes - self._told_bytes)
            self._told_bytes = size_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Transfer:
    """One asset on its way."""

    asset: ReleaseAsset
    url: str
    incoming: PartialBlob
    bar: _HighWater
    stop: threading.Event
    max_bytes: int

    def attempt(self, client: HttpClient) -> bool:
        """Ask for what is missing and take it; say whether earlier bytes were built upon."""
        if self.stop.is_set():
            raise Cancelled
        start = self.incoming.size_bytes
        self.bar.reached(start)
        if start and self.incoming.is_whole:
            return True
        headers = {"Range": f"bytes={start}-"} if start else {}
        try:
            with client.stream(self.url, headers=headers) as response:
                if self._continues(response, start):
                    self._take(response)
                    return start > 0
        except HttpStatusError as error:
            if not (start and error.status == _RANGE_NOT_SATISFIABLE):
                raise
        self.incoming.restart()
        return self.attempt(client)

    def _continues(self, response: HttpResponse, start: int) -> bool:
        """Make ready for the body; say no where it is a part that was not asked for."""
        if response.status != _PARTIAL_CONTENT:
            self.incoming.restart()
            return True
        answered = re.match(r"bytes (\d+)-", response.headers.get("content-range", ""))
        if answered is not None and int(answered[1]) == start:
            return True
        if not start:
            raise UnaskedPart(self.asset.name)
        return False

    def _take(self, response: HttpResponse) -> None:
        expected = self._expected_bytes(response)
        limit = self.max_bytes if expected is None else min(expected, self.max_bytes)
        if expected is not None and expected > self.max_bytes:
            self._refuse(limit)
        for chunk in response.chunks():
            if self.stop.is_set():
                raise Cancelled
            if self.incoming.size_bytes + len(chunk) > limit:
                self._refuse(limit)
            self.incoming.write(chunk)
            self.bar.reached(self.incoming.size_bytes)
        if expected is not None and self.incoming.size_bytes < expected:
            raise TruncatedBody(self.asset.name, seen_bytes=self.incoming.size_bytes, promised_bytes=expected)

    def _expected_bytes(self, response: HttpResponse) -> int | None:
        """Return the size of the whole asset: the channel's promise, else the server's."""
        length = response.headers.get("content-length", "")
        answered = self.incoming.size_bytes + int(length) if re.fullmatch(r"[0-9]{1,18}", length) else None
        promised = self.asset.size_bytes
        if promised is not None and answered is not None and answered > promised:
            self._refuse(promised)
        return answered if promised is None else promised

    def _refuse(self, limit_bytes: int) -> NoReturn:
        self.incoming.restart()
        raise OversizeAsset(self.asset.name, limit_bytes)


def _checked_in_place(asset: ReleaseAsset, path: Path) -> Path:
    try:
        with read_verified(path, asset.digest, name=asset.name):
            return path
    except OSError as error:
        raise UnreadableAsset(path, error.strerror or str(error)) from error


def _in_slices(sleep: Callable[[float], None], stop: threading.Event) -> Callable[[float], None]:
    """Make a sleep that ends soon after `stop` is set."""

    def sleep_unless_stopped(seconds: float) -> None:
        while seconds > 0 and not stop.is_set():
            sleep(min(seconds, _SLICE_S))
            seconds -= _SLICE_S

    return sleep_unless_stopped


def _raise_first(futures: Iterable[Future[Path]]) -> None:
    """Raise the error that stopped the rest, not one of those that it caused."""
    errors = [error for future in futures if not future.cancelled() and (error := future.exception())]
    for error in errors:
        if not isinstance(error, Cancelled):
            raise error
    if errors:
        raise errors[0]
