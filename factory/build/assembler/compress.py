"""Deflate a release package's files in one pass over its bytes.

The archive is inflated, its digest checked, each file hashed and deflated, all on
the way; nothing of the payload is written to disk but its deflated form.
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
    """A package's payload, and the deflated form of every file that some wheel has."""

    payload: Payload
    contents: dict[Sha256, Deflated]


def compress(
    package: FetchedPackage, *, store: DeflateCache, progress: Progress, stop: threading.Event
) -> CompressedPackage:
    """Read a package once and keep, deflated, each file that one of its recipes places.

    What the recipes leave out is still hashed: the manifest lists it, and the archive's
    digest counts only when all of it was read.

    Raises:
        IntegrityError: The package is damaged or hostile.
        CannotWrite: The store has no room or is read-only.
        Stopped: ``stop`` was set.
    """
    files: list[PayloadFile] = []
    contents: dict[Sha256, Deflated] = {}
    with (
        progress.task(f"compress {package.target}") as task,
        package.source.walk(package.target) as entries,
    ):
        for entry in entries:
            stream = _Watched(chunks=entry.chunks(), task=task, stop=stop)
            if _is_wanted(package, entry.path):
                deflated = store.add(stream)
                contents[deflated.sha256] = deflated
                files.append(_file(entry, stream, deflated.sha256))
            else:
                files.append(_file(entry, stream, Sha256.of(stream)))
    payload = Payload(target=package.target, files=tuple(sorted(files, key=lambda file: file.path)))
    return CompressedPackage(payload=payload, contents=contents)


def recall(payload: Payload, *, package: FetchedPackage, store: DeflateCache) -> CompressedPackage | None:
    """Return what an earlier run compressed of a payload, if all of it is still kept."""
    contents: dict[Sha256, Deflated] = {}
    for file in payload.files:
        if _is_wanted(package, file.path):
            deflated = store.find(file.sha256)
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
    """A file's chunks, counted and told to a task on the way; the first one tells the file's kind."""

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
