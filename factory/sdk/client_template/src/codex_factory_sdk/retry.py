"""Repeat a request while the app-server is overloaded."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

from codex_factory_sdk.errors import ServerBusyError

ResultT = TypeVar("ResultT")


def retry_on_overload(
    operation: Callable[[], ResultT],
    *,
    max_attempts: int = 3,
    initial_delay_s: float = 0.25,
    max_delay_s: float = 2.0,
    jitter_ratio: float = 0.2,
) -> ResultT:
    """Call ``operation``, and again after a delay if it raises `ServerBusyError`; no other error is retried.

    The delay doubles each time, up to ``max_delay_s``, and varies by ``jitter_ratio`` in both directions.

    Raises:
        ServerBusyError: The last attempt failed as well.
        ValueError: ``max_attempts`` is less than 1.
    """
    for delay in delays(max_attempts, initial_delay_s, max_delay_s, jitter_ratio):
        try:
            return operation()
        except ServerBusyError:
            time.sleep(delay)
    return operation()


async def async_retry_on_overload(
    operation: Callable[[], Awaitable[ResultT]],
    *,
    max_attempts: int = 3,
    initial_delay_s: float = 0.25,
    max_delay_s: float = 2.0,
    jitter_ratio: float = 0.2,
) -> ResultT:
    """Do the same for an async operation; see `retry_on_overload`."""
    for delay in delays(max_attempts, initial_delay_s, max_delay_s, jitter_ratio):
        try:
            return await operation()
        except ServerBusyError:
            await asyncio.sleep(delay)
    return await operation()


def delays(max_attempts: int, initial_s: float, max_s: float, jitter_ratio: float) -> Iterator[float]:
    """Return the delays between the attempts, in seconds: one less than there are attempts.

    Raises:
        ValueError: ``max_attempts`` is less than 1.
    """
    if max_attempts < 1:
        raise ValueError(f"max_attempts must be at least 1, not {max_attempts}")
    return (
        max(0.0, min(initial_s * 2**attempt, max_s) * (1 + random.uniform(-jitter_ratio, jitter_ratio)))  # noqa: S311
        for attempt in range(max_attempts - 1)
    )
