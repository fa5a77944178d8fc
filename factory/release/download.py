"""Download release assets in parallel: resumable, limited in size, and checked against their digests."""

import re
import threading
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NoReturn

from factory.core.counted import counted
from factory.core.errors import IntegrityError, UpstreamError, UsageError
from factory.core.model import Local, ReleaseAsset, Remote
from factory.core.progress import Progress, ProgressTask
from factory.release.channels.npm_login import NpmLogin
from factory.system.cache import Cache, DamagedEntry
from factory.system.files import CannotRead, read_verified
from factory.system.http import HttpClient, HttpResponse, HttpStatusError
from factory.system.parallel import Stopped, in_parallel
from factory.system.partial_blob import PartialBlob
from factory.system.retry import RequestFailed, RetryPolicy

MAX_ASSET_BYTES = 2 << 30
"""Far above the size of any Codex release asset, so that a server cannot fill the disk."""

_SLEEP_SLICE_S = 0.5
_PARTIAL_CONTENT = 206
_RANGE_NOT_SATISFIABLE = 416


@dataclass(frozen=True, slots=True, kw_only=True)
class Downloader:
    """Downloads assets into a cache.

    Attributes:
        cache: Assets that it already has are not downloaded again.
        npm_login: The credentials for packages of npm; no other download gets them.
        retry: Applies to transient failures.
        max_bytes: The largest size of an asset, whatever its channel says.
    """

    cache: Cache
    client: HttpClient
    progress: Progress
    npm_login: NpmLogin | None = None
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    max_bytes: int = MAX_ASSET_BYTES

    def fetch(
        self, asset: ReleaseAsset, *, stop: threading.Event | None = None, is_checked: bool = False
    ) -> Path:
        """Return the path of an asset, whose bytes had the expected digest when they were written.

        A local asset is hashed and used in place, neither copied nor linked. Since any file can
        change later, readers check it again, with `Cache.open` or
        `factory.system.files.read_verified`.

        Args:
            asset: The asset.
            stop: Set by another thread to end the download.
            is_checked: Read a cached asset first, and download it again if it is damaged.

        Raises:
            WrongDigest: The bytes do not have the expected digest; they are discarded.
            IntegrityError: The asset is larger than expected; its bytes are discarded.
            RequestFailed: The download failed; the bytes received so far are kept.
            CannotWrite: The cache cannot be written.
            Stopped: ``stop`` was set.
        """
        match asset.location:
            case Local(path=path):
                return _checked_in_place(asset, path)
            case Remote(url=url):
                if is_checked:
                    with suppress(DamagedEntry):
                        self.cache.verify(asset.digest)
                if self.cache.has(asset.digest):
                    return self.cache.touch(asset.digest)
                return self._fetch_remote(asset, url, stop or threading.Event())

    def fetch_all(
        self, assets: Sequence[ReleaseAsset], *, jobs: int, is_checked: bool = False
    ) -> tuple[Path, ...]:
        """Download several assets, ``jobs`` at a time, and return their paths in the same order.

        Equal digests are downloaded once: before 0.100.0 all targets share one tarball.
        """
        distinct = {asset.digest: asset for asset in assets}
        stop = threading.Event()
        paths = in_parallel(
            lambda asset: self.fetch(asset, stop=stop, is_checked=is_checked),
            tuple(distinct.values()),
            jobs=jobs,
            weight=lambda asset: asset.size_bytes or 0,
            stop=stop,
        )
        by_digest = dict(zip(distinct, paths, strict=True))
        return tuple(by_digest[asset.digest] for asset in assets)

    def _fetch_remote(self, asset: ReleaseAsset, url: str, stop: threading.Event) -> Path:
        with self.cache.lock(asset.digest, is_stopped=stop.is_set):
            if self.cache.has(asset.digest):  # another process downloaded it while this one waited
                return self.cache.touch(asset.digest)
            with (
                self.progress.task(asset.name, total_bytes=asset.size_bytes) as task,
                self.cache.receive(asset.digest, name=asset.name) as blob,
            ):
                transfer = _Transfer(
                    asset=asset,
                    url=url,
                    login=self.npm_login if asset.purl.startswith("pkg:npm/") else None,
                    blob=blob,
                    progress=_TransferProgress(task),
                    stop=stop,
                    max_bytes=self.max_bytes,
                )
                self._transfer(transfer)
                return blob.commit()

    def _transfer(self, transfer: "_Transfer") -> None:
        """Download the missing bytes; if a resumed download has the wrong digest, start again once.

        The file may have changed since its first bytes were downloaded.
        """
        retry = replace(self.retry, sleep=_in_slices(self.retry.sleep, transfer.stop))
        was_resumed = retry.call(lambda: transfer.attempt(self.client))
        if was_resumed and not transfer.blob.is_complete:
            transfer.blob.restart()
            retry.call(lambda: transfer.attempt(self.client))


