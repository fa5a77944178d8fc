"""A release package on this machine, and the one pass over its bytes."""

import hashlib
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final, Self

from factory.core.digests import Sha256, read_chunks
from factory.core.errors import IntegrityError, UsageError
from factory.core.model import ArchiveFormat, Payload, PayloadFile
from factory.core.targets import Target
from factory.executables.file_kind import kind_of
from factory.release.archives import (
    DEFAULT_LIMITS,
    ArchiveLimits,
    Guard,
    PackageEntry,
    file_pieces,
    gzip_codec,
    inflated,
    tar_entries,
    tree_entries,
    zip_entries,
    zstd_codec,
)
from factory.release.payload.layout import Layout
from factory.release.payload.new_files import NewFiles
from factory.release.payload.target import entries_of, root_below

Destinations = Callable[[PurePosixPath], tuple[Path, ...]]
"""Where a payload file's bytes go: nowhere, to one path, or to several."""

_MAGICS: Final = {
    b"\x1f\x8b": ArchiveFormat.TAR_GZ,
    b"\x28\xb5\x2f\xfd": ArchiveFormat.TAR_ZST,
    b"PK": ArchiveFormat.ZIP,
}


class UnknownPackage(UsageError):
    """A path is nothing that a release package can be."""

    hint = (
        "Give a .tgz, .tar.gz, .tar.zst or .zip archive, the directory of an unpacked one, or an executable."
    )

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} is no release package: {reason}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageSource:
    """A release package on this machine, whichever form it has.

    Attributes:
        path: Where it is.
        name: What to call it in an error.
        limits: How much it may hold.
        entries: Yields its files for a target and whatever is beside them.
    """

    path: Path
    name: str
    entries: Callable[[Target, Guard], Generator[PackageEntry, None, None]]
    limits: ArchiveLimits = DEFAULT_LIMITS

    @classmethod
    def archive(
        cls,
        path: Path,
        container: ArchiveFormat,
        *,
        opened: Callable[[], AbstractContextManager[BinaryIO]] | None = None,
        name: str = "",
    ) -> Self:
        """Name an archive.

        Args:
            path: Where it is.
            container: What it is; its name does not tell.
            opened: Opens it for reading in order; how the store checks its digest as it is
                read. The stream is read to its end whatever is in the archive, and if the digest
                is wrong, that is the error to be raised, not what came of the wrong bytes.
            name: What to call it in an error; its file name when empty.
        """

        def entries(_: Target, guard: Guard) -> Generator[PackageEntry, None, None]:
            return _archive_entries(opened or (lambda: path.open("rb")), container, guard)

        return cls(path=path, name=name or path.name, entries=entries)

    @classmethod
    def directory(cls, path: Path) -> Self:
        """Name a package directory, or an unpacked npm tarball."""

        def entries(target: Target, guard: Guard) -> Generator[PackageEntry, None, None]:
            return tree_entries(root_below(path, target), guard)

        return cls(path=path, name=path.name, entries=entries)

    @classmethod
    def executable(cls, path: Path) -> Self:
        """Name a codex executable that stands for a whole package, as upstream's first staging took it."""

        def entries(target: Target, guard: Guard) -> Generator[PackageEntry, None, None]:
            return _executable_entries(path, target, guard)

        return cls(path=path, name=path.name, entries=entries)

    @classmethod
    def at(cls, path: Path) -> Self:
        """Name what is at a path, by its content.

        Raises:
            UnknownPackage: It is no archive, directory or executable, or is not there.
        """
        if path.is_dir():
            return cls.directory(path)
        try:
            with path.open("rb") as file:
                head = file.read(4096)
        except OSError as error:
            raise UnknownPackage(path, error.strerror or str(error)) from error
        for magic, container in _MAGICS.items():
            if head.startswith(magic):
                return cls.archive(path, container)
        if kind_of(head).is_executable_image:
            return cls.executable(path)
        raise UnknownPackage(path, "its first bytes are those of no archive and no executable")

    @contextmanager
    def walk(self, target: Target) -> Iterator[Iterator[PackageEntry]]:
        """Read the package once, yielding a target's files in its order.

        What was made of the bytes counts only once the context has ended without an error:
        the rest of the package is read and checked then.

        Raises:
            TargetNotInPackage: It holds nothing for the target.
            IntegrityError: It is damaged, unsafe or too large.
        """
        guard = Guard(self.name, self.limits)
        with closing(self.entries(target, guard)) as entries:
            wanted = entries_of(entries, target, guard)
            try:
                yield wanted
                for entry in wanted:
                    entry.finish()
            except IntegrityError as error:
                entries.throw(error)  # bytes fail where they are read; a wrong digest explains it better
                raise

    def scan(self, target: Target) -> Payload:
        """Read the package once for its files' digests; see `walk`."""
        return self.extract(target, place=lambda _: ())

    def extract(self, target: Target, *, place: Destinations) -> Payload:
        """Write a target's files where they are wanted, in one pass; after an error none of them is there.

        Parents are made; files are new, with mode 0600, which whoever called changes.

        Args:
            target: Whose files.
            place: Says for each file where it goes.

        Raises:
            TargetNotInPackage: The package holds nothing for the target.
            IntegrityError: It is damaged, unsafe or too large.
            CannotWrite: A file is there already, or a place does not take it.
        """
        new_files = NewFiles()
        try:
            with self.walk(target) as entries:
                files = [_receive(entry, place(entry.path), new_files) for entry in entries]
        except BaseException:
            new_files.undo()
            raise
        return Payload(target=target, files=tuple(sorted(files, key=lambda file: file.path)))


