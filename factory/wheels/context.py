"""What a run works with, whichever command it is of."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from factory.build.toolchain import Lock, Toolchain
from factory.core.progress import Progress
from factory.release.download import Downloader
from factory.system.cache import Cache
from factory.system.containers.engine import ContainerSettings
from factory.system.process import Runner
from factory.verify.stock.stock_tools import StockTools

DEFLATE_LIMIT_BYTES = 8_000_000_000
"""How much of deflated contents stays after a run; a release has 0.9 GB of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """What cibuildwheel needs on this host to build in a container.

    Attributes:
        env: What the engine's command line needs, which it starts: ``PATH``, ``DOCKER_HOST``.
        fetch_wheels: Returns a directory with the wheels of some locks, fetched with an interpreter.
    """

    env: Mapping[str, str]
    fetch_wheels: Callable[[tuple[Lock, ...], Path], Path]


def _tell_nobody(_message: str) -> None:
    """Keep it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    """What a run works with.

    Attributes:
        cache: Where downloads, payload records and deflated contents are kept.
        downloader: What brings packages.
        runner: What starts processes.
        progress: Is told how the work goes.
        toolchain_for: Makes a lock's environment, or gives the one made before.
        host_env: What every process on this host needs; nothing else reaches a build.
        jobs: How many things at once.
        stop: Is set when the run must end.
        containers: What builds in containers need; None where there are none.
        client: What cibuildwheel needs here; None where it is not to be had.
        tell: Is told in a sentence what the run decides.
        stock_tools: Second readers of every wheel; None asks none.
        deflate_limit_bytes: How much of deflated contents stays after a run, least recently used first to go.
    """

    cache: Cache
    downloader: Downloader
    runner: Runner
    progress: Progress
    toolchain_for: Callable[[Lock], Toolchain]
    host_env: Mapping[str, str]
    jobs: int
    stop: threading.Event
    containers: ContainerSettings | None = None
    client: Client | None = None
    tell: Callable[[str], None] = _tell_nobody
    stock_tools: StockTools | None = None
    deflate_limit_bytes: int = DEFLATE_LIMIT_BYTES
