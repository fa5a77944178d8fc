"""Draw tables and progress bars on a terminal, with rich."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.progress import BarColumn, ProgressColumn, Task, TextColumn
from rich.progress import Progress as Bars
from rich.table import Column as TableColumn
from rich.table import Table
from rich.text import Text

from factory.cli.console import ByteCounter, Column, human_size
from factory.cli.time_left import TimeLeft
from factory.core.progress import ProgressTask

_BAR_WIDTH = 24
_COLUMN_GAP = 3
_CUT_WIDTH = 12
"""A column that is cut shows at least so many characters, and an ellipsis."""
_WIDE = 100
_SEVERITY_WIDTH = 7
_CHECK_WIDTH = 22
_STYLES = {"error": "bold red", "warning": "yellow", "note": "cyan", "waived": "dim", "ok": "green"}


def draw_table(columns: Sequence[Column], rows: Sequence[Sequence[str]], *, title: str) -> None:
    """Draw a table on stdout; if the terminal is too narrow for whole words, draw each row as a block.

    A column that is empty in every row is left out.
    """
    shown = [
        index
        for index, column in enumerate(columns)
        if not column.is_for_pipes and (not rows or any(row[index] for row in rows))
    ]
    columns, rows = [columns[index] for index in shown], [[row[index] for index in shown] for row in rows]
    console = Console()
    widths = _widths(columns, rows, console.width - _COLUMN_GAP * len(columns) - 1)
    if widths is None:
        _draw_blocks(console, [column.heading for column in columns], rows, title)
        return
    table = Table(title=escape(title) or None, box=SIMPLE_HEAD, title_justify="left")
    for column, width in zip(columns, widths, strict=True):
        table.add_column(
            column.heading,
            width=width,
            justify="right" if column.is_number else "left",
            overflow="ellipsis" if column.is_cut else "fold",
            no_wrap=column.is_number or column.is_cut,
        )
    for row in rows:
        table.add_row(*map(escape, row))
    console.print(table)


def _widths(columns: Sequence[Column], rows: Sequence[Sequence[str]], room: int) -> list[int] | None:
    """Share the characters of a line among columns; None if some word would not fit.

    rich shrinks columns in proportion, also below their longest word. Here each column gets its longest
    word, and what is left goes to the columns that need the least to show their cells in one line.
    """
    cells = [[column.heading, *(row[index] for row in rows)] for index, column in enumerate(columns)]
    whole = [max(map(len, texts)) for texts in cells]
    widths = [
        _least_width(column, texts, most) for column, texts, most in zip(columns, cells, whole, strict=True)
    ]
    spare = room - sum(widths)
    if spare < 0:
        return None
    for index in sorted(range(len(columns)), key=lambda index: whole[index] - widths[index]):
        added = min(spare, whole[index] - widths[index])
        widths[index] += added
        spare -= added
    return widths


def _least_width(column: Column, texts: Sequence[str], whole: int) -> int:
    """Return the width that a column needs so that no word is broken."""
    if column.is_cut:
        return min(whole, max(len(column.heading), _CUT_WIDTH))
    return whole if column.is_number else max(len(word) for text in texts for word in text.split() or [""])


def _draw_blocks(
    console: Console, headings: Sequence[str], rows: Sequence[Sequence[str]], title: str
) -> None:
    """Draw the first cell of each row as a heading, and the others below it, without empty ones."""
    if title:
        console.print(Text(title, style="italic"))
    for row in rows:
        console.print(Text(f"\n{row[0]}", style="bold"))
        for heading, cell in zip(headings[1:], row[1:], strict=True):
            if cell:
                console.print(Padding(Text.assemble((f"{heading}: ", "dim"), cell), (0, 0, 0, 2)))


def draw_findings(title: str, rows: Sequence[tuple[str, str, str, str]]) -> None:
    """Draw findings, of one wheel or of this host: severity, check, and finding above remedy."""
    console = Console()
    if not rows:
        console.print(Text.assemble(("ok  ", "green"), title))
        return
    console.print(Text(f"\n{title}", style="bold"))
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    for width in (_SEVERITY_WIDTH, _CHECK_WIDTH):
        table.add_column(no_wrap=False, width=width, overflow="fold")
    table.add_column(overflow="fold")
    for severity, check, found, conclusion in rows:
        text = Text.assemble(found, (f"\n> {conclusion}" if conclusion else "", "dim"))
        table.add_row(Text(severity, style=_STYLES.get(severity, "")), Text(check), text)
    console.print(table)


@contextmanager
def drawn_bars() -> Iterator["BarProgress"]:
    """Draw bars on stderr while the context lasts."""
    console = Console(stderr=True)
    with Bars(*columns(console.width), console=console, expand=console.width < _WIDE) as bars:
        yield BarProgress(bars)


def columns(width: int) -> tuple[ProgressColumn, ...]:
    """Return the columns of the bars; on a narrow terminal labels are cut, so that a task has one line."""
    label = TableColumn(no_wrap=True, overflow="ellipsis", ratio=1)
    return (
        TextColumn("{task.description}", markup=False, table_column=label),
        BarColumn(bar_width=_BAR_WIDTH if width >= _WIDE else _BAR_WIDTH // 4),
        _Amount(table_column=TableColumn(no_wrap=True)),
    )


class BarProgress:
    """Progress for a terminal: a bar per task."""

    def __init__(self, bars: Bars, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._bars = bars
        self._whole = _Whole(bars, clock_s)

    def plan(self, sizes: Mapping[str, int]) -> None:
        """Show the time left for these tasks and all others that are planned."""
        self._whole.plan(sizes)

    @contextmanager
    def task(self, label: str, *, total_bytes: int | None = None) -> Iterator[ProgressTask]:
        """Open a task with a bar; one without a total pulses until it is done."""
        bar = _Bar(self._bars, label, total_bytes, whole=self._whole)
        yield bar
        bar.finish()


class _Whole:
    """The bar above the others: the planned work and its time left.

    As long as nothing is planned it has the bytes of all tasks that have begun, from the second task
    with a known size on.
    """

    def __init__(self, bars: Bars, clock_s: Callable[[], float]) -> None:
        self._bars = bars
        self._clock_s = clock_s
        self._tasks = 0
        self._expected = 0
        self._lock = threading.Lock()
        self._task_id = bars.add_task("all so far", total=None, visible=False, summary="", left=None)
        self._left: TimeLeft | None = None

    def plan(self, sizes: Mapping[str, int]) -> None:
        """Add planned tasks."""
        with self._lock:
            self._left = self._left or TimeLeft(self._clock_s)
            self._left.plan(sizes)
            self._bars.reset(self._task_id, description="planned work", visible=True, left=self._left)

    def begin(self, label: str) -> TimeLeft | None:
        """Begin a task; return what its progress is reported to if it is planned."""
        return self._left if self._left is not None and self._left.begin(label) else None

    def expect(self, size_bytes: int, *, is_new: bool) -> None:
        """Add to the total: the size of a new task, or the correction of one."""
        with self._lock:
            self._tasks += is_new
            self._expected += size_bytes
            if self._left is None:
                self._bars.update(self._task_id, total=self._expected, visible=self._tasks > 1)

    def advance(self, size_bytes: int) -> None:
        """Report that more bytes of some task are done."""
        if self._left is None:
            self._bars.advance(self._task_id, size_bytes)


class _Bar(ByteCounter):
    def __init__(self, bars: Bars, label: str, total_bytes: int | None, *, whole: _Whole) -> None:
        super().__init__()
        self._bars = bars
        self._label = label
        self._whole = whole
        self._expected: int | None = None
        self._left = whole.begin(label)
        self._task_id = bars.add_task(label, total=None, summary="", left=None)
        if total_bytes is not None:
            self.expect(total_bytes)

    def advance(self, size_bytes: int) -> None:
        super().advance(size_bytes)
        self._bars.advance(self._task_id, size_bytes)
        if self._expected is not None:
            self._whole.advance(size_bytes)
            if self._left is not None and self._expected:
                self._left.advance(self._label, self.size_bytes / self._expected)

    def expect(self, total_bytes: int) -> None:
        is_new = self._expected is None
        self._whole.expect(total_bytes - (self._expected or 0), is_new=is_new)
        if is_new:
            self._whole.advance(self.size_bytes)
        self._expected = total_bytes
        self._bars.update(self._task_id, total=total_bytes)

    def finish(self) -> None:
        if self._expected is not None:  # the size may have been an estimate, or a part was there before
            self._whole.expect(self.size_bytes - self._expected, is_new=False)
        if self._left is not None:
            self._left.end(self._label)
        self._bars.stop_task(self._task_id)
        self._bars.update(self._task_id, total=1, completed=1, summary=self.summary)


class _Amount(ProgressColumn):
    """The bytes done, the total, the speed and the time left, as far as each is known."""

    def render(self, task: Task) -> Text:
        if task.fields["left"] is not None:
            return _planned(task, task.fields["left"])
        if task.fields["summary"]:
            seconds = f" in {task.elapsed:.1f} s" if task.elapsed is not None else ""
            return Text(f"{task.fields['summary']}{seconds}")
        if not task.completed:
            return Text()
        of = f" of {human_size(int(task.total))}" if task.total is not None else ""
        speed = f", {human_size(int(task.speed))}/s" if task.speed else ""
        left = f", {clock_time(task.time_remaining)} left" if task.time_remaining else ""
        return Text(f"{human_size(int(task.completed))}{of}{speed}{left}")


def _planned(task: Task, left: TimeLeft) -> Text:
    """Return the time left, and set the bar of the planned work, which is drawn with the next refresh."""
    seconds = left.seconds()
    if seconds is None:
        return Text("time left not known yet")
    elapsed_s = task.elapsed or 0.0
    task.total, task.completed = elapsed_s + seconds, elapsed_s
    return Text(f"about {clock_time(seconds)} left" if seconds else "done")


def clock_time(seconds: float) -> str:
    """Return ``45 s`` or ``2 min 05 s``."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
