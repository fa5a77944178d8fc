"""Run one container until it ends, and remove it."""

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
    """Why a container ended."""

    DONE = "done"
    FAILED = "failed"
    OUT_OF_MEMORY = "out of memory"
    OUT_OF_SCRATCH = "out of scratch"
    OUT_OF_TIME = "out of time"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerResult:
    """A container that has ended and been removed.

    Attributes:
        exit_code: None if the container ran out of time.
        log: Its output, stdout and stderr.
    """

    reason: ContainerExit
    exit_code: int | None
    log: bytes


def run_container(
    spec: ContainerSpec, engine: ContainerEngine, *, stop: threading.Event, poll_s: float = _POLL_S
) -> ContainerResult:
    """Run a container until it ends, and remove it in any case.

    Args:
        spec: The container.
        engine: The engine that runs it.
        stop: Set by another thread to end the container.
        poll_s: The interval at which the engine is asked for the state; a blocking wait could not
            be interrupted.

    Raises:
        Stopped: ``stop`` was set.
        HostError: The engine refused to create or start the container, or stopped answering. In
            the latter case the container is removed by a later run.
    """
    container = engine.create(spec)
    try:
        engine.start(container)
        state = _wait(container, spec, engine, stop, poll_s)
        log = engine.log(container)
    except BaseException:
        with suppress(HostError):  # report the first error; the run tries to remove the container again
            engine.remove(container)
        raise
    engine.remove(container)
    return ContainerResult(reason=_reason(state, log), exit_code=state.exit_code, log=log)


def _wait(
    container: str, spec: ContainerSpec, engine: ContainerEngine, stop: threading.Event, poll_s: float
) -> ContainerState:
    """Wait until the container ends or its time is up; in that case the state has no exit code."""
    deadline = time.monotonic() + spec.limits.time_s
    while True:
        state = engine.state(container)
        if state.exit_code is not None or time.monotonic() >= deadline:
            return state
        if stop.wait(poll_s):
            raise Stopped


def _reason(state: ContainerState, log: bytes) -> ContainerExit:
    if state.exit_code == 0:
        return ContainerExit.DONE
    if state.is_out_of_memory:
        return ContainerExit.OUT_OF_MEMORY
    if state.exit_code is None:
        return ContainerExit.OUT_OF_TIME
    if _SPACE in log or _TOO_LARGE in log:  # the engine does not report a full disk, only the program does
        return ContainerExit.OUT_OF_SCRATCH
    return ContainerExit.FAILED
