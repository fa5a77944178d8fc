"""When a failed request is made again, and how long to wait before: the one place that says so."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from factory.core.errors import UpstreamError

if TYPE_CHECKING:
    from tenacity import RetryCallState

ResultT = TypeVar("ResultT")


class RequestFailed(UpstreamError):
    """A request that failed, and whether the same one may succeed later.

    Attributes:
        is_transient: Whether trying again makes sense: a lost connection, yes; a file that is not there, no.
        retry_after_s: How long the server asked to be left alone, in seconds, if it did.
    """

    def __init__(
        self, message: str, *, is_transient: bool, retry_after_s: float | None = None, hint: str = ""
    ) -> None:
        super().__init__(message, hint=hint)
        self.is_transient = is_transient
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often and how patiently a transient failure is tried again.

    Attributes:
        attempts: How many times in all, the first one included.
        first_wait_s: The wait after the first failure; it doubles, with some jitter so that
            many clients do not return at once.
        max_wait_s: The longest wait, also where a server asks for a longer one.
        sleep: What waits; tests and cancellable work bring their own.
    """

    attempts: int = 5
    first_wait_s: float = 0.5
    max_wait_s: float = 30.0
    sleep: Callable[[float], None] = time.sleep

    def call(self, action: Callable[[], ResultT]) -> ResultT:
        """Do something until it succeeds, fails for good, or the attempts are used up.

        Raises:
            RequestFailed: The last failure, as it was.
        """
        import tenacity  # noqa: PLC0415 - imports asyncio, and a warm run needs no request

        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(self.attempts),
            wait=self._wait_s,
            retry=tenacity.retry_if_exception(_is_transient),
            sleep=self.sleep,
            reraise=True,
        )
        return retrying(action)

    def _wait_s(self, state: "RetryCallState") -> float:
        from tenacity import wait_exponential, wait_random  # noqa: PLC0415 - as above

        backoff = wait_exponential(self.first_wait_s, self.max_wait_s) + wait_random(0, self.first_wait_s / 2)
        error = state.outcome.exception() if state.outcome else None
        asked_s = error.retry_after_s if isinstance(error, RequestFailed) else None
        return min(max(backoff(state), asked_s or 0.0), self.max_wait_s)


def _is_transient(error: BaseException) -> bool:
    return isinstance(error, RequestFailed) and error.is_transient
