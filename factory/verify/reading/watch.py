"""Bound the time that reading and checking one wheel takes, and end it when the run is interrupted."""

import threading
import time
from dataclasses import dataclass
from typing import Self

from factory.core.errors import HostError
from factory.system.parallel import Stopped


class TimedOut(HostError):
    """A wheel took longer than the limit; it was not checked, so it is neither good nor bad."""

    hint = "Raise the limit with '--limit seconds=NUMBER', if the wheel is from somebody you trust."


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Asked between two steps, each of which takes less than a second.

    The other limits count work: bytes and members. Time is the last resort, far above what a wheel takes.

    Attributes:
        seconds: The limit.
        ends_at_s: When it is reached, by the monotonic clock.
        stop: Set when the run is to end.
    """

    seconds: int
    ends_at_s: float
    stop: threading.Event | None = None

    @classmethod
    def begin(cls, seconds: int, *, stop: threading.Event | None = None) -> Self:
        """Begin to measure."""
        return cls(seconds=seconds, ends_at_s=time.monotonic() + seconds, stop=stop)

    def poll(self) -> None:
        """Return if the work may go on.

        Raises:
            Stopped: The run is to end.
            TimedOut: The limit is reached.
        """
        if self.stop is not None and self.stop.is_set():
            raise Stopped
        if time.monotonic() >= self.ends_at_s:
            raise TimedOut(f"it took longer than {self.seconds} s to check the wheel")