def _archive_entries(
    opened: Callable[[], AbstractContextManager[BinaryIO]], container: ArchiveFormat, guard: Guard
) -> Generator[PackageEntry, None, None]:
    failure: IntegrityError | None = None
    with opened() as file:
        try:
            yield from _container_entries(file, container, guard)
        except IntegrityError as error:
            failure = error
    if failure is not None:
        raise failure


def _container_entries(
    file: BinaryIO, container: ArchiveFormat, guard: Guard
) -> Generator[PackageEntry, None, None]:
    match container:
        case ArchiveFormat.TAR_GZ:
            yield from tar_entries(inflated(file, gzip_codec(), guard), guard)
        case ArchiveFormat.TAR_ZST:
            yield from tar_entries(inflated(file, zstd_codec(), guard), guard)
        case ArchiveFormat.ZIP if file.seekable():
            yield from zip_entries(file, guard)
        case ArchiveFormat.ZIP:
            with tempfile.TemporaryFile() as copy:
                for chunk in read_chunks(file):
                    copy.write(chunk)
                yield from zip_entries(copy, guard)


def _executable_entries(path: Path, target: Target, guard: Guard) -> Generator[PackageEntry, None, None]:
    try:
        status = path.stat()
    except OSError as error:
        raise UnknownPackage(path, error.strerror or str(error)) from error
    entry = PackageEntry(
        path=guard.admit_file(Layout.LEGACY.executable(target), size_bytes=status.st_size),
        mode=status.st_mode,
        size_bytes=status.st_size,
        pieces=file_pieces(path.resolve(), status.st_size, name=path.name, guard=guard),
    )
    yield entry
    entry.finish()


def _receive(entry: PackageEntry, paths: tuple[Path, ...], new_files: NewFiles) -> PayloadFile:
    """Hash a file, and write it on the way."""
    hasher, head, size_bytes = hashlib.sha256(), b"", 0
    with new_files.open(paths) as files:
        for chunk in entry.chunks():
            head = head or chunk
            size_bytes += len(chunk)
            hasher.update(chunk)
            for file in files:
                file.write(chunk)
    return PayloadFile(
        path=entry.path,
        mode=entry.mode,
        size_bytes=size_bytes,
        sha256=Sha256(hasher.hexdigest()),
        kind=kind_of(head),
    )
