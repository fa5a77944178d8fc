"""Make the context of a run from the environment and the options."""

import sys
import threading
from functools import partial
from pathlib import Path

from factory.build.locked_wheels import fetch_locked_wheels
from factory.build.toolchain import Lock, Toolchain, make_toolchain
from factory.cli.console import say
from factory.cli.encoder import choose_encoder
from factory.cli.options import containers_of, parse_size
from factory.cli.pip_python import python_with_pip
from factory.cli.settings import Settings
from factory.core.progress import Progress
from factory.release.download import Downloader
from factory.system.cache import Cache
from factory.system.parallel import usable_cores
from factory.system.process import Runner
from factory.verify.stock.stock_tools import StockTools, installed_tools
from factory.wheels.context import DEFLATE_LIMIT_BYTES, Client, RunContext


def make_run_context(
    settings: Settings,
    *,
    downloader: Downloader,
    runner: Runner,
    stop: threading.Event,
    jobs: int | None,
    deflate_limit: str | None = None,
) -> RunContext:
    """Make the context of a run around a downloader, sharing its cache and progress.

    Args:
        settings: The environment.
        downloader: Downloads the packages.
        runner: Starts the processes.
        stop: Set when the run must end.
        jobs: Number of workers; None for one per core.
        deflate_limit: Size of the compressed files to keep, with a unit; None for the settings' limit.
    """
    limit = deflate_limit or settings.deflate_limit
    return RunContext(
        cache=downloader.cache,
        downloader=downloader,
        runner=runner,
        progress=downloader.progress,
        toolchain_for=partial(
            toolchain_on,
            Path(sys.executable),
            settings=settings,
            runner=runner,
            progress=downloader.progress,
            cache=downloader.cache,
        ),
        host_env=settings.host_env,
        jobs=jobs or usable_cores(),
        stop=stop,
        containers=containers_of(settings),
        client=Client(
            env=settings.client_env,
            fetch_wheels=partial(_fetch_wheels, settings=settings, runner=runner, cache=downloader.cache),
        ),
        report=say,
        encoders=choose_encoder(settings, runner),
        deflate_limit_bytes=DEFLATE_LIMIT_BYTES if limit is None else parse_size(limit),
        stock_tools=StockTools(runner=runner, installed=installed_tools(), search_path=settings.search_path),
    )


def _fetch_wheels(
    locks: tuple[Lock, ...], python: Path, *, settings: Settings, runner: Runner, cache: Cache
) -> Path:
    return fetch_locked_wheels(
        locks,
        python=python_with_pip(settings, runner) if python == Path(sys.executable) else python,
        cache_dir=settings.cache_dir,
        env=settings.environ,
        runner=runner,
        hold=lambda directory: cache.lease.hold([directory]),
    )


def toolchain_on(
    python: Path, lock: Lock, *, settings: Settings, runner: Runner, progress: Progress, cache: Cache
) -> Toolchain:
    """Make a toolchain for an interpreter, as a task: the first time, pip takes some seconds."""
    with progress.task("toolchain"):
        return make_toolchain(
            lock=lock,
            base_python=python,
            cache_dir=settings.cache_dir,
            env=settings.environ,
            runner=runner,
            hold=lambda directory: cache.lease.hold([directory]),
        )
