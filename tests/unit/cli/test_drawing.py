import io

from rich.console import Console
from rich.progress import Progress as Bars

from factory.cli.drawing import BarProgress


def test_each_finished_bar_shows_its_own_bytes() -> None:
    bars = Bars(console=Console(file=io.StringIO()))
    progress = BarProgress(bars)
    with progress.task("compress linux") as linux, progress.task("compress win", total_bytes=10) as win:
        linux.advance(2_500_000)
        win.advance(10)
    with progress.task("lay out"):
        pass

    assert [(task.description, task.fields["summary"], task.finished) for task in bars.tasks] == [
        ("compress linux", "2.5 MB done", True),
        ("compress win", "10 B done", True),
        ("lay out", "done", True),
    ]
