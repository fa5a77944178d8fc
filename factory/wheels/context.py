"""What a run needs from its caller, whichever command it belongs to."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from factory.build.encoder import EncoderChoice
from factory.build.toolchain import Lock, Toolchain
from factory.core.progress import Progress
from factory.release.download import Downloader
from factory.system.cache import Cache
from factory.system.containers.engine import ContainerSetup
from factory.system.process import Runner
from factory.verify.stock.stock_tools import StockTools

DEFLATE_LIMIT_BYTES = 8_000_000_000
"""The default size limit of the cache of compressed files; one release needs 0.9 GB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """What cibuildwheel needs on this host to build in a container.

    Attributes:
        env: The variables of the docker program: ``PATH``, ``DOCKER_HOST``.
        fetch_wheels: Downloads the wheels of some locks with an interpreter's pip; returns their directory.
    """

    env: Mapping[str, str]
    fetch_wheels: Callable[[tuple[Lock, ...], Path], Path]


def _discard(_message: str) -> None:
    """Discard the message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    """The services and limits of a run.

    Attributes:
        cache: The cache of downloads, payloads and compressed files.
        toolchain_for: Returns the environment of a lock, and makes it if it does not exist.
        host_env: The variables that every process on this host needs; a build gets no other ones.
        jobs: The largest number of parallel tasks.
        stop: Set when the run must end.
        containers: None if the run cannot use containers.
        client: None if the run cannot use cibuildwheel.
        report: Prints a sentence about a decision of the run.
        stock_tools: The other checkers of every wheel; None for none.
        encoders: The deflate encoder of the run.
        deflate_limit_bytes: The size of the cache of compressed files after a run; the least
            recently used files are removed first.
    """

    cache: Cache
    downloader: Downloader
    runner: Runner
    progress: Progress
    toolchain_for: Callable[[Lock], Toolchain]
    host_env: Mapping[str, str]
    jobs: int
    stop: threading.Event
    containers: ContainerSetup | None = None
    client: Client | None = None
    report: Callable[[str], None] = _discard
    stock_tools: StockTools | None = None
    encoders: EncoderChoice = field(default_factory=EncoderChoice)
    deflate_limit_bytes: int = DEFLATE_LIMIT_BYTES

    @property
    def logs(self) -> Path:
        """The directory for the logs of failed builds."""
        return self.cache.root / "logs"
