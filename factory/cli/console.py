"""Plain output: data on stdout, messages and progress on stderr."""

import json
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from factory.core.printable import escaped_lines
from factory.core.progress import ProgressTask, SilentProgress

UNITS = ("B", "kB", "MB", "GB", "TB")
THOUSAND = 1000


def human_size(size_bytes: int) -> str:
    """Return a size with a decimal unit, ``142.4 MB``."""
    size = float(size_bytes)
    for unit in UNITS[:-1]:
        if size < THOUSAND:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= THOUSAND
    return f"{size:.1f} {UNITS[-1]}"


def print_json(document: object) -> None:
    """Print a JSON document to stdout."""
    print(json.dumps(document, indent=2, ensure_ascii=False))


def say(message: str) -> None:
    """Print a message to stderr, unless the user wants none; a full disk there does not end the work.

    Control characters are escaped: messages have names from other people's files.
    """
    message = escaped_lines(message)
    logger = logging.getLogger("factory")
    if logger.handlers:
        logger.info("%s", message)
        return
    with suppress(OSError):  # used without the command line
        print(message, file=sys.stderr)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a table.

    Attributes:
        is_number: Align the cells to the right.
        is_cut: On a narrow terminal, end the cells in an ellipsis instead of folding them.
        is_for_pipes: Leave the column out on a terminal.
    """

    heading: str
    is_number: bool = False
    is_cut: bool = False
    is_for_pipes: bool = False


class LineProgress(SilentProgress):
    """Progress for logs: one line when a task begins and one when it ends."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    @contextmanager
    def task(self, label: str, *, total_bytes: int | None = None) -> Iterator[ProgressTask]:
        """Open a task and print its two lines."""
        size = "" if total_bytes is None else f" ({human_size(total_bytes)})"
        self._line(f"{label}{size} ...")
        counter = ByteCounter()
        yield counter
        self._line(f"{label}: {counter.summary}")

    def _line(self, text: str) -> None:
        with self._lock:
            say(text)


@dataclass(slots=True)
class ByteCounter:
    """A task that counts bytes, from any thread."""

    size_bytes: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def advance(self, size_bytes: int) -> None:
        """Add bytes that are done."""
        with self._lock:
            self.size_bytes += size_bytes

    def expect(self, total_bytes: int) -> None:
        """Ignore the size: the lines of a log have it only if it is known from the start."""

    @property
    def summary(self) -> str:
        """Describe the finished task."""
        return f"{human_size(self.size_bytes)} done" if self.size_bytes else "done"
