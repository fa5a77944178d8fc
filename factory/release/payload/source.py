"""Read a release package on this machine, in one pass over its bytes."""

import hashlib
import tempfile
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final, Self

from factory.core.digests import Sha256, read_chunks
from factory.core.errors import IntegrityError, UsageError
from factory.core.model import ArchiveFormat, FileKind, Payload, PayloadFile
from factory.core.targets import Target
from factory.executables.elf import read_elf
from factory.executables.file_kind import kind_of
from factory.executables.image_bytes import MalformedImage
from factory.executables.macho import read_macho
from factory.executables.pe import read_pe
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
"""Returns the paths that a payload file is written to: none, one or several."""

_MAGICS: Final = {
    b"\x1f\x8b": ArchiveFormat.TAR_GZ,
    b"\x28\xb5\x2f\xfd": ArchiveFormat.TAR_ZST,
    b"PK": ArchiveFormat.ZIP,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageSource:
    """A release package on this machine, in any form.

    Attributes:
        name: The package's name in an error message.
        entries: Yields the files for a target, and perhaps others.
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
        """Return the source for an archive.

        Args:
            path: The archive.
            container: Its format, which is not derived from its name.
            opened: Opens the archive for reading from the start; the cache checks the digest in
                this way. The stream is always read to its end, and an error that its context
                raises then, such as a wrong digest, replaces an error in the archive.
            name: The package's name in an error message; the file name if empty.
        """

        def entries(_: Target, guard: Guard) -> Generator[PackageEntry, None, None]:
            return _archive_entries(opened or (lambda: path.open("rb")), container, guard)

        return cls(path=path, name=name or path.name, entries=entries)

    @classmethod
    def directory(cls, path: Path) -> Self:
        """Return the source for a package directory, or an unpacked npm tarball."""

        def entries(target: Target, guard: Guard) -> Generator[PackageEntry, None, None]:
            return tree_entries(root_below(path, target), guard)

        return cls(path=path, name=path.name, entries=entries)

    @classmethod
    def executable(cls, path: Path) -> Self:
        """Return the source for a single codex executable, which upstream's first staging script accepted."""

        def entries(target: Target, guard: Guard) -> Generator[PackageEntry, None, None]:
            return _executable_entries(path, target, guard)

        return cls(path=path, name=path.name, entries=entries)

    @classmethod
    def at(cls, path: Path) -> Self:
        """Return the source for a path; the content determines its form.

        Raises:
            UsageError: The path is missing, or not an archive, directory or executable.
        """
        if path.is_dir():
            return cls.directory(path)
        try:
            with path.open("rb") as file:
                head = file.read(4096)
        except OSError as error:
            raise _unknown(path, error.strerror or str(error)) from error
        for magic, container in _MAGICS.items():
            if head.startswith(magic):
                return cls.archive(path, container)
        kind = kind_of(head)
        if not kind.is_executable_image:
            raise _unknown(path, "it starts like neither an archive nor an executable")
        if reason := _why_no_image(path, kind):
            raise _unknown(path, f"it starts like an executable, but is not one: {reason}")
        return cls.executable(path)

    @contextmanager
    def walk(self, target: Target | None) -> Iterator[Iterator[PackageEntry]]:
        """Read the package once, and yield a target's files in the package's order.

        Without a target, all files of an archive are yielded, with their paths in it.

        The caller must not use the bytes before the context has ended without an error: the rest
        of the package is read and checked at the end.

        Raises:
            UpstreamError: The package has no files for the target.
            IntegrityError: The package is damaged, unsafe or too large.
        """
        guard = Guard(self.name, self.limits)
        any_target = Target.LINUX_X86_64  # an archive has the same entries for every target
        with closing(self.entries(target or any_target, guard)) as entries:
            wanted = entries if target is None else entries_of(entries, target, guard)
            try:
                yield wanted
                for entry in wanted:
                    entry.finish()
            except IntegrityError as error:
                entries.throw(error)  # lets a wrong digest of the archive replace this error
                raise

    def scan(self, target: Target) -> Payload:
        """Read the package once, and return its files with their digests."""
        return self.extract(target, place=lambda _: ())

    def scan_all(self) -> tuple[PayloadFile, ...]:
        """Read an archive once, and return all its files with their digests and their paths in it."""
        with self.walk(None) as entries:
            return tuple(_receive(entry, (), NewFiles()) for entry in entries)

    def extract(self, target: Target, *, place: Destinations) -> Payload:
        """Write a target's files in one pass; after an error all of them are removed.

        Missing parent directories are created. The files have mode 0600, which the caller changes.

        Raises:
            UpstreamError: The package has no files for the target.
            IntegrityError: The package is damaged, unsafe or too large.
            CannotWrite: A file exists, or cannot be written.
        """
        new_files = NewFiles()
        try:
            with self.walk(target) as entries:
                files = [_receive(entry, place(entry.path), new_files) for entry in entries]
        except BaseException:
            new_files.undo()
            raise
        return Payload(target=target, files=tuple(sorted(files, key=lambda file: file.path)))


def _why_no_image(path: Path, kind: FileKind) -> str:
    """Return why a file with the first bytes of an executable has not its headers; empty if it has."""
    readers: Mapping[FileKind, Callable[[Path], object]] = {
        FileKind.ELF: read_elf,
        FileKind.MACHO: read_macho,
        FileKind.PE: read_pe,
    }
    try:
        readers[kind](path)
    except MalformedImage as error:
        return str(error)
    return ""


def _unknown(path: Path, reason: str) -> UsageError:
    return UsageError(
        f"{path} is not a release package: {reason}",
        hint="Pass a .tgz, .tar.gz, .tar.zst or .zip archive, an unpacked one, or an executable.",
    )


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
        raise _unknown(path, error.strerror or str(error)) from error
    entry = PackageEntry(
        path=guard.admit_file(Layout.LEGACY.executable(target), size_bytes=status.st_size),
        mode=status.st_mode,
        size_bytes=status.st_size,
        pieces=file_pieces(path.resolve(), status.st_size, name=path.name, guard=guard),
    )
    yield entry
    entry.finish()


def _receive(entry: PackageEntry, paths: tuple[Path, ...], new_files: NewFiles) -> PayloadFile:
    """Hash a file while writing it to its paths."""
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
