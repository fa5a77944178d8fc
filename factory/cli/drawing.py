"""Draw tables and progress bars on a terminal, with rich."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, ProgressColumn, Task, TextColumn
from rich.progress import Progress as Bars
from rich.table import Table
from rich.text import Text

from factory.cli.console import ByteCounter, Column, human_size
from factory.core.progress import ProgressTask

_BAR_WIDTH = 24
_SEVERITY_WIDTH = 7
_CHECK_WIDTH = 22
_STYLES = {"error": "bold red", "warning": "yellow", "note": "cyan", "waived": "dim"}


def draw_table(columns: Sequence[Column], rows: Sequence[Sequence[str]], *, title: str) -> None:
    """Draw a table on stdout, as wide as the terminal allows."""
    table = Table(title=escape(title) or None, box=SIMPLE_HEAD, title_justify="left")
    is_cutting = any(column.is_cut for column in columns)  # then only those columns shrink
    for column in columns:
        if not column.is_for_pipes:
            table.add_column(
                column.heading,
                justify="right" if column.is_number else "left",
                overflow="ellipsis" if column.is_cut else "fold",
                no_wrap=column.is_number or (is_cutting and not column.is_cut),
            )
    for row in rows:
        cells = (cell for cell, column in zip(row, columns, strict=True) if not column.is_for_pipes)
        table.add_row(*(escape(cell) for cell in cells))
    Console().print(table)


def draw_findings(title: str, rows: Sequence[tuple[str, str, str, str]]) -> None:
    """Draw the findings of one wheel: severity, check, and finding above remedy."""
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
        text = Text.assemble(found, ("\n> " + conclusion, "dim"))
        table.add_row(Text(severity, style=_STYLES.get(severity, "")), Text(check), text)
    console.print(table)


@contextmanager
def drawn_bars() -> Iterator["BarProgress"]:
    """Draw bars on stderr while the context lasts."""
    text = TextColumn("{task.description}", markup=False)
    with Bars(text, BarColumn(bar_width=_BAR_WIDTH), _Amount(), console=Console(stderr=True)) as bars:
        yield BarProgress(bars)


class BarProgress:
    """Progress for a terminal: a bar per task."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars

    @contextmanager
    def task(self, label: str, *, total_bytes: int | None = None) -> Iterator[ProgressTask]:
        """Open a task with a bar; one without a total pulses until it is done."""
        bar = _Bar(self._bars, label, total_bytes)
        yield bar
        bar.finish()


class _Bar(ByteCounter):
    def __init__(self, bars: Bars, label: str, total_bytes: int | None) -> None:
        super().__init__()
        self._bars = bars
        self._task_id = bars.add_task(label, total=total_bytes, summary="")

    def advance(self, size_bytes: int) -> None:
        super().advance(size_bytes)
        self._bars.advance(self._task_id, size_bytes)

    def finish(self) -> None:
        self._bars.stop_task(self._task_id)
        self._bars.update(self._task_id, total=1, completed=1, summary=self.summary)


class _Amount(ProgressColumn):
    """The bytes done, the total and the speed, as far as each is known."""

    def render(self, task: Task) -> Text:
        if task.fields["summary"]:
            seconds = f" in {task.elapsed:.1f} s" if task.elapsed is not None else ""
            return Text(f"{task.fields['summary']}{seconds}")
        if not task.completed:
            return Text()
        of = f" of {human_size(int(task.total))}" if task.total is not None else ""
        speed = f", {human_size(int(task.speed))}/s" if task.speed else ""
        return Text(f"{human_size(int(task.completed))}{of}{speed}")
