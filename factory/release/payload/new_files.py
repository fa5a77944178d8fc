"""Files that are written together: all of them stay, or none."""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

from factory.system.files import writing


class NewFile:
    """One file that is being written."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._file = os.fdopen(descriptor, "wb")

    def write(self, chunk: bytes) -> None:
        """Write all of a chunk.

        Raises:
            CannotWrite: There is no room.
        """
        with writing(self._path):
            self._file.write(chunk)

    def close(self) -> None:
        """Write what is buffered, and close.

        Raises:
            CannotWrite: There is no room; it is closed all the same.
        """
        with writing(self._path):
            self._file.close()


class NewFiles:
    """Writes new files, and removes every one of them, and every directory made for them, on `undo`."""

    def __init__(self) -> None:
        self._made: list[Path] = []

    @contextmanager
    def open(self, paths: Sequence[Path]) -> Iterator[tuple[NewFile, ...]]:
        """Create files for one content; nobody else can read them until they get their final modes.

        Raises:
            CannotWrite: A file is there already, or the place does not take it.
        """
        with ExitStack() as stack:
            yield tuple(stack.enter_context(closing(self._create(path))) for path in paths)

    def undo(self) -> None:
        """Remove what was made, the last first; what others put into a directory meanwhile stays."""
        while self._made:
            path = self._made.pop()
            with suppress(OSError):
                if path.is_dir() and not path.is_symlink():
                    path.rmdir()
                else:
                    path.unlink()

    def _create(self, path: Path) -> NewFile:
        self._make_parents(path)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        flags |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        with writing(path):
            descriptor = os.open(path, flags, 0o600)
        self._made.append(path)
        return NewFile(path, descriptor)

    def _make_parents(self, path: Path) -> None:
        missing = []
        for parent in path.parents:
            if parent.exists():
                break
            missing.append(parent)
        for parent in reversed(missing):
            with writing(path):
                parent.mkdir(exist_ok=True)
            self._made.append(parent)
