"""Run the measurements, with the compared ones interleaved in time."""

import importlib.util
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.job import Job
from benchmarks.measure import MeasuredFailed, measure
from benchmarks.options import ROOT, Case, Options
from benchmarks.release import Release, prepare
from benchmarks.results import Results
from factory.core.targets import PLATFORMS, Platform
from factory.system.cache_entries import Namespace
from factory.system.parallel import usable_cores

WHEELS = (1, 2, 4)
WORKERS = (1, 2, 4)
CORES = usable_cores()


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """One run of the benchmark; the directory of each measured process is removed after it."""

    options: Options
    results: Results

    def run(self) -> None:
        """Measure every requested case.

        Raises:
            MeasuredFailed: A measured process failed.
            VerificationError: Two methods built different bytes of one wheel.
        """
        is_bare = self._has(Case.FLOOR) or self._has(Case.ZLIB)
        floor = self.options.scratch / "floor" if is_bare else None
        release = prepare(self._job("prepare", self.options.platforms, CORES), floor=floor)
        self.results.files.update(release.files)
        for _ in range(self.options.repeat):
            self._compare(release.platforms, floor)
        if self._has(Case.GROWTH):
            self._grow(release)

    def _compare(self, platforms: Sequence[Platform], floor: Path | None) -> None:
        """Measure half of upstream's builds, then the factory, then the other half."""
        half = len(platforms) // 2
        self._upstream(platforms[:half])
        if floor is not None:
            self._floor(platforms, floor)
        if self._has(Case.COLD):
            self._factory(platforms)
        for case in (Case.ONE_ZLIB, Case.ONE):
            if self._has(case):
                self._measure(case, "factory_way", self._job(case.replace(" ", "-"), platforms[:1], CORES))
        for case in (Case.COLD_AUDIT_ZLIB, Case.COLD_AUDIT):
            if self._has(case):
                job = self._job(case.replace(" ", "-"), platforms, CORES)
                self._measure(case, "command_way", job, ("--", *_audit(job)))
        self._upstream(platforms[half:])

    def _upstream(self, platforms: Sequence[Platform]) -> None:
        if self._has(Case.UPSTREAM):
            for platform in platforms:
                job = self._job("upstream", (platform,), 1)
                self._measure(Case.UPSTREAM, "upstream_way", job)

    def _floor(self, platforms: Sequence[Platform], directory: Path) -> None:
        """Compress the distinct contents with each encoder: nothing else."""
        for case in (Case.ZLIB, Case.FLOOR):
            if self._has(case):
                job = replace(self._job(case, platforms, CORES), out=directory)
                self.results.add(measure(case, "floor", job, extra=("--", case)))

    def _factory(self, platforms: Sequence[Platform]) -> None:
        """Measure a cold run, then a warm run and the other commands on its cache and its wheels."""
        job = self._job("factory", platforms, CORES)
        try:
            self.results.add(measure(Case.COLD, "factory_way", job))
            if self._has(Case.WARM):
                shutil.rmtree(job.out)
                self.results.add(measure(Case.WARM, "factory_way", job))
            self._command(Case.VERIFY, job, ("verify", *_wheels_of(job)))
            self._command(Case.TRUST, job, ("trust", *_wheels_of(job)))
            self._stock(job)
            self._command(Case.AUDIT, job, _audit(job))
        finally:
            shutil.rmtree(job.out, ignore_errors=True)
            shutil.rmtree(job.cache / Namespace.DEFLATE, ignore_errors=True)

    def _stock(self, job: Job) -> None:
        if self._has(Case.STOCK):
            wheels = sorted(str(path) for path in (job.out / job.tag.pep440).glob("*.whl"))
            self.results.add(measure(Case.STOCK, "stock_way", job, extra=("--", *wheels)))

    def _command(self, case: Case, job: Job, argv: Sequence[str]) -> None:
        """Measure a command if this version has it; a failure only skips this case."""
        if not self._has(case):
            return
        if importlib.util.find_spec(f"factory.cli.{case}") is None:
            self.results.skipped[case] = "this version does not have this command"
            return
        try:
            self.results.add(measure(case, "command_way", job, extra=("--", *argv)))
        except MeasuredFailed as error:
            self.results.skipped[case] = str(error)

    def _grow(self, release: Release) -> None:
        """Measure cold runs with fewer wheels, and with fewer and more workers."""
        for count in WHEELS:
            chosen = release.platforms[:count]
            if len(chosen) == count < len(release.platforms):
                self._measure(f"wheels {count}", "factory_way", self._job("growth", chosen, CORES))
        for workers in WORKERS:
            self._measure(
                f"workers {workers}", "factory_way", self._job("growth", release.platforms, workers)
            )
        for count in (*WHEELS, len(release.platforms)):
            self.results.distinct_bytes[f"wheels {count}"] = release.distinct_bytes(release.platforms[:count])
        self.results.write()

    def _measure(self, case: str, module: str, job: Job, extra: Sequence[str] = ()) -> None:
        try:
            self.results.add(measure(case, module, job, extra=extra))
        finally:
            shutil.rmtree(job.out, ignore_errors=True)
            shutil.rmtree(job.cache / Namespace.DEFLATE, ignore_errors=True)

    def _job(self, name: str, platforms: Sequence[Platform], jobs: int) -> Job:
        return Job(
            tag=self.options.tag,
            platforms=tuple(platforms),
            cache=self._cache(),
            out=self.options.scratch / name,
            jobs=jobs,
            report=self.options.scratch / "report.json",
        )

    def _cache(self) -> Path:
        """Return a cache that shares everything with the user's cache except the compressed contents."""
        cache = self.options.scratch / "cache"
        cache.mkdir(exist_ok=True)
        for name in ("assets", "partials", "records", "locks", "toolchains"):
            shared = self.options.cache / name
            shared.mkdir(parents=True, exist_ok=True)
            if not (cache / name).exists():
                (cache / name).symlink_to(shared, target_is_directory=True)
        return cache

    def _has(self, case: Case) -> bool:
        return case in self.options.cases


def _audit(job: Job) -> tuple[str, ...]:
    """Return the audit's arguments; the known findings of the release are accepted, so that it ends in 0."""
    known = ROOT / "docs" / "audits" / "known.toml"
    return ("audit", job.tag.pep440, "--known", str(known), "--out", str(job.out / "audit"))


def _wheels_of(job: Job) -> tuple[str, ...]:
    """Return the directory of a complete release, or else the wheels: a directory must be complete."""
    directory = job.out / job.tag.pep440
    if job.platforms == PLATFORMS:
        return (str(directory),)
    return tuple(str(path) for path in sorted(directory.glob("*.whl")))
