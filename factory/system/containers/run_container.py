"""Run one container to its end, and leave nothing of it."""

import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from factory.core.errors import HostError
from factory.system.containers.engine import ContainerEngine, ContainerSpec, ContainerState
from factory.system.parallel import Stopped

_POLL_S = 0.2
_SPACE = b"No space left on device"
_TOO_LARGE = b"File too large"


class ContainerExit(StrEnum):
    """How a container ended."""

    DONE = "done"
    FAILED = "failed"
    OUT_OF_MEMORY = "out of memory"
    OUT_OF_SCRATCH = "out of scratch"
    OUT_OF_TIME = "out of time"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerResult:
    """A container that has ended and is gone.

    Attributes:
        reason: How it ended.
        exit_code: Its exit status; None when its time was up.
        log: What it said, stdout and stderr.
    """

    reason: ContainerExit
    exit_code: int | None
    log: bytes


def run_container(
    spec: ContainerSpec, engine: ContainerEngine, *, stop: threading.Event, poll_s: float = _POLL_S
) -> ContainerResult:
    """Run a container to its end, and remove it whatever happens.

    Args:
        spec: What to run.
        engine: By whom.
        stop: Once it is set, by another thread, the container is ended.
        poll_s: How often the engine is asked; a blocking wait could not be interrupted.

    Raises:
        Stopped: ``stop`` was set.
        EngineRefused: The container cannot be made or started.
        EngineLost: The engine went away; whoever owns the container removes it later.
    """
    container = engine.create(spec)
    try:
        engine.start(container)
        state = _wait(container, spec, engine, stop, poll_s)
        log = engine.log(container)
    except BaseException:
        with suppress(HostError):  # the error under way is the one to show, and the owner tries again
            engine.remove(container)
        raise
    engine.remove(container)
    return ContainerResult(reason=_ending(state, log), exit_code=state.exit_code, log=log)


def _wait(
    container: str, spec: ContainerSpec, engine: ContainerEngine, stop: threading.Event, poll_s: float
) -> ContainerState:
    """Return how it ended; without an exit code when its time is up."""
    deadline = time.monotonic() + spec.limits.time_s
    while True:
        state = engine.state(container)
        if state.exit_code is not None or time.monotonic() >= deadline:
            return state
        if stop.wait(poll_s):
            raise Stopped


def _ending(state: ContainerState, log: bytes) -> ContainerExit:
    """Judge by what the kernel says, and the program: a full disk shows in its words alone."""
    if state.exit_code == 0:
        return ContainerExit.DONE
    if state.is_out_of_memory:
        return ContainerExit.OUT_OF_MEMORY
    if state.exit_code is None:
        return ContainerExit.OUT_OF_TIME
    if _SPACE in log or _TOO_LARGE in log:
        return ContainerExit.OUT_OF_SCRATCH
    return ContainerExit.FAILED
