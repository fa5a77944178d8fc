"""The time left of planned work, with a clock that the tests set."""

from dataclasses import dataclass

import pytest

from factory.cli.time_left import COSTS, TimeLeft


@dataclass(slots=True)
class Clock:
    now_s: float = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def left(clock: Clock) -> TimeLeft:
    return TimeLeft(clock)


def test_nothing_is_known_before_any_work_is_measured(left: TimeLeft, clock: Clock) -> None:
    left.plan({"compress a": 1000, "verify a": 1000})
    assert left.seconds() is None
    assert left.begin("compress a")
    clock.now_s = 5
    assert left.seconds() is None


def test_work_that_has_not_begun_is_estimated_from_the_speed_of_other_work(
    left: TimeLeft, clock: Clock
) -> None:
    left.plan({"compress a": 1000, "assemble a": 1000, "verify a": 1000})
    left.begin("compress a")
    clock.now_s = 10
    left.advance("compress a", 0.25)  # 25 bytes/s
    assert left.seconds() == pytest.approx(30 + 40 * (0.03 + 0.2))


def test_a_measured_speed_replaces_the_estimate(left: TimeLeft, clock: Clock) -> None:
    left.plan({"compress a": 1000, "verify a": 1000, "verify b": 3000})
    left.begin("compress a")
    clock.now_s = 10
    left.end("compress a")
    assert left.seconds() == pytest.approx(40 * 0.2)
    left.begin("verify a")
    clock.now_s = 20
    left.end("verify a")
    assert left.seconds() == pytest.approx(30)


def test_tasks_at_once_share_the_time(left: TimeLeft, clock: Clock) -> None:
    left.plan({f"compress {name}": 100 for name in "abcd"})
    left.begin("compress a")
    left.begin("compress b")
    clock.now_s = 10
    left.end("compress a")
    left.end("compress b")
    assert left.seconds() == pytest.approx(10)
    left.begin("compress c")
    clock.now_s = 20
    left.end("compress c")
    assert left.seconds() == pytest.approx(10), "one task cannot be shared"


def test_a_running_task_that_reports_nothing_counts_down_to_zero(left: TimeLeft, clock: Clock) -> None:
    left.plan({"verify a": 100, "verify b": 200})
    left.begin("verify a")
    clock.now_s = 10
    left.end("verify a")
    left.begin("verify b")
    for now_s, expected in ((10, 20), (15, 15), (30, 0), (99, 0)):
        clock.now_s = now_s
        assert left.seconds() == pytest.approx(expected)


def test_work_of_a_kind_without_a_speed_makes_the_whole_unknown(left: TimeLeft, clock: Clock) -> None:
    assert "sign" not in COSTS
    left.plan({"compress a": 100, "sign a": 100})
    left.begin("compress a")
    clock.now_s = 1
    left.end("compress a")
    assert left.seconds() is None


def test_no_work_left_is_zero(left: TimeLeft, clock: Clock) -> None:
    assert left.seconds() == 0
    left.plan({"verify a": 100})
    left.begin("verify a")
    clock.now_s = 1
    left.end("verify a")
    assert left.seconds() == 0
    assert not left.begin("verify a")


def test_work_can_be_planned_again(left: TimeLeft, clock: Clock) -> None:
    left.plan({"compress a": 100})
    left.begin("compress a")
    clock.now_s = 5
    left.advance("compress a", 0.5)
    left.plan({"compress a": 100})  # the first attempt failed
    assert left.begin("compress a")
    left.advance("compress b", 0.5)  # a task of the first attempt
    clock.now_s = 9
    left.advance("compress a", 1.5)
    assert left.seconds() == 0
