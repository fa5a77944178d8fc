"""What came of one acceptance case; the standard library only, since it travels into clean environments."""

from dataclasses import dataclass
from enum import StrEnum


class CaseOutcome(StrEnum):
    """The answer of a case. Only the first is a pass; the last says that nobody knows."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_APPLICABLE = "not-applicable"
    COULD_NOT_RUN = "could-not-run"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """A case, its outcome, and what was seen or why there is nothing to see; empty when it passed."""

    case: str
    outcome: CaseOutcome
    detail: str = ""
