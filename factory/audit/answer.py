"""What an audit concludes about a wheel: the status that a job acts on, and the answer of a statement."""

from enum import StrEnum
from types import MappingProxyType

from factory.core.errors import (
    EXIT_AUDIT_DIFFERS,
    EXIT_FAITHFUL_WITH_ERRORS,
    EXIT_INCONCLUSIVE,
    EXIT_NOTHING_TO_COMPARE,
    EXIT_OK,
)


class Status(StrEnum):
    """What a job does about a wheel; each status has an exit status of its own."""

    FAITHFUL = "faithful"
    FAITHFUL_WITH_ERRORS = "faithful-with-errors"
    NOTHING_TO_COMPARE = "nothing-to-compare"
    NOT_DECIDED = "not-decided"
    DIFFERENT = "different"

    @property
    def exit_status(self) -> int:
        """The exit status of an audit of this wheel alone."""
        return _EXIT_STATUSES[self]

    @property
    def meaning(self) -> str:
        """The status as one sentence."""
        return _MEANINGS[self]


_EXIT_STATUSES = MappingProxyType(
    {
        Status.FAITHFUL: EXIT_OK,
        Status.FAITHFUL_WITH_ERRORS: EXIT_FAITHFUL_WITH_ERRORS,
        Status.NOTHING_TO_COMPARE: EXIT_NOTHING_TO_COMPARE,
        Status.NOT_DECIDED: EXIT_INCONCLUSIVE,
        Status.DIFFERENT: EXIT_AUDIT_DIFFERS,
    }
)
_MEANINGS = MappingProxyType(
    {
        Status.FAITHFUL: "The wheel contains the released files, reviewed texts and nothing else.",
        Status.FAITHFUL_WITH_ERRORS: "The wheel is what was released, and the checks of 'factory verify' find"
        " errors in it.",
        Status.NOTHING_TO_COMPARE: "The channel has no release package for this wheel; nothing was compared.",
        Status.NOT_DECIDED: "The audit could not look at everything, or a person has to review a text.",
        Status.DIFFERENT: "The wheel contains something that was not released for it. Do not install it.",
    }
)


WORST_FIRST = (
    EXIT_AUDIT_DIFFERS,
    EXIT_INCONCLUSIVE,
    EXIT_FAITHFUL_WITH_ERRORS,
    EXIT_NOTHING_TO_COMPARE,
    EXIT_OK,
)
"""The exit statuses of an audit; that of several wheels is the first one that some wheel has."""


class Answer(StrEnum):
    """What a statement about the wheel may say; the first is the strongest yes."""

    PASSED = "passed"
    """Yes: rebuilt with the SHA-256 that the index lists. Only this answer permits a summary PASSED."""
    REPLAYED = "replayed"
    """Yes, after the container values that the verdict names were taken from the wheel."""
    THIS_FILE = "this-file"
    """Yes about this SHA-256, for which no index vouches: never about a package of an index."""
    ACCEPTED = "accepted"
    """Yes, with texts that the auditor accepted for this run and that are not in the baseline."""
    PAYLOAD_ONLY = "payload-only"
    """Yes about the members: the container is not reproduced."""
    WITH_ERRORS = "with-errors"
    """Faithful, with errors in the wheel."""
    UNDECIDED = "undecided"
    """Neither yes nor no: no summary."""
    NONE = "none"
    """The audit could not look: no statement at all."""
    NO = "no"
    """No; the only answer with a summary FAILED."""

    @property
    def is_yes(self) -> bool:
        """Whether the wheel is vouched for without naming errors in it."""
        return self in {
            Answer.PASSED,
            Answer.REPLAYED,
            Answer.THIS_FILE,
            Answer.ACCEPTED,
            Answer.PAYLOAD_ONLY,
        }
