"""Write ``performance.md`` and ``performance.svg`` from the results of a run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.options import MEANINGS, Case
from benchmarks.plot import Bar, Chart, render
from benchmarks.results import MEGABYTE, Results
from factory.core.counted import counted
from factory.system.files import atomic_write


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """What a ratio means, and what the project promises about it, if anything.

    Attributes:
        cores: The number of cores that the promise is for; None for any.
    """

    meaning: str
    at_least: float | None = None
    at_most: float | None = None
    cores: int | None = None

    @property
    def promise(self) -> str:
        """The promise in words, or an empty text."""
        limits = (("at least", self.at_least), ("at most", self.at_most))
        text = " and ".join(f"{words} {limit:.2f}" for words, limit in limits if limit is not None)
        return text if self.cores is None else f"{text} on {self.cores} cores"

    def result(self, measured: float, machine_cores: str) -> str:
        """Return ``kept`` or ``missed``, or an empty text if there is no promise for this machine."""
        if not self.promise or (self.cores is not None and str(self.cores) != machine_cores):
            return ""
        shown = round(measured, 2)  # the table must not call the number that it shows wrong
        is_low = self.at_least is not None and shown < self.at_least
        is_high = self.at_most is not None and shown > self.at_most
        return "**missed**" if is_low or is_high else "kept"


RATIOS = {
    "upstream / cold": Ratio(
        at_least=4.5, meaning="how many times as fast as upstream's method, with equal bytes"
    ),
    "cold / zlib": Ratio(at_most=0.72, meaning="the whole run, and bare compression by zlib on all cores"),
    "cold / floor": Ratio(meaning="what the factory adds to bare compression by its own encoder"),
    "CPU: zlib / floor": Ratio(at_least=2.0, meaning="how much less work the encoder is than zlib"),
    "CPU: upstream / cold": Ratio(
        meaning="as upstream / cold, in CPU time, on which other work on the machine has less effect"
    ),
    "upstream / warm": Ratio(meaning="the same with every content already compressed"),
    "CPU: cold / floor": Ratio(meaning="as cold / floor, in CPU time"),
    "disk: cold / its wheels": Ratio(
        at_most=1.2, meaning="no payload is unpacked to disk; verification is not included"
    ),
    "audit / four python -m build": Ratio(
        at_most=1.0, meaning="the audit of the release, and the backend on four stages"
    ),
    "one platform: zlib / own encoder": Ratio(
        at_least=1.7, meaning="a cold run for one platform, without and with exact_deflate"
    ),
    "cold audit: zlib / own encoder": Ratio(
        at_least=1.8, meaning="an audit with nothing compressed yet, without and with exact_deflate"
    ),
    "4 workers / 2 workers": Ratio(
        at_most=1.05, cores=2, meaning="more workers than cores do not slow the run down"
    ),
}
INTRODUCTION = """\
# Performance

Written by `make bench`; do not edit. Everything was measured in one run on one machine, each method in its
own process and the compared methods interleaved. Seconds depend on the machine, so the promises below are
ratios. Verification is timed separately.

![Seconds of each method](performance.svg)
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
        ("method", "wall s", "CPU s", "peak MB", "read GB", "written GB", "disk MB"), _methods(results)
    )
    equal = results.equal_wheels()
    built = counted(equal, "wheel was", "wheels were")
    yield f"\n{built} built by more than one method, each with the same SHA-256 every time.\n"
    yield from (f"- `{case}`: {MEANINGS[case]}." for case in Case if results.of(case))
    yield from (f"- `{case}` was not measured: {reason}." for case, reason in results.skipped.items())
    yield "\nPeak is the memory of the largest process; disk is the peak disk use, wheels included."
    yield "\n## Ratios\n"
    yield from _table(("ratio", "measured", "promised", "result", "meaning"), _ratios(results))
    yield "\n## Where the time goes\n"
    yield from _table(("phase", "cold s", "warm s"), _phases(results))
    yield "\n## Each file\n"
    compressed = counted(results.equal_files(), "file")
    yield f"{compressed} compressed by both encoders, each to the same stream; MB/s of CPU time.\n"
    yield from _table(("file", "MB", "zlib MB/s", "exact_deflate MB/s", "ratio"), _files(results))
    yield "\n## Growth\n"
    yield from _table(("run", "wall s", "CPU s", "peak MB", "distinct GB", "s per GB"), _growth(results))
    yield "\n## Machine\n"
    yield from _table(("fact", "value"), list(results.machine.items()))
    yield ""


def _methods(results: Results) -> list[tuple[str, ...]]:
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


def _ratios(results: Results) -> list[tuple[str, ...]]:
    cores = results.machine.get("cores", "")
    rows: list[tuple[str, ...]] = []
    for name, measured in results.ratios().items():
        ratio = RATIOS[name]
        result = ratio.result(measured, cores)
        rows.append((name, f"{measured:.2f}", ratio.promise, result, ratio.meaning))
    return rows


def _phases(results: Results) -> list[tuple[str, ...]]:
    cold, warm = (
        {k: v for m in results.of(case) for k, v in m.phases.items()} for case in (Case.COLD, Case.WARM)
    )
    return [
        (name, *(f"{phases[name]:.1f}" if name in phases else "" for phases in (cold, warm)))
        for name in dict.fromkeys((*cold, *warm))
    ]


def _files(results: Results) -> list[tuple[str, ...]]:
    """Return a row for each file of at least 1 MB, the largest first; smaller ones are measured inexactly."""
    by_zlib, by_floor = (
        {name: file.cpu_s for m in results.of(case) for name, file in m.files.items()}
        for case in (Case.ZLIB, Case.FLOOR)
    )
    rows: list[tuple[str, ...]] = []
    for name, file in sorted(results.files.items(), key=lambda item: -item[1].size_bytes):
        if file.size_bytes < MEGABYTE or not (by_zlib.get(name) and by_floor.get(name)):
            continue
        megabytes = file.size_bytes / MEGABYTE
        speeds = (megabytes / by_zlib[name], megabytes / by_floor[name])
        ratio = f"{speeds[1] / speeds[0]:.2f}"
        rows.append((file.name, f"{megabytes:.1f}", f"{speeds[0]:.0f}", f"{speeds[1]:.0f}", ratio))
    return rows


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
    """Return the charts: one of the methods, and one of growth."""
    walls = {case: results.total(case, lambda measured: measured.wall_s) for case in Case}
    methods = [
        Bar(label=case.value, value=wall)
        for case, wall in walls.items()
        if wall is not None and case in {Case.UPSTREAM, Case.COLD, Case.WARM, Case.ZLIB, Case.FLOOR}
    ]
    growth = [Bar(label=m.case, value=m.wall_s) for m in results.measured if m.case not in {*Case}]
    parts = [Chart(title=f"All wheels of {results.release}: seconds", bars=tuple(methods))]
    if growth:
        parts.append(Chart(title="Growth: seconds", bars=tuple(growth)))
    return parts


def _table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(heading)} |"
    yield f"|{'---|' * len(heading)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