class _TransferProgress:
    """Reports each byte to a task once, even if it is downloaded again after a restart."""

    def __init__(self, task: ProgressTask) -> None:
        self._task = task
        self._reported_bytes = 0

    def expect(self, total_bytes: int) -> None:
        self._task.expect(total_bytes)

    def reached(self, size_bytes: int) -> None:
        if size_bytes > self._reported_bytes:
            self._task.advance(size_bytes - self._reported_bytes)
            self._reported_bytes = size_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Transfer:
    """The download of one asset."""

    asset: ReleaseAsset
    url: str
    login: NpmLogin | None
    blob: PartialBlob
    progress: _TransferProgress
    stop: threading.Event
    max_bytes: int

    def attempt(self, client: HttpClient) -> bool:
        """Request the missing bytes and write them; return whether the download was resumed."""
        if self.stop.is_set():
            raise Stopped
        start = self.blob.size_bytes
        self.progress.reached(start)
        if start and self.blob.is_complete:
            return True
        headers = {"Range": f"bytes={start}-"} if start else {}
        login = self.login
        if login is not None:
            headers |= login.headers_for(self.url)
        try:
            with (
                nullcontext() if login is None else login.explaining_refusals(self.url),
                client.stream(self.url, headers=headers) as response,
            ):
                if self._prepare(response, start):
                    self._receive(response)
                    return start > 0
        except HttpStatusError as error:
            if not (start and error.status == _RANGE_NOT_SATISFIABLE):
                raise
        self.blob.restart()
        return self.attempt(client)

    def _prepare(self, response: HttpResponse, start: int) -> bool:
        """Get ready for the body; return false if it is another part than the requested one."""
        if response.status != _PARTIAL_CONTENT:
            self.blob.restart()
            return True
        answered = re.match(r"bytes ([0-9]{1,18})-", response.headers.get("content-range", ""))
        if answered is not None and int(answered[1]) == start:
            return True
        if not start:
            raise UpstreamError(
                f"the server sent only a part of {self.asset.name}, although all of it was requested",
                hint="Try another mirror: this one does not follow RFC 9110.",
            )
        return False

    def _receive(self, response: HttpResponse) -> None:
        expected = self._expected_bytes(response)
        limit = self.max_bytes if expected is None else min(expected, self.max_bytes)
        if expected is not None and expected > self.max_bytes:
            self._refuse(limit)
        if expected is not None:
            self.progress.expect(expected)
        for chunk in response.chunks():
            if self.stop.is_set():
                raise Stopped
            if self.blob.size_bytes + len(chunk) > limit:
                self._refuse(limit)
            self.blob.write(chunk)
            self.progress.reached(self.blob.size_bytes)
        if expected is not None and self.blob.size_bytes < expected:
            raise RequestFailed(
                f"the download of {self.asset.name} ended after {self.blob.size_bytes}"
                f" of {counted(expected, 'byte')}",
                is_transient=True,
                hint="Run again: the bytes received are kept, and only the rest is downloaded.",
            )

    def _expected_bytes(self, response: HttpResponse) -> int | None:
        """Return the size of the whole asset as the channel gives it, or else the server."""
        length = response.headers.get("content-length", "")
        announced = self.blob.size_bytes + int(length) if re.fullmatch(r"[0-9]{1,18}", length) else None
        expected = self.asset.size_bytes
        if expected is not None and announced is not None and announced > expected:
            self._refuse(expected)
        return announced if expected is None else expected

    def _refuse(self, limit_bytes: int) -> NoReturn:
        self.blob.restart()
        raise IntegrityError(
            f"{self.asset.name} is larger than the allowed {limit_bytes} bytes",
            hint="Do not use it. Compare its size with another channel, or try another mirror.",
        )


def _checked_in_place(asset: ReleaseAsset, path: Path) -> Path:
    try:
        with read_verified(path, asset.digest, name=asset.name):
            return path
    except CannotRead as error:
        raise UsageError(str(error), hint="Check that the file exists and is readable.") from error


def _in_slices(sleep: Callable[[float], None], stop: threading.Event) -> Callable[[float], None]:
    """Return a sleep function that ends soon after ``stop`` is set."""

    def sleep_unless_stopped(seconds: float) -> None:
        while seconds > 0 and not stop.is_set():
            sleep(min(seconds, _SLEEP_SLICE_S))
            seconds -= _SLEEP_SLICE_S

    return sleep_unless_stopped
