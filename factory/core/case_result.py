"""The result of one acceptance case.

This file is copied into clean environments, so it may import the standard library only.
"""

from dataclasses import dataclass
from enum import StrEnum


class CaseOutcome(StrEnum):
    """How a case ended. ``COULD_NOT_RUN`` is inconclusive: neither a pass nor a failure."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_APPLICABLE = "not-applicable"
    COULD_NOT_RUN = "could-not-run"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """A case and its outcome; the detail is what went wrong or why it did not run, empty for a pass."""

    case: str
    outcome: CaseOutcome
    detail: str = ""
