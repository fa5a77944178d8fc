"""Bisect: of many changes made together, find the few that cause a difference."""

from collections.abc import Callable, Sequence
from typing import TypeVar

ChangeT = TypeVar("ChangeT")


def find_culprits(
    changes: Sequence[ChangeT], is_different: Callable[[tuple[ChangeT, ...]], bool]
) -> tuple[ChangeT, ...]:
    """Return a minimal set of changes that causes the difference which all changes together cause.

    Usually one change is enough, so each half is tried first. If neither half differs, changes of both
    are needed, and each half is reduced while the other one is kept (Zeller and Hildebrandt,
    "Simplifying and Isolating Failure-Inducing Input", 2002). One culprit among n takes about 2 log n
    calls. No change can be left out of the returned set.

    Args:
        changes: Changes that differ together.
        is_different: Whether some changes together differ; each call is a build.
    """
    return _reduce(tuple(changes), (), is_different)


def _reduce(
    changes: tuple[ChangeT, ...],
    kept: tuple[ChangeT, ...],
    is_different: Callable[[tuple[ChangeT, ...]], bool],
) -> tuple[ChangeT, ...]:
    """Return the culprits among ``changes`` when the changes in ``kept`` are made as well."""
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
