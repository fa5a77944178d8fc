"""How the program talks: data on stdout, everything else on stderr.

rich is imported only when something is drawn, so that a command that has nothing
to do answers at once.
"""

import json
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from factory.core.progress import Progress, ProgressTask

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
    """Tell the person something, on stderr."""
    print(message, file=sys.stderr)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a table.

    Attributes:
        heading: What stands above it.
        is_number: Its cells are set to the right.
        is_cut: Its cells end in an ellipsis where a terminal is narrow; others are folded.
        is_for_pipes: A terminal does not show it; a program that reads the table wants it.
    """

    heading: str
    is_number: bool = False
    is_cut: bool = False
    is_for_pipes: bool = False


def print_table(columns: Sequence[Column], rows: Sequence[Sequence[str]], *, title: str = "") -> None:
    """Print a table to stdout: drawn by rich on a terminal, tab-separated in a pipe."""
    if sys.stdout.isatty():
        from factory.cli.drawing import draw_table  # noqa: PLC0415 - rich is slow to import

        draw_table(columns, rows, title=title)
        return
    print("\t".join(column.heading for column in columns))
    for row in rows:
        print("\t".join(row))


class LineProgress:
    """Progress for logs: one plain line when a task begins and one when it is done."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    @contextmanager
    def task(self, label: str, *, total_bytes: int | None = None) -> Iterator[ProgressTask]:
        """Open a task that is told in two lines."""
        size = "" if total_bytes is None else f" ({human_size(total_bytes)})"
        self._line(f"{label}{size} ...")
        counter = ByteCounter()
        yield counter
        self._line(f"{label}: {counter.told}")

    def _line(self, text: str) -> None:
        with self._lock:
            say(text)


@dataclass(slots=True)
class ByteCounter:
    """A task that counts what it is told."""

    size_bytes: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def advance(self, size_bytes: int) -> None:
        """Say that so many more bytes are done."""
        with self._lock:
            self.size_bytes += size_bytes

    @property
    def told(self) -> str:
        """What to say of it when it is done."""
        return f"{human_size(self.size_bytes)} done" if self.size_bytes else "done"


@contextmanager
def shown_progress() -> Iterator[Progress]:
    """Give the progress that fits: bars when stderr is a terminal, else plain lines."""
    if not sys.stderr.isatty():
        yield LineProgress()
        return
    from factory.cli.drawing import drawn_bars  # noqa: PLC0415 - rich is slow to import

    with drawn_bars() as bars:
        yield bars
