"""Whole runs without network, from the directory channel and with the backend of this interpreter."""

import threading
from dataclasses import replace
from pathlib import Path

from factory.build.builder import Engine
from factory.core.progress import Progress, SilentProgress
from factory.core.targets import Platform
from factory.release.channels.directory import DirectoryChannel
from factory.release.download import Downloader
from factory.system.cache import Cache
from factory.system.process import Runner, SubprocessRunner
from factory.wheels.context import RunContext
from factory.wheels.plan import WheelsRequest, plan_wheels
from factory.wheels.run import WheelsRun, make_wheels
from tests.backends import HookRunner, Memory, RememberingRunner
from tests.fakes import FakeHttpClient
from tests.packages import TAG
from tests.toolchains import running_toolchain

_MEMORY = Memory()


def cheap_runner(stop: threading.Event) -> Runner:
    """Return a runner that starts fewer processes for a build; see `tests.backends`."""
    return HookRunner(runner=RememberingRunner(runner=SubprocessRunner(stop), memory=_MEMORY))


def run_context(cache: Path, *, progress: Progress | None = None) -> RunContext:
    """Return a run context that opens no socket."""
    store = Cache(cache)
    shown = progress or SilentProgress()
    stop = threading.Event()
    return RunContext(
        cache=store,
        downloader=Downloader(cache=store, client=FakeHttpClient({}), progress=shown),
        runner=cheap_runner(stop),
        progress=shown,
        toolchain_for=lambda lock: replace(running_toolchain(), lock=lock),
        host_env={},
        jobs=2,
        stop=stop,
    )


def run_factory(
    packages: Path,
    out: Path,
    *,
    cache: Path,
    platforms: tuple[str, ...] | None = None,
    engine: Engine = Engine.ASSEMBLER,
    is_engine_checked: bool = False,
) -> WheelsRun:
    """Build wheels from a directory of synthetic packages."""
    request = WheelsRequest(
        tag=TAG,
        platforms=None if platforms is None else tuple(Platform.parse(tag) for tag in platforms),
        out=out,
        engine=engine,
        is_engine_checked=is_engine_checked,
    )
    return run_request(request, packages, cache=cache)


def run_request(request: WheelsRequest, packages: Path, *, cache: Path) -> WheelsRun:
    """Build the requested wheels from a directory of synthetic packages."""
    return make_wheels(plan_wheels(request, DirectoryChannel(packages)), run_context(cache))
