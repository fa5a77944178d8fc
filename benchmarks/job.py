"""The arguments of a measured process, and the report that it writes as JSON."""

import argparse
import json
import os
import resource
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Self

from factory.build.toolchain import make_toolchain
from factory.cli.encoder import choose_encoder
from factory.cli.settings import Settings
from factory.core.progress import Progress
from factory.core.tags import CodexTag
from factory.core.targets import Platform
from factory.release.channels import Channel
from factory.release.channels.cached import CachedChannel
from factory.release.channels.npm import NpmChannel, default_npm_registry
from factory.release.channels.npm_login import NpmLogin
from factory.release.download import Downloader
from factory.system.cache import Cache
from factory.system.http import RequestsClient
from factory.system.process import SubprocessRunner
from factory.wheels.context import RunContext
from factory.wheels.plan import WheelsPlan, WheelsRequest, plan_wheels

FRONT_END = "python -m build"
"""The phase of upstream's method that is only the front end and its backend."""

KILOBYTE = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """The task of one measured process.

    Attributes:
        cache: The cache; it has the downloads, and perhaps compressed contents.
        out: The directory for wheels and temporary files.
        report: The file to write the report to.
    """

    tag: CodexTag
    platforms: tuple[Platform, ...]
    cache: Path
    out: Path
    jobs: int
    report: Path

    @classmethod
    def parse(cls, argv: Sequence[str]) -> Self:
        """Parse the arguments that `argv` returns."""
        parser = argparse.ArgumentParser()
        parser.add_argument("tag", type=CodexTag.parse)
        parser.add_argument("platforms", type=Platform.parse, nargs="+")
        for name in ("--cache", "--out", "--report"):
            parser.add_argument(name, type=Path, required=True)
        parser.add_argument("--jobs", type=int, required=True)
        given = parser.parse_args(argv)
        return cls(
            tag=given.tag,
            platforms=tuple(given.platforms),
            cache=given.cache,
            out=given.out,
            jobs=given.jobs,
            report=given.report,
        )

    @property
    def argv(self) -> tuple[str, ...]:
        """The arguments that `parse` reads."""
        paths = {"--cache": self.cache, "--out": self.out, "--report": self.report}
        options = [text for name, path in paths.items() for text in (name, str(path))]
        platforms = [platform.tag for platform in self.platforms]
        return (str(self.tag), *platforms, *options, "--jobs", str(self.jobs))

    def plan(self, channel: Channel) -> WheelsPlan:
        """Plan the wheels of this job."""
        return plan_wheels(WheelsRequest(tag=self.tag, platforms=self.platforms, out=self.out), channel)

    def write_report(self, document: Mapping[str, object]) -> None:
        """Write the report."""
        self.report.write_text(json.dumps(document), encoding="utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What this process and its finished children have used so far.

    Attributes:
        at_s: The time now, on the monotonic clock that all processes of a machine share.
        cpu_s: User and system time.
        peak_bytes: The largest resident set of any one process.
        read_bytes: Read by system calls, whether from the page cache or not.
        written_bytes: Likewise.
    """

    at_s: float
    cpu_s: float
    peak_bytes: int
    read_bytes: int
    written_bytes: int

    @classmethod
    def now(cls) -> Self:
        """Read the current values."""
        own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
        sums = _numbers("/proc/self/io")
        return cls(
            at_s=time.monotonic(),
            cpu_s=sum(usage.ru_utime + usage.ru_stime for usage in (own, children)),
            peak_bytes=max(_own_peak_bytes(own), children.ru_maxrss * KILOBYTE),
            read_bytes=sums.get("rchar", 0),
            written_bytes=sums.get("wchar", 0),
        )

    def to_json(self) -> dict[str, float]:
        """Return the values for the report."""
        return {name: getattr(self, name) for name in self.__slots__}


def _own_peak_bytes(usage: resource.struct_rusage) -> int:
    """Prefer the kernel's VmHWM: ``ru_maxrss`` starts at the parent's value after a fork."""
    return _numbers("/proc/self/status").get("VmHWM", usage.ru_maxrss) * KILOBYTE


def _numbers(path: str) -> dict[str, int]:
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    pairs = (line.partition(":")[::2] for line in lines)
    return {
        name: int(text.split()[0]) for name, text in pairs if text.split()[:1] and text.split()[0].isdigit()
    }


@contextmanager
def opened(cache: Path, *, jobs: int, progress: Progress) -> Iterator[tuple[Channel, RunContext]]:
    """Open the npm channel and a run context, as the command line does."""
    settings = Settings.from_environ()
    runner, store = SubprocessRunner(), Cache(cache)
    with ExitStack() as stack:
        client = stack.enter_context(RequestsClient())
        registry = settings.npm_registry or default_npm_registry()
        yield (
            CachedChannel(NpmChannel(client, login=NpmLogin.of(registry, "a test", {})), store),
            RunContext(
                cache=store,
                downloader=Downloader(cache=store, client=client, progress=progress),
                runner=runner,
                progress=progress,
                toolchain_for=lambda lock: make_toolchain(
                    lock=lock,
                    base_python=Path(sys.executable),
                    cache_dir=cache,
                    env=os.environ,
                    runner=runner,
                ),
                host_env=settings.host_env,
                jobs=jobs,
                stop=Event(),
                encoders=choose_encoder(settings, runner),
            ),
        )
