"""Return the entries of every directory in another order, as another file system would.

The interpreter imports this module at its start, also in the backend's processes, which inherit the path.
"""

import os
from collections.abc import Iterator
from typing import Any, Self

_listdir, _scandir = os.listdir, os.scandir


class _Reversed:
    """The result of `os.scandir` in reverse order."""

    def __init__(self, entries: Any) -> None:  # noqa: ANN401 - depends on the argument of scandir
        with entries:
            self._entries = iter(sorted(entries, key=lambda entry: entry.name, reverse=True))

    def __iter__(self) -> Iterator[Any]:
        return self._entries

    def __next__(self) -> Any:  # noqa: ANN401
        return next(self._entries)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Do nothing: the directory is closed already."""


def _listed(*arguments: Any) -> list[Any]:  # noqa: ANN401
    return sorted(_listdir(*arguments), reverse=True)


def _scanned(*arguments: Any) -> _Reversed:  # noqa: ANN401
    return _Reversed(_scandir(*arguments))


os.listdir = _listed  # type: ignore[assignment]
os.scandir = _scanned  # type: ignore[assignment]
