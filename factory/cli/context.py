"""Make a run's context from the environment and the options."""

import sys
import threading
from functools import partial
from pathlib import Path

from factory.build.toolchain import Lock, Toolchain, make_toolchain
from factory.build.wheel_directory import fetch_wheels
from factory.cli.cache import parse_size
from factory.cli.console import say
from factory.cli.containers import containers_of
from factory.cli.settings import Settings
from factory.core.progress import Progress
from factory.release.download import Downloader
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
    """Make a run's context around a downloader and its store and progress.

    Args:
        settings: The environment.
        downloader: What brings packages.
        runner: What starts processes.
        stop: Is set when the run must end.
        jobs: How many things at once; None for one a core.
        deflate_limit: How much of deflated contents stays, as the options say it, if they do.
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
        ),
        host_env=settings.host_env,
        jobs=jobs or usable_cores(),
        stop=stop,
        containers=containers_of(settings),
        client=Client(
            env=settings.client_env,
            fetch_wheels=partial(_fetch_wheels, settings=settings, runner=runner),
        ),
        tell=say,
        deflate_limit_bytes=DEFLATE_LIMIT_BYTES if limit is None else parse_size(limit),
        stock_tools=StockTools(
            runner=runner, installed=installed_tools(), search_path=settings.environ.get("PATH", "")
        ),
    )


def _fetch_wheels(locks: tuple[Lock, ...], python: Path, *, settings: Settings, runner: Runner) -> Path:
    return fetch_wheels(
        locks, python=python, cache_dir=settings.cache_dir, env=settings.environ, runner=runner
    )


def toolchain_on(
    python: Path, lock: Lock, *, settings: Settings, runner: Runner, progress: Progress
) -> Toolchain:
    """Make a toolchain on an interpreter, and tell that: the first time pip installs for some seconds."""
    with progress.task("toolchain"):
        return make_toolchain(
            lock=lock,
            base_python=python,
            cache_dir=settings.cache_dir,
            env=settings.environ,
            runner=runner,
        )
