"""Compress the files of a release package while its archive is read, once.

The same pass decompresses the archive, checks its digest and hashes each file; only the compressed
files are written to disk.
"""

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from factory.build.builder import FetchedPackage
from factory.build.deflate import Deflated
from factory.build.deflate_cache import DeflateCache
from factory.core.digests import Sha256
from factory.core.model import Payload, PayloadFile
from factory.core.progress import Progress, ProgressTask
from factory.release.payload import PackageEntry, kind_of
from factory.system.parallel import Stopped


@dataclass(frozen=True, slots=True, kw_only=True)
class CompressedPackage:
    """The payload of a package, and the compressed content of each file that is in some wheel."""

    payload: Payload
    contents: dict[Sha256, Deflated]


def compress(
    package: FetchedPackage,
    *,
    cache: DeflateCache,
    progress: Progress,
    stop: threading.Event,
    threads: int = 1,
) -> CompressedPackage:
    """Read a package and compress each file that is in some wheel into the cache.

    The other files are hashed, too: the manifest lists them, and the digest of the archive can be
    checked only after all of it was read.

    Raises:
        IntegrityError: The package is damaged or hostile.
        CannotWrite: The cache is full or read-only.
        Stopped: ``stop`` was set.
    """
    files: list[PayloadFile] = []
    contents: dict[Sha256, Deflated] = {}
    with (
        progress.task(f"compress {package.target}", total_bytes=package.unpacked_bytes) as task,
        package.source.walk(package.target) as entries,
    ):
        for entry in entries:
            stream = _Watched(chunks=entry.chunks(), task=task, stop=stop)
            if _is_wanted(package, entry.path):
                deflated = cache.add(stream, threads=threads)
                contents[deflated.sha256] = deflated
                files.append(_file(entry, stream, deflated.sha256))
            else:
                files.append(_file(entry, stream, Sha256.of(stream)))
    payload = Payload(target=package.target, files=tuple(sorted(files, key=lambda file: file.path)))
    return CompressedPackage(payload=payload, contents=contents)


def recall(payload: Payload, *, package: FetchedPackage, cache: DeflateCache) -> CompressedPackage | None:
    """Return the compressed files of an earlier run; None if one is missing."""
    contents: dict[Sha256, Deflated] = {}
    for file in payload.files:
        if _is_wanted(package, file.path):
            deflated = cache.find(file.sha256)
            if deflated is None:
                return None
            contents[file.sha256] = deflated
    return CompressedPackage(payload=payload, contents=contents)


def _is_wanted(package: FetchedPackage, path: PurePosixPath) -> bool:
    return any(wheel.recipe.place(path) is not None for wheel in package.wheels)


def _file(entry: PackageEntry, stream: "_Watched", sha256: Sha256) -> PayloadFile:
    return PayloadFile(
        path=entry.path,
        mode=entry.mode,
        size_bytes=stream.size_bytes,
        sha256=sha256,
        kind=kind_of(stream.head),
    )


@dataclass(slots=True, kw_only=True)
class _Watched:
    """The chunks of a file, counted and reported to a task; the first chunk shows the kind of file."""

    chunks: Iterable[bytes]
    task: ProgressTask
    stop: threading.Event
    head: bytes = b""
    size_bytes: int = field(default=0, init=False)

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self.chunks:
            if self.stop.is_set():
                raise Stopped
            if not self.size_bytes:
                self.head = chunk
            self.size_bytes += len(chunk)
            self.task.advance(len(chunk))
            yield chunk
