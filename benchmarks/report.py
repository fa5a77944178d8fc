"""Write ``performance.md`` and ``performance.svg`` from a run's results."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.options import MEANINGS, Case
from benchmarks.plot import Bar, Chart, render
from benchmarks.results import MEGABYTE, Results
from factory.system.files import atomic_write

PROMISES = {
    "upstream / cold": ("at least 3.0", "equal bytes, so many times as fast as upstream's way"),
    "cold / floor": ("at most 1.20", "what the factory adds to bare compression"),
    "upstream / warm": ("", "the same once everything was compressed before"),
    "CPU: cold / floor": ("", "as above in processor time, which other work on the machine disturbs less"),
    "disk: cold / its wheels": ("at most 1.2", "no payload is unpacked to disk; verification is apart"),
    "audit / four python -m build": ("at most 1.0", "the release's audit, and the backend on four stages"),
    "4 workers / 2 workers": ("at most 1.05 on two cores", "more workers than cores do no harm"),
}
INTRODUCTION = """\
# Performance

Written by `make bench`; do not edit. All of it was measured in one run on one machine, the compared ways
interleaved, each in a process of its own. Seconds belong to this machine; the ratios are what is promised.
Verification is timed apart.

![How long the ways take](performance.svg)
"""


def write_report(results: Results, directory: Path) -> Path:
    """Write both files and return the report's path."""
    text = "\n".join(_sections(results))
    atomic_write(directory / "performance.svg", render(charts(results)).encode())
    atomic_write(directory / "performance.md", text.encode())
    return directory / "performance.md"


def _sections(results: Results) -> Iterator[str]:
    yield INTRODUCTION
    yield f"## Release {results.release}\n"
    yield from _table(
        ("way", "wall s", "CPU s", "peak MB", "read GB", "written GB", "disk MB"), _ways(results)
    )
    equal = results.equal_wheels()
    yield f"\n{equal} wheels were made in more than one way, each with the same SHA-256 every time.\n"
    yield from (f"- `{case}`: {MEANINGS[case]}." for case in Case if results.of(case))
    yield from (f"- `{case}` was not measured: {reason}." for case, reason in results.skipped.items())
    yield "\nPeak is of the largest process; disk is the most that a way held at once, its wheels among it."
    yield "\n## Ratios\n"
    rows = [(name, f"{ratio:.2f}", *PROMISES[name]) for name, ratio in results.ratios().items()]
    yield from _table(("ratio", "measured", "promised", "meaning"), rows)
    yield "\n## Where the time goes\n"
    yield from _table(("phase", "cold s", "warm s"), _phases(results))
    yield "\n## Growth\n"
    yield from _table(("run", "wall s", "CPU s", "peak MB", "distinct GB", "s per GB"), _growth(results))
    yield "\n## Machine\n"
    yield from _table(("fact", "value"), list(results.machine.items()))
    yield ""


def _ways(results: Results) -> list[tuple[str, ...]]:
    rows = []
    for case in Case:
        wall = results.total(case, lambda measured: measured.wall_s)
        if wall is None:
            continue
        gigabytes = [
            (results.total(case, value) or 0) / 1e9
            for value in (lambda measured: measured.read_bytes, lambda measured: measured.written_bytes)
        ]
        rows.append(
            (
                case.value,
                f"{wall:.1f}",
                f"{results.total(case, lambda measured: measured.cpu_s) or 0:.1f}",
                f"{(results.largest(case, lambda measured: measured.peak_bytes) or 0) / MEGABYTE:.0f}",
                *(f"{value:.1f}" for value in gigabytes),
                f"{(results.largest(case, lambda measured: measured.disk_bytes) or 0) / MEGABYTE:.0f}",
            )
        )
    return rows


def _phases(results: Results) -> list[tuple[str, ...]]:
    cold, warm = (
        {k: v for m in results.of(case) for k, v in m.phases.items()} for case in (Case.COLD, Case.WARM)
    )
    return [
        (name, *(f"{phases[name]:.1f}" if name in phases else "" for phases in (cold, warm)))
        for name in dict.fromkeys((*cold, *warm))
    ]


def _growth(results: Results) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for measured in sorted(results.measured, key=lambda measured: measured.wheel_count):
        if measured.case in {*Case} - {Case.COLD}:
            continue
        name = f"wheels {measured.wheel_count}" if measured.case == Case.COLD else measured.case
        size = results.distinct_bytes.get(
            name, results.distinct_bytes.get(f"wheels {measured.wheel_count}", 0)
        )
        per_gigabyte = f"{measured.wall_s / size * 1e9:.1f}" if size else ""
        rows.append(
            (
                name,
                f"{measured.wall_s:.1f}",
                f"{measured.cpu_s:.1f}",
                f"{measured.peak_bytes / MEGABYTE:.0f}",
                f"{size / 1e9:.2f}",
                per_gigabyte,
            )
        )
    return rows


def charts(results: Results) -> list[Chart]:
    """Return the plot's parts: the ways, and how time grows."""
    walls = {case: results.total(case, lambda measured: measured.wall_s) for case in Case}
    ways = [
        Bar(label=case.value, value=wall)
        for case, wall in walls.items()
        if wall is not None and case in {Case.UPSTREAM, Case.COLD, Case.WARM, Case.FLOOR}
    ]
    growth = [Bar(label=m.case, value=m.wall_s) for m in results.measured if m.case not in {*Case}]
    parts = [Chart(title=f"All wheels of {results.release}: seconds", bars=tuple(ways))]
    if growth:
        parts.append(Chart(title="Growth: seconds", bars=tuple(growth)))
    return parts


def _table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(heading)} |"
    yield f"|{'---|' * len(heading)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
