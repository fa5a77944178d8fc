"""Bisection: of many changes made together, find the few that it takes to make a difference."""

from collections.abc import Callable, Sequence
from typing import TypeVar

ChangeT = TypeVar("ChangeT")


def find_culprits(
    changes: Sequence[ChangeT], is_different: Callable[[tuple[ChangeT, ...]], bool]
) -> tuple[ChangeT, ...]:
    """Return a smallest set of changes that makes the difference which all of them make.

    One change is mostly enough, so halves are asked first. Where neither half does it, changes
    of both must meet, and each half is reduced while the other one stays: what Zeller and
    Hildebrandt do in "Simplifying and Isolating Failure-Inducing Input" (2002). For one culprit among n
    that is about 2 log n questions. No change can be left out of what is returned.

    Args:
        changes: All of them; together they are known to differ.
        is_different: Whether some of them together differ; a question costs a build.
    """
    return _reduce(tuple(changes), (), is_different)


def _reduce(
    changes: tuple[ChangeT, ...],
    kept: tuple[ChangeT, ...],
    is_different: Callable[[tuple[ChangeT, ...]], bool],
) -> tuple[ChangeT, ...]:
    """Reduce ``changes``, of which some are needed beside those that are kept."""
    if len(changes) <= 1:
        return changes
    middle = len(changes) // 2
    first, second = changes[:middle], changes[middle:]
    if is_different((*kept, *first)):
        return _reduce(first, kept, is_different)
    if is_different((*kept, *second)):
        return _reduce(second, kept, is_different)
    from_second = _reduce(second, (*kept, *first), is_different)
    from_first = _reduce(first, (*kept, *from_second), is_different)
    return (*from_first, *from_second)
