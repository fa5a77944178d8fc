"""What came of building a wheel under a variation."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How a varied wheel stands to the plain one."""

    PLAIN = "plain"
    EQUAL = "equal"
    DIFFERENT = "different"
    REFUSED = "refused"
    """The factory saw that the bytes would be other ones, and did not build: as good as equal."""
    FAILED = "failed"
    NOT_TRIED = "not tried"
    """This host lacks something for it; that is no pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VariationResult:
    """What came of one variation for one wheel.

    Attributes:
        variation: Its name.
        platform: The wheel's platform tag.
        state: How the wheel stands to the plain one.
        sha256: The wheel's digest; None when there is none.
        detail: Differing members, or the reason.
    """

    variation: str
    platform: str
    state: State
    sha256: str | None = None
    detail: str = ""
