"""Workshops for whole runs without network: the directory channel and the interpreter's own backend."""

import threading
from pathlib import Path

from factory.build.builder import Engine
from factory.core.progress import Progress, SilentProgress
from factory.core.targets import Platform
from factory.release.channels.directory import DirectoryChannel
from factory.release.download import Downloader
from factory.system.cache import Store
from factory.system.process import SubprocessRunner
from factory.wheels.context import Workshop
from factory.wheels.plan import WheelsOrder, plan_wheels
from factory.wheels.run import WheelsRun, make_wheels
from tests.fakes import FakeHttpClient
from tests.packages import TAG
from tests.toolchains import running_toolchain


def workshop(cache: Path, *, progress: Progress | None = None) -> Workshop:
    """Return a workshop that opens no socket."""
    store = Store(cache)
    shown = progress or SilentProgress()
    stop = threading.Event()
    return Workshop(
        store=store,
        downloader=Downloader(store=store, client=FakeHttpClient({}), progress=shown),
        runner=SubprocessRunner(stop),
        progress=shown,
        toolchain_for=lambda _: running_toolchain(),
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
    """Make wheels of a directory of synthetic packages."""
    order = WheelsOrder(
        tag=TAG,
        platforms=None if platforms is None else tuple(Platform.parse(tag) for tag in platforms),
        out=out,
        engine=engine,
        is_engine_checked=is_engine_checked,
    )
    return run_order(order, packages, cache=cache)


def run_order(order: WheelsOrder, packages: Path, *, cache: Path) -> WheelsRun:
    """Make what is ordered of a directory of synthetic packages."""
    return make_wheels(plan_wheels(order, DirectoryChannel(packages)), workshop(cache))
