"""Bisection finds exactly the changes that cause a difference."""

from hypothesis import given
from hypothesis import strategies as st

from factory.audit.reproduce.bisection import find_culprits


@given(st.data(), st.integers(1, 14))
def test_exactly_the_needed_changes_are_found(data: st.DataObject, count: int) -> None:
    needed = data.draw(st.sets(st.integers(0, count - 1), min_size=1, max_size=4))
    found = find_culprits(range(count), lambda changes: needed <= set(changes))
    assert set(found) == needed
    assert len(found) == len(needed)


@given(st.integers(1, 64), st.data())
def test_one_culprit_takes_few_calls(count: int, data: st.DataObject) -> None:
    culprit = data.draw(st.integers(0, count - 1))
    asked: list[tuple[int, ...]] = []

    def is_different(changes: tuple[int, ...]) -> bool:
        asked.append(changes)
        return culprit in changes

    assert find_culprits(range(count), is_different) == (culprit,)
    assert len(asked) <= 2 * count.bit_length()


def test_one_of_two_sufficient_changes_is_found() -> None:
    assert find_culprits("abcdef", lambda changes: bool({"b", "e"} & set(changes))) == ("b",)
