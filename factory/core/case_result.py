"""The result of one acceptance case.

This file and those that it imports are copied into clean environments: standard library only.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from factory.core.form import Form


class CaseOutcome(StrEnum):
    """How a case ended. ``COULD_NOT_RUN`` is inconclusive: neither a pass nor a failure."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_APPLICABLE = "not-applicable"
    COULD_NOT_RUN = "could-not-run"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnparsedMessage:
    """A message of the runtime that the SDK cannot parse.

    Attributes:
        kind: ``server notification``, ``server request`` or ``response``.
        name: Its method, or the type of a response.
        example: The first form that the SDK refuses, such as ``ThreadItem (type "plan")``.
        problem: The SDK's error.
    """

    kind: str
    name: str
    example: str
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """A case and its outcome.

    Attributes:
        detail: What went wrong, why it did not run, or what a case that passed has counted.
        unparsed: The messages that the SDK cannot parse, if the case is about them.
    """

    case: str
    outcome: CaseOutcome
    detail: str = ""
    unparsed: tuple[UnparsedMessage, ...] | None = field(
        default=None, metadata={Form.OMITTED_IF_NONE: True, Form.MAY_BE_MISSING: True}
    )
