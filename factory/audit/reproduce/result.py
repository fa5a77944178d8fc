"""The result of building a wheel under a variation."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How a wheel built under a variation compares with the plain one."""

    PLAIN = "plain"
    EQUAL = "equal"
    DIFFERENT = "different"
    REFUSED = "refused"
    """The factory detected that the bytes would differ, and did not build; this counts as equal."""
    FAILED = "failed"
    NOT_TRIED = "not tried"
    """This host lacks something for the variation; this is not a pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VariationResult:
    """The result of one variation for one wheel.

    Attributes:
        sha256: The digest of the wheel; None if it was not built.
        detail: The members that differ, or the reason for the state.
    """

    variation: str
    platform: str
    state: State
    sha256: str | None = None
    detail: str = ""
