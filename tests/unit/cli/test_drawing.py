import io
import re

import pytest
from pytest_httpserver import HTTPServer
from rich.console import Console
from rich.progress import Progress as Bars

from factory.cli.console import Column
from factory.cli.drawing import BarProgress, columns, draw_findings, draw_table
from tests.unit.cli.conftest import Factory


def test_each_finished_bar_shows_its_own_bytes() -> None:
    bars = Bars(console=Console(file=io.StringIO()))
    progress = BarProgress(bars)
    with progress.task("compress linux") as linux, progress.task("compress win", total_bytes=10) as win:
        linux.advance(2_500_000)
        win.advance(10)
    with progress.task("lay out"):
        pass

    assert [
        (task.description, task.fields["summary"], task.finished)
        for task in bars.tasks
        if task.fields["summary"]
    ] == [
        ("compress linux", "2.5 MB done", True),
        ("compress win", "10 B done", True),
        ("lay out", "done", True),
    ]


COLUMNS = (
    Column(heading="what"),
    Column(heading="state"),
    Column(heading="for pipes", is_for_pipes=True),
    Column(heading="detail"),
)
ROWS = (("npm", "ok", "hidden", "/usr/local/lib/node_modules/npm"), ("docker", "absent", "hidden", ""))


def drawn(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(width))
    draw_table(COLUMNS, ROWS, title="title")
    return [line.rstrip() for line in capsys.readouterr().out.splitlines()]


def test_a_table_is_drawn_if_it_fits(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = drawn(capsys, monkeypatch, 80)
    assert lines[0] == "title"
    assert [line.split() for line in lines[4:6]] == [
        ["npm", "ok", "/usr/local/lib/node_modules/npm"],
        ["docker", "absent"],
    ]


def test_rows_become_blocks_if_a_word_would_be_broken(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert drawn(capsys, monkeypatch, 45) == [
        "title",
        "",
        "npm",
        "  state: ok",
        "  detail: /usr/local/lib/node_modules/npm",
        "",
        "docker",
        "  state: absent",
    ]


@pytest.mark.parametrize("width", range(60, 120))
def test_no_word_is_broken_at_any_width(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    rows = [
        ("rust-v0.163.0", "manylinux_2_17_aarch64", "IDENTICAL", "1 warning, 3 notes", ""),
        ("rust-v0.163.0", "musllinux_1_1_x86_64", "IDENTICAL", "28 errors, 3 warnings, 2 notes", "texts"),
    ]
    headings = ("release", "platform", "outcome", "verify", "why")
    draw_table([Column(heading=heading) for heading in headings], rows, title="")
    words = capsys.readouterr().out.split()
    assert [word for row in rows for cell in row for word in cell.split() if word not in words] == []


def test_a_column_without_content_is_left_out(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    columns = (Column(heading="what"), Column(heading="why"))
    draw_table(columns, [("npm", ""), ("docker", "")], title="")
    assert capsys.readouterr().out.split()[0] == "what"
    draw_table(columns, [], title="")
    assert capsys.readouterr().out.split()[:2] == ["what", "why"]


def test_a_cut_column_makes_room_for_whole_words(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    columns = (Column(heading="platform"), Column(heading="sha256", is_cut=True))
    draw_table(columns, [("win_arm64", "0" * 64)], title="")
    out = capsys.readouterr().out
    assert "win_arm64" in out
    assert "0000…" in out
    assert all(len(line) <= 40 for line in out.splitlines())


@pytest.mark.parametrize("width", [20, 30, 60, 80])
def test_nothing_is_wider_than_the_terminal(
    width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = drawn(capsys, monkeypatch, width)
    assert max(map(len, lines)) <= width
    assert "".join(lines).replace(" ", "").count("/usr/local/lib/node_modules/npm") == 1


def test_a_size_that_is_learned_later_gives_a_total() -> None:
    bars = Bars(console=Console(file=io.StringIO()))
    with BarProgress(bars).task("codex.tgz") as task:
        task.expect(500)
        assert shown(bars) == [("codex.tgz", 500, 0)]


def shown(bars: Bars) -> list[tuple[str, float | None, float]]:
    return [(task.description, task.total, task.completed) for task in bars.tasks if task.visible]


def test_several_tasks_have_a_bar_for_all_of_them() -> None:
    bars = Bars(console=Console(file=io.StringIO()))
    progress = BarProgress(bars)
    with progress.task("a", total_bytes=100) as one:
        one.advance(10)
        assert shown(bars) == [("a", 100, 10)]
        with progress.task("lay out") as unknown, progress.task("b", total_bytes=300) as two:
            unknown.advance(5)
            two.advance(50)
            assert shown(bars)[0] == ("all so far", 400, 60)
            unknown.expect(20)
            assert shown(bars)[0] == ("all so far", 420, 65)
            two.advance(200)
        assert shown(bars)[0] == ("all so far", 100 + 5 + 250, 265), (
            "b and the other are done with what they had"
        )
        one.advance(90)
    assert shown(bars)[0] == ("all so far", 355, 355)


def test_planned_work_has_a_bar_with_the_time_left() -> None:
    now_s = 0.0
    file = io.StringIO()
    bars = Bars(*columns(80), console=Console(file=file, width=80), get_time=lambda: now_s)
    progress = BarProgress(bars, clock_s=lambda: now_s)
    with progress.task("codex.tgz", total_bytes=10):
        assert [task.description for task in bars.tasks if task.visible] == ["codex.tgz"]
    progress.plan({"verify a": 1000, "verify b": 1000, "compress a": 1000})
    progress.plan({"compress b": 1000})
    assert "planned work time left not known yet" in line_of(bars, file)
    with progress.task("compress a", total_bytes=500) as one:
        now_s = 60.0
        one.advance(250)
        assert "planned work about 3 min 48 s left" in line_of(bars, file)
        whole = bars.tasks[0]
        assert whole.total is not None
        assert whole.completed / whole.total == pytest.approx(60 / (60 + 228))
    with progress.task("compress b"), progress.task("verify a"), progress.task("verify b"):
        pass
    assert line_of(bars, file).endswith("planned work done")


def line_of(bars: Bars, file: io.StringIO) -> str:
    """Draw the bars, and return the line of the planned work without its bar."""
    file.seek(0)
    file.truncate()
    bars.console.print(bars.make_tasks_table(bars.tasks))
    (line,) = [line for line in file.getvalue().splitlines() if line.startswith("planned work")]
    return " ".join(re.sub("[\u2501\u2578\u257a]", "", line).split())


def test_a_row_without_a_conclusion_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    draw_findings("this host", [("ok", "npm", "/usr/bin/npm", ""), ("absent", "git", "none", "Install it.")])
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        "",
        "this host",
        "ok       npm                     /usr/bin/npm",
        "absent   git                     none",
        "                                 > Install it.",
    ]


def test_a_terminal_gets_the_host_in_lines(
    factory: Factory, monkeypatch: pytest.MonkeyPatch, httpserver: HTTPServer
) -> None:
    monkeypatch.setenv("FACTORY_NPM_REGISTRY", httpserver.url_for("/npm/"))
    monkeypatch.setenv("PIP_INDEX_URL", httpserver.url_for("/simple/"))
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    ended = factory("doctor")
    assert ended.status == 25, "the registry has no package"
    plain = re.sub(r"\x1b\[[0-9;]*m", "", ended.out)
    assert "\nthis host\nok       python " in plain
