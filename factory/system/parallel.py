"""Run a function for many items in threads, the heaviest item first, and stop together on an error."""

import os
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import TypeVar

from factory.core.errors import HostError

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


class Stopped(HostError):
    """Work ended early because other work failed or was interrupted; the other error is reported."""

    def __init__(self) -> None:
        super().__init__("stopped, because something else failed")


def usable_cores() -> int:
    """Count the cores that this process may use; macOS and Windows only report all cores."""
    count = os.cpu_count() or 1
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else count


def in_parallel(
    action: Callable[[ItemT], ResultT],
    items: Sequence[ItemT],
    *,
    jobs: int,
    weight: Callable[[ItemT], int],
    stop: threading.Event,
) -> tuple[ResultT, ...]:
    """Call a function for every item in threads, and return the results in the items' order.

    Threads suffice, because zlib, hashlib and file operations release the GIL. Starting with the
    heaviest item avoids that the last thread runs alone for long (Graham, "Bounds on
    Multiprocessing Timing Anomalies", 1969).

    Args:
        action: Long actions should check ``stop`` now and then and raise `Stopped`.
        items: One call is made for each.
        jobs: The number of threads.
        weight: Estimates how long an item takes, in any unit.
        stop: Set by the first error, and by Ctrl-C, so that the other actions end soon.
    """
    order = sorted(range(len(items)), key=lambda index: -weight(items[index]))
    with ThreadPoolExecutor(max_workers=max(1, jobs)) as pool:
        futures = {index: pool.submit(action, items[index]) for index in order}
        try:
            wait(futures.values(), return_when=FIRST_EXCEPTION)
        finally:
            if not all(future.done() for future in futures.values()):
                stop.set()
                pool.shutdown(wait=True, cancel_futures=True)
    errors = [future.exception() for future in futures.values() if not future.cancelled()]
    for error in sorted((error for error in errors if error), key=lambda error: isinstance(error, Stopped)):
        raise error
    return tuple(futures[index].result() for index in range(len(items)))
