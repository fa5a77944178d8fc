"""Tables and progress: drawn on a terminal, plain lines in a pipe.

rich is slow to import, so it is imported only where something is drawn.
"""

import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from factory.cli.console import Column, LineProgress
from factory.core.progress import Progress


def print_table(columns: Sequence[Column], rows: Sequence[Sequence[str]], *, title: str = "") -> None:
    """Print a table to stdout: drawn on a terminal, tab-separated in a pipe."""
    if sys.stdout.isatty():
        from factory.cli.drawing import draw_table  # noqa: PLC0415 - rich is slow to import

        draw_table(columns, rows, title=title)
        return
    print("\t".join(column.heading for column in columns))
    for row in rows:
        print("\t".join(row))


@contextmanager
def shown_progress() -> Iterator[Progress]:
    """Show progress on stderr: bars on a terminal, else plain lines."""
    # Lines between bars would break them, so -q, -v and a log file get lines only.
    if not sys.stderr.isatty() or logging.getLogger("factory").level != logging.INFO:
        yield LineProgress()
        return
    from factory.cli.drawing import drawn_bars  # noqa: PLC0415 - rich is slow to import

    with drawn_bars() as bars:
        yield bars
