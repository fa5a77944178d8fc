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
from typing import TYPE_CHECKING

from factory.progress import ProgressTask

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

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
    """A column of a table: its heading, and whether it holds numbers or must not be folded."""

    heading: str
    is_number: bool = False


def print_table(columns: Sequence[Column], rows: Sequence[Sequence[str]], *, title: str = "") -> None:
    """Print a table to stdout: drawn by rich on a terminal, tab-separated in a pipe."""
    if not sys.stdout.isatty():
        print("\t".join(column.heading for column in columns))
        for row in rows:
            print("\t".join(row))
        return
    from rich.box import SIMPLE_HEAD  # noqa: PLC0415 - rich is slow to import
    from rich.console import Console  # noqa: PLC0415
    from rich.markup import escape  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(title=title or None, box=SIMPLE_HEAD, title_justify="left")
    for column in columns:
        table.add_column(column.heading, justify="right" if column.is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    Console().print(table)


class LineProgress:
    """Progress for logs: one plain line when a task begins and one when it is done."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    @contextmanager
    def task(self, label: str, *, total_bytes: int | None = None) -> Iterator[ProgressTask]:
        """Open a task that is told in two lines."""
        size = "" if total_bytes is None else f" ({human_size(total_bytes)})"
        self._line(f"{label}{size} ...")
        counter = _Counter()
        yield counter
        self._line(
            f"{label}: {human_size(counter.size_bytes)} done" if counter.size_bytes else f"{label}: done"
        )

    def _line(self, text: str) -> None:
        with self._lock:
            say(text)


@dataclass(slots=True)
class _Counter:
    size_bytes: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def advance(self, size_bytes: int) -> None:
        with self._lock:
            self.size_bytes += size_bytes


class BarProgress:
    """Progress for a terminal: a bar per task, drawn by rich on stderr."""

    def __init__(self, bars: "RichProgress") -> None:
        self._bars = bars

    @contextmanager
    def task(self, label: str, *, total_bytes: int | None = None) -> Iterator[ProgressTask]:
        """Open a task with a bar; a task without a total pulses."""
        task_id = self._bars.add_task(label, total=total_bytes)
        yield _Bar(self._bars, task_id)
        total = total_bytes if total_bytes is not None else self._bars.tasks[-1].completed
        self._bars.update(task_id, total=total, completed=total)


@dataclass(frozen=True, slots=True)
class _Bar:
    bars: "RichProgress"
    task_id: "TaskID"

    def advance(self, size_bytes: int) -> None:
        self.bars.advance(self.task_id, size_bytes)


@contextmanager
def shown_progress() -> Iterator[BarProgress | LineProgress]:
    """Give the progress that fits: bars when stderr is a terminal, else plain lines."""
    if not sys.stderr.isatty():
        yield LineProgress()
        return
    from rich import progress  # noqa: PLC0415 - rich is slow to import
    from rich.console import Console  # noqa: PLC0415

    with progress.Progress(
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.DownloadColumn(),
        progress.TransferSpeedColumn(),
        progress.TimeRemainingColumn(),
        console=Console(stderr=True),
    ) as bars:
        yield BarProgress(bars)
