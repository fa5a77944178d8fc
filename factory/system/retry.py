"""Decide whether and when to repeat a failed request; no other module does."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from factory.core.errors import UpstreamError

if TYPE_CHECKING:
    from tenacity import RetryCallState

ResultT = TypeVar("ResultT")


class RequestFailed(UpstreamError):
    """A request failed.

    Attributes:
        is_transient: Whether the same request may succeed later: yes for a lost connection, no for
            a missing file.
        retry_after_s: How many seconds the server asked to wait, if it did.
    """

    def __init__(
        self, message: str, *, is_transient: bool, retry_after_s: float | None = None, hint: str = ""
    ) -> None:
        super().__init__(message, hint=hint)
        self.is_transient = is_transient
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often to repeat a request after a transient failure, and how long to wait.

    Attributes:
        attempts: The number of attempts, including the first.
        first_wait_s: The wait after the first failure. It doubles each time, with some jitter so
            that many clients do not return at once.
        max_wait_s: The longest wait, even if a server asks for more.
        sleep: Waits; tests and cancellable work pass their own function.
        report: Prints why and how long the next attempt waits.
        left_s: Returns the seconds until the run must end; there is no attempt after that.
    """

    attempts: int = 5
    first_wait_s: float = 0.5
    max_wait_s: float = 30.0
    sleep: Callable[[float], None] = time.sleep
    report: Callable[[str], None] | None = None
    left_s: Callable[[], float] | None = None

    def call(self, action: Callable[[], ResultT]) -> ResultT:
        """Call a function until it succeeds, fails permanently, or all attempts are used.

        Raises:
            RequestFailed: The error of the last attempt, unchanged.
        """
        import tenacity  # noqa: PLC0415 - imports asyncio, and a warm run needs no request

        retrying = tenacity.Retrying(
            stop=self._is_last,
            wait=self._wait_s,
            retry=tenacity.retry_if_exception(_is_transient),
            sleep=self.sleep,
            before_sleep=self._report_wait,
            reraise=True,
        )
        return retrying(action)

    def _wait_s(self, state: "RetryCallState") -> float:
        from tenacity import wait_exponential, wait_random  # noqa: PLC0415 - as above

        backoff = wait_exponential(self.first_wait_s, self.max_wait_s) + wait_random(0, self.first_wait_s / 2)
        error = state.outcome.exception() if state.outcome else None
        asked_s = error.retry_after_s if isinstance(error, RequestFailed) else None
        return min(max(backoff(state), asked_s or 0.0), self.max_wait_s)

    def _is_last(self, state: "RetryCallState") -> bool:
        """Whether to raise the failure, which is the true cause also without time for another attempt."""
        is_late = self.left_s is not None and self.left_s() <= state.upcoming_sleep
        return is_late or state.attempt_number >= self.attempts

    def _report_wait(self, state: "RetryCallState") -> None:
        error = state.outcome.exception() if state.outcome else None
        if self.report is None or not isinstance(error, RequestFailed):
            return
        wait_s = state.upcoming_sleep
        asked = ", as the server asks" if error.retry_after_s and wait_s >= 1 else ""
        self.report(
            f"{error}: waiting {wait_s:.0f} s{asked} (attempt {state.attempt_number + 1} of {self.attempts})"
        )


def _is_transient(error: BaseException) -> bool:
    return isinstance(error, RequestFailed) and error.is_transient
