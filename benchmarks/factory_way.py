"""Measured: ``factory wheels``, with its verification timed separately.

The run reports through its progress when it begins to compress, assemble and verify, so the measured
code is the code that users run.
"""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.job import Job, Used, opened
from factory.core.progress import ProgressTask, SilentProgress
from factory.wheels.run import make_wheels

VERIFY = "verify"
LAY_OUT = "lay out"


class PhaseClock(SilentProgress):
    """A `Progress` that records when the first task of each kind began and the last one ended."""

    def __init__(self) -> None:
        self.began: dict[str, Used] = {}
        self.ended_s: dict[str, float] = {}
        self._lock = threading.Lock()

    @contextmanager
    def task(self, label: str, *, total_bytes: int | None = None) -> Iterator[ProgressTask]:
        """Time a task under the first word of its label."""
        kind = label if label == LAY_OUT else label.partition(" ")[0]
        with self._lock:
            if kind not in self.began:
                self.began[kind] = Used.now()
        with SilentProgress().task(label, total_bytes=total_bytes) as task:
            yield task
        with self._lock:
            self.ended_s[kind] = time.monotonic()


def main() -> None:
    """Build the wheels and write the report."""
    job = Job.parse(sys.argv[1:])
    clock = PhaseClock()
    with opened(job.cache, jobs=job.jobs, progress=clock) as (channel, context):
        run = make_wheels(job.plan(channel), context)
    job.write_report(
        {
            "used": clock.began[VERIFY].to_json(),
            "phases": {kind: clock.ended_s[kind] - used.at_s for kind, used in clock.began.items()},
            "wheels": {wheel.name: str(wheel.sha256) for wheel in run.manifest.wheels},
            "output_bytes": sum(wheel.size_bytes for wheel in run.manifest.wheels),
        }
    )


if __name__ == "__main__":
    main()
