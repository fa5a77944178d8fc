"""Run one process and measure its time, its memory, and its peak disk use."""

import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks.job import Job
from benchmarks.options import WITH_ZLIB
from factory.build.exact_deflate import default_directory
from factory.core.counted import counted
from factory.core.errors import BuildError
from factory.core.json_reader import JsonObject

_SAMPLE_S = 0.1
_BLOCK_BYTES = 512


class MeasuredFailed(BuildError):
    """A measured process failed."""

    hint = "Read its output above; earlier measurements are kept in the results file."

    def __init__(self, label: str, status: int) -> None:
        super().__init__(f"{label}: exit status {status}")


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredFile:
    """One file, compressed by a bare encoder."""

    cpu_s: float
    stream_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The measurements of one process.

    Attributes:
        case: What was measured: ``upstream``, ``cold`` and so on.
        label: The case with its platform or number of wheels.
        wall_s: From the start to the end of the measured part, which excludes verification.
        cpu_s: Including child processes.
        peak_bytes: Of the largest process.
        read_bytes: By system calls.
        written_bytes: By system calls.
        disk_bytes: Peak disk use of its directory during the measured part, output included.
        judged_disk_bytes: Peak disk use during verification, which unpacks the wheels.
        output_bytes: The size of the wheels.
        phases: Seconds by phase, if reported; ``wall_s`` does not include verification.
        wheels: SHA-256 by name.
        files: CPU seconds and SHA-256 of the stream by the digest of the content, if each was measured.
    """

    case: str
    label: str
    jobs: int
    wheel_count: int
    wall_s: float
    cpu_s: float
    peak_bytes: int
    read_bytes: int
    written_bytes: int
    disk_bytes: int
    judged_disk_bytes: int
    output_bytes: int
    phases: Mapping[str, float]
    wheels: Mapping[str, str]
    files: Mapping[str, MeasuredFile] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        """Return the values for the results file."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The size of a directory at one time."""

    at_s: float
    size_bytes: int


def measure(case: str, module: str, job: Job, *, extra: Sequence[str] = ()) -> Measured:
    """Run a module of this package as a process and measure it.

    Raises:
        MeasuredFailed: The process failed.
    """
    one, *others = job.platforms
    label = f"{case} {counted(len(job.platforms), 'wheel')}" if others else f"{case} {one.tag}"
    job.out.mkdir(parents=True, exist_ok=True)
    temporary = job.out / "tmp"
    env = os.environ | {
        "TMPDIR": str(temporary),
        "FACTORY_CACHE_DIR": str(job.cache),
        "FACTORY_ENCODER": "zlib" if case in WITH_ZLIB else "",
    }
    temporary.mkdir(exist_ok=True)
    _bring_encoder(temporary)
    argv = (sys.executable, "-m", f"benchmarks.{module}", *job.argv, *extra)
    with _sampled(job.out) as sizes:
        began_s = time.monotonic()
        process = os.posix_spawn(sys.executable, argv, env)
        try:
            _, status = os.waitpid(process, 0)
        except BaseException:
            os.kill(process, 15)
            os.waitpid(process, 0)
            raise
    if status != 0:
        raise MeasuredFailed(label, os.waitstatus_to_exitcode(status))
    return _read(job, case=case, label=label, began_s=began_s, sizes=sizes)


def _bring_encoder(temporary: Path) -> None:
    """Give a measured process the compiled encoder, which a machine compiles once."""
    compiled = default_directory()
    if compiled.is_dir():
        shutil.copytree(compiled, temporary / compiled.name, dirs_exist_ok=True)


def _read(job: Job, *, case: str, label: str, began_s: float, sizes: Sequence[Sample]) -> Measured:
    report = JsonObject.parse(job.report.read_bytes(), where=label)
    used = report.child("used")
    end_s = _number(used, "at_s")
    return Measured(
        case=case,
        label=label,
        jobs=job.jobs,
        wheel_count=len(job.platforms),
        wall_s=end_s - began_s,
        cpu_s=_number(used, "cpu_s"),
        peak_bytes=used.integer("peak_bytes"),
        read_bytes=used.integer("read_bytes"),
        written_bytes=used.integer("written_bytes"),
        disk_bytes=max(sample.size_bytes for sample in sizes if sample.at_s <= end_s),
        judged_disk_bytes=max((sample.size_bytes for sample in sizes if sample.at_s > end_s), default=0),
        output_bytes=report.integer("output_bytes"),
        phases={name: _number(report.child("phases"), name) for name in report.child("phases").members},
        wheels=report.child("wheels").text_members(),
        files=_files(report.child("files")) if "files" in report.members else {},
    )


def _files(report: JsonObject) -> dict[str, MeasuredFile]:
    children = {name: report.child(name) for name in report.members}
    return {
        name: MeasuredFile(cpu_s=_number(child, "cpu_s"), stream_sha256=child.text("stream_sha256"))
        for name, child in children.items()
    }


def _number(report: JsonObject, key: str) -> float:
    value = report.members[key]
    if not isinstance(value, int | float):
        raise TypeError(f"{report.where}: {key!r} should be a number")
    return float(value)


@contextmanager
def _sampled(directory: Path) -> Iterator[list[Sample]]:
    """Sample a directory's size until the context ends."""
    sizes, end = [_sample(directory)], threading.Event()

    def run() -> None:
        while not end.wait(_SAMPLE_S):
            sizes.append(_sample(directory))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield sizes
    finally:
        end.set()
        thread.join()


def _sample(directory: Path) -> Sample:
    return Sample(at_s=time.monotonic(), size_bytes=disk_bytes(directory))


def disk_bytes(directory: Path) -> int:
    """Return the disk space of a directory's files; files that disappear meanwhile are skipped."""
    total = 0
    for root, _, names in os.walk(directory):
        for name in names:
            try:
                status = os.lstat(os.path.join(root, name))  # noqa: PTH118 - thousands of files, ten times a second
            except FileNotFoundError:
                continue
            total += status.st_blocks * _BLOCK_BYTES
    return total
