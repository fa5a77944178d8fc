from dataclasses import replace

import pytest

from factory.system.retry import RequestFailed, RetryPolicy


def failure(*, is_transient: bool = True, retry_after_s: float | None = None) -> RequestFailed:
    return RequestFailed("no", is_transient=is_transient, retry_after_s=retry_after_s)


class Flaky:
    """Raises the given failures, then returns an answer."""

    def __init__(self, *failures: RequestFailed) -> None:
        self._failures = list(failures)
        self.calls = 0
        self.slept_s: list[float] = []

    def __call__(self) -> str:
        self.calls += 1
        if self._failures:
            raise self._failures.pop(0)
        return "answer"

    def policy(self, attempts: int = 4) -> RetryPolicy:
        return RetryPolicy(attempts=attempts, first_wait_s=1.0, max_wait_s=10.0, sleep=self.slept_s.append)


def test_the_wait_doubles_after_each_transient_failure() -> None:
    flaky = Flaky(failure(), failure(), failure())
    assert flaky.policy().call(flaky) == "answer"
    first, second, third = flaky.slept_s
    assert 1.0 <= first <= 1.5
    assert 2.0 <= second <= 2.5
    assert 4.0 <= third <= 4.5


def test_a_permanent_failure_is_not_tried_again() -> None:
    flaky = Flaky(failure(is_transient=False))
    with pytest.raises(RequestFailed):
        flaky.policy().call(flaky)
    assert flaky.calls == 1


def test_the_last_failure_is_raised_unchanged() -> None:
    last = failure()
    flaky = Flaky(failure(), last)
    with pytest.raises(RequestFailed) as caught:
        flaky.policy(attempts=2).call(flaky)
    assert caught.value is last


def test_a_server_can_ask_for_a_longer_wait_up_to_the_limit() -> None:
    flaky = Flaky(failure(retry_after_s=7.0), failure(retry_after_s=3600.0))
    flaky.policy().call(flaky)
    assert flaky.slept_s == [7.0, 10.0]


def test_each_wait_is_reported() -> None:
    said: list[str] = []
    flaky = Flaky(failure(retry_after_s=7.0), failure())
    replace(flaky.policy(attempts=5), report=said.append).call(flaky)
    assert said == [
        "no: waiting 7 s, as the server asks (attempt 2 of 5)",
        f"no: waiting {flaky.slept_s[1]:.0f} s (attempt 3 of 5)",
    ]


def test_without_time_for_another_attempt_the_failure_is_raised() -> None:
    last = failure(retry_after_s=7.0)
    flaky = Flaky(failure(retry_after_s=7.0), last, failure())
    left_s = [9.0, 6.0]
    with pytest.raises(RequestFailed) as caught:
        replace(flaky.policy(), left_s=lambda: left_s.pop(0)).call(flaky)
    assert caught.value is last
    assert flaky.slept_s == [7.0]
