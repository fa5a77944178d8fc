"""The measurements of one run, written to a JSON file after each of them."""

import json
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from benchmarks.job import FRONT_END
from benchmarks.machine import machine_facts
from benchmarks.measure import Measured
from benchmarks.options import Case, Options
from benchmarks.release import ContentFile
from factory.core.errors import VerificationError
from factory.system.files import atomic_write

MEGABYTE = 1e6


@dataclass(slots=True, kw_only=True)
class Results:
    """All measurements of a run, in order.

    Attributes:
        path: The JSON file.
        skipped: The reason for each case that was not measured.
        files: The distinct files of the release, by their digest in hexadecimal.
        distinct_bytes: The payload bytes that each growth measurement compressed, by label.
    """

    path: Path
    release: str
    machine: Mapping[str, str]
    measured: list[Measured] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    files: dict[str, ContentFile] = field(default_factory=dict)
    distinct_bytes: dict[str, int] = field(default_factory=dict)

    @classmethod
    def begin(cls, options: Options) -> Self:
        """Choose the file's name; it is written with the first measurement."""
        stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
        return cls(
            path=options.results / f"{stamp}-{options.tag.pep440}.json",
            release=str(options.tag),
            machine=machine_facts(),
        )

    def add(self, measured: Measured) -> None:
        """Add a measurement and print it.

        Raises:
            VerificationError: It produced different bytes than an earlier one.
        """
        self.measured.append(measured)
        self.write()
        print(
            f"{measured.label:<60} {measured.wall_s:7.1f} s  cpu {measured.cpu_s:6.1f} s"
            f"  peak {measured.peak_bytes / MEGABYTE:5.0f} MB  disk {measured.disk_bytes / MEGABYTE:6.0f} MB",
            flush=True,
        )
        self.equal_wheels()
        self.equal_files()

    def write(self) -> None:
        """Write all measurements so far."""
        document = {
            "version": 1,
            "release": self.release,
            "machine": dict(self.machine),
            "measured": [measured.to_json() for measured in self.measured],
            "skipped": self.skipped,
            "distinct_bytes": self.distinct_bytes,
            "ratios": self.ratios(),
        }
        atomic_write(self.path, json.dumps(document, indent=1).encode())

    def equal_wheels(self) -> int:
        """Return how many wheels were built by more than one method, all with equal bytes.

        Raises:
            VerificationError: Some differ, so that their times cannot be compared.
        """
        methods: dict[str, dict[str, str]] = {}
        for measured in self.measured:
            for name, digest in measured.wheels.items():
                methods.setdefault(name, {})[measured.case] = digest
        for name, digests in methods.items():
            different = sorted(set(digests.values()))
            if len(different) != 1:
                raise VerificationError(
                    f"{name} was built with {len(different)} different digests: {', '.join(different)}",
                    hint="Run 'factory wheels --check-engine' for that platform.",
                )
        return sum(len(digests) > 1 for digests in methods.values())

    def equal_files(self) -> int:
        """Return how many files both encoders compressed to the same stream.

        Raises:
            VerificationError: They gave different streams for a file.
        """
        by_zlib, by_floor = (
            {name: file.stream_sha256 for m in self.of(case) for name, file in m.files.items()}
            for case in (Case.ZLIB, Case.FLOOR)
        )
        both = by_zlib.keys() & by_floor.keys()
        for name in sorted(both):
            if by_zlib[name] != by_floor[name]:
                raise VerificationError(
                    f"the encoders gave different streams for the file with SHA-256 {name}",
                    hint="Run 'factory wheels --check-engine', and report the file.",
                )
        return len(both)

    def of(self, case: str) -> list[Measured]:
        """Return the measurements of a case."""
        return [measured for measured in self.measured if measured.case == case]

    def total(self, case: str, value: Callable[[Measured], float]) -> float | None:
        """Return the sum of a case's parts, each the median of its repetitions."""
        by_label: dict[str, list[float]] = {}
        for measured in self.of(case):
            by_label.setdefault(measured.label, []).append(value(measured))
        return sum(statistics.median(values) for values in by_label.values()) if by_label else None

    def largest(self, case: str, value: Callable[[Measured], float]) -> float | None:
        """Return the largest value of a case."""
        return max((value(measured) for measured in self.of(case)), default=None)

    def ratios(self) -> dict[str, float]:
        """Return the ratios that could be measured, of those that the project makes promises about."""
        pairs = {
            "upstream / cold": (Case.UPSTREAM, Case.COLD),
            "cold / zlib": (Case.COLD, Case.ZLIB),
            "cold / floor": (Case.COLD, Case.FLOOR),
            "upstream / warm": (Case.UPSTREAM, Case.WARM),
            "one platform: zlib / own encoder": (Case.ONE_ZLIB, Case.ONE),
            "cold audit: zlib / own encoder": (Case.COLD_AUDIT_ZLIB, Case.COLD_AUDIT),
            "4 workers / 2 workers": ("workers 4", "workers 2"),
        }
        walls = {
            name: self.total(name, lambda measured: measured.wall_s)
            for pair in pairs.values()
            for name in pair
        }
        ratios = {}
        for label, (above, below) in pairs.items():
            first, second = walls[above], walls[below]
            if first is not None and second:
                ratios[label] = first / second
        return ratios | self._shares()

    def _shares(self) -> dict[str, float]:
        """Return ratios of other values than wall time; CPU time is also reliable on a busy machine."""
        shares = {}
        for above, below in ((Case.UPSTREAM, Case.COLD), (Case.COLD, Case.FLOOR), (Case.ZLIB, Case.FLOOR)):
            work, least = (self.total(case, lambda measured: measured.cpu_s) for case in (above, below))
            if work is not None and least:
                shares[f"CPU: {above} / {below}"] = work / least
        fullest = max(self.of(Case.COLD), key=lambda measured: measured.disk_bytes, default=None)
        if fullest is not None and fullest.output_bytes:
            shares["disk: cold / its wheels"] = fullest.disk_bytes / fullest.output_bytes
        audit = self.total(Case.AUDIT, lambda measured: measured.wall_s)
        builds = [measured.phases.get(FRONT_END, 0) for measured in self.of(Case.UPSTREAM)]
        if audit is not None and builds and all(builds):
            shares["audit / four python -m build"] = audit / (4 * statistics.fmean(builds))
        return shares
