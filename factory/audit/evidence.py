"""What the steps of an audit found about one wheel, reduced to enumerations.

Each enumeration is in the order from harmless to worse. A step that did not run has a member of its
own, because "not seen" must never count as "not there". No value says what the wheel claims
about itself: who built it, its version, or which texts belong to it.
"""

from dataclasses import dataclass
from enum import StrEnum


class Reading(StrEnum):
    """Whether the audit could read everything that it needs."""

    DONE = "done"
    NO_PAYLOAD = "no-payload"
    """The channel has no package of this release for this target."""
    FAILED = "failed"
    """The index, the channel, the wheel, or something on this machine could not be read."""


class PayloadEvidence(StrEnum):
    """Whether each payload file is the released one, at the place where the recipe puts it."""

    AS_RELEASED = "as-released"
    NOT_SEEN = "not-seen"
    SEPARATE = "separate"
    """The mapping says that the project builds its own executables, and they are not the released ones."""
    WRONG = "wrong"
    """Unknown, of another release or target, moved, or missing."""


class OtherMembers(StrEnum):
    """The members that are not payload, compared with the reviewed baseline."""

    KNOWN = "known"
    ACCEPTED = "accepted"
    """Some text is not in the baseline, and the user accepted it for this run."""
    NOT_SEEN = "not-seen"
    UNSEEN_TEXT = "unseen-text"
    """At the path of a known text, or in METADATA, is a text that nobody reviewed."""
    FORBIDDEN = "forbidden"
    """An importable file, an entry point, a data directory, a dependency, or a foreign member."""


class Rebuild(StrEnum):
    """How the wheel compares with the rebuild from the release package."""

    IDENTICAL = "identical"
    REPLAYED = "replayed"
    EQUIVALENT = "equivalent"
    NO_RECIPE = "no-recipe"
    """It is not known how the wheel was built; its members were read instead."""
    NOT_DONE = "not-done"
    DIFFERENT = "different"


class VerifyErrors(StrEnum):
    """Whether ``factory verify`` finds errors in the wheel."""

    NONE = "none"
    SOME = "some"
    NOT_RUN = "not-run"


class Voucher(StrEnum):
    """Whether an index lists the very SHA-256 that was judged."""

    INDEX = "index"
    NO_INDEX = "no-index"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything that a decision depends on."""

    reading: Reading
    payload: PayloadEvidence
    others: OtherMembers
    rebuild: Rebuild
    errors: VerifyErrors
    voucher: Voucher
