"""Write several files so that after an error all of them are removed."""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

from factory.system.files import writing


class NewFile:
    """A file that is being written."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._file = os.fdopen(descriptor, "wb")

    def write(self, chunk: bytes) -> None:
        """Write a chunk.

        Raises:
            CannotWrite: The chunk cannot be written.
        """
        with writing(self._path):
            self._file.write(chunk)

    def close(self) -> None:
        """Write the buffered bytes, and close the file.

        Raises:
            CannotWrite: The bytes cannot be written; the file is closed anyway.
        """
        with writing(self._path):
            self._file.close()


class NewFiles:
    """Writes new files; `undo` removes all of them and the directories created for them."""

    def __init__(self) -> None:
        self._created: list[Path] = []

    @contextmanager
    def open(self, paths: Sequence[Path]) -> Iterator[tuple[NewFile, ...]]:
        """Create files with mode 0600 for the same content, and close them when the context ends.

        Raises:
            CannotWrite: A file exists, or cannot be created.
        """
        with ExitStack() as stack:
            yield tuple(stack.enter_context(closing(self._create(path))) for path in paths)

    def undo(self) -> None:
        """Remove the files and directories, the last first; files that others added are kept."""
        while self._created:
            path = self._created.pop()
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
        self._created.append(path)
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
            self._created.append(parent)
