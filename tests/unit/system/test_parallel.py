import threading
from collections.abc import Callable

import pytest

from factory.core.errors import BuildError, IntegrityError
from factory.system.parallel import Stopped, in_parallel


def run(
    action: Callable[[int], object],
    items: tuple[int, ...],
    *,
    jobs: int = 2,
    stop: threading.Event | None = None,
) -> tuple[object, ...]:
    return in_parallel(action, items, jobs=jobs, weight=lambda item: item, stop=stop or threading.Event())


def test_results_have_the_order_of_the_items() -> None:
    assert run(lambda item: item * 10, (1, 5, 3)) == (10, 50, 30)


def test_no_items_give_no_results() -> None:
    assert run(lambda item: item, ()) == ()


@pytest.mark.parametrize("jobs", [0, 1])
def test_the_heaviest_item_starts_first(jobs: int) -> None:
    order: list[int] = []
    run(order.append, (1, 5, 3, 5), jobs=jobs)
    assert order == [5, 5, 3, 1]


def test_as_many_items_as_jobs_run_at_a_time() -> None:
    together = threading.Barrier(3)
    assert run(lambda _: together.wait(timeout=10) >= 0, (1, 2, 3), jobs=3) == (True, True, True)


def test_the_first_error_stops_the_others_and_is_raised() -> None:
    stop = threading.Event()
    is_working = threading.Event()

    def action(item: int) -> None:
        if item == 2:
            is_working.set()
            assert stop.wait(timeout=10)
            raise Stopped
        assert item == 1, "no further item may start"
        assert is_working.wait(timeout=10)
        raise IntegrityError("one is damaged")

    with pytest.raises(IntegrityError, match="one is damaged"):
        run(action, (2, 1, 0), stop=stop)
    assert stop.is_set()


def test_an_error_of_the_last_item_is_raised() -> None:
    def action(item: int) -> None:
        if item == 1:
            raise BuildError("the last one")

    with pytest.raises(BuildError, match="the last one"):
        run(action, (3, 2, 1), jobs=1)


def test_stopped_is_raised_if_there_is_no_other_error() -> None:
    def action(_: int) -> None:
        raise Stopped

    with pytest.raises(Stopped, match="stopped, because something else failed"):
        run(action, (1, 2))
