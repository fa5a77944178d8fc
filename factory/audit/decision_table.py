"""The decision on a wheel: one table over the evidence, where the first row that matches decides.

What was seen to be wrong counts even if something else could not be read, so those rows come first.
The rows with a yes name each value that they accept. Whatever no other row covers is the last one:
not decided.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from factory.audit.answer import Answer, Status
from factory.audit.evidence import (
    Evidence,
    OtherMembers,
    PayloadEvidence,
    Reading,
    Rebuild,
    VerifyErrors,
    Voucher,
)
from factory.audit.verdict import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The decision on one wheel.

    Attributes:
        situation: The row of the table that decided.
    """

    situation: "Situation"
    outcome: Outcome
    status: Status
    answer: Answer


class Situation(StrEnum):
    """The rows of the table, in their order."""

    WRONG_PAYLOAD = "wrong-payload"
    FORBIDDEN_MEMBER = "forbidden-member"
    OTHER_MEMBERS_THAN_REBUILT = "other-members-than-rebuilt"
    NOT_READ = "not-read"
    UNSEEN_TEXT = "unseen-text"
    NO_PAYLOAD = "no-payload"
    SEPARATE_BUILD = "separate-build"
    ERRORS = "errors"
    NO_RECIPE = "no-recipe"
    EQUIVALENT = "equivalent"
    ACCEPTED_TEXT = "accepted-text"
    LOCAL_FILE = "local-file"
    REPLAYED = "replayed"
    IDENTICAL = "identical"
    NOT_SEEN = "not-seen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """The values of each evidence that a row covers; by default all of them."""

    reading: tuple[Reading, ...] = tuple(Reading)
    payload: tuple[PayloadEvidence, ...] = tuple(PayloadEvidence)
    others: tuple[OtherMembers, ...] = tuple(OtherMembers)
    rebuild: tuple[Rebuild, ...] = tuple(Rebuild)
    errors: tuple[VerifyErrors, ...] = tuple(VerifyErrors)
    voucher: tuple[Voucher, ...] = tuple(Voucher)

    def cover(self, seen: Evidence) -> bool:
        """Whether the row is about some evidence."""
        return (
            seen.reading in self.reading
            and seen.payload in self.payload
            and seen.others in self.others
            and seen.rebuild in self.rebuild
            and seen.errors in self.errors
            and seen.voucher in self.voucher
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row.

    Attributes:
        meaning: The situation in words, for the documentation.
        cells: The evidence that the row covers.
        outcome: The outcome; None for the one that follows from the rebuild alone.
    """

    situation: Situation
    meaning: str
    cells: Cells
    outcome: Outcome | None = None
    status: Status
    answer: Answer


def decide(evidence: Evidence) -> Decision:
    """Decide what an audit says about a wheel."""
    row = next(row for row in TABLE if row.cells.cover(evidence))
    return Decision(
        situation=row.situation,
        outcome=computed_outcome(evidence.rebuild) if row.outcome is None else row.outcome,
        status=row.status,
        answer=row.answer,
    )


def computed_outcome(rebuild: Rebuild) -> Outcome:
    """Return the outcome of the comparison alone; without a recipe, no more than the members is proved."""
    match rebuild:
        case Rebuild.IDENTICAL:
            return Outcome.IDENTICAL
        case Rebuild.REPLAYED:
            return Outcome.REPLAYED
        case Rebuild.EQUIVALENT | Rebuild.NO_RECIPE:
            return Outcome.EQUIVALENT
        case Rebuild.NOT_DONE:
            return Outcome.NOT_REBUILT
        case Rebuild.DIFFERENT:
            return Outcome.DIFFERENT


_AS_RELEASED = Cells(
    reading=(Reading.DONE,),
    payload=(PayloadEvidence.AS_RELEASED,),
    others=(OtherMembers.KNOWN, OtherMembers.ACCEPTED),
    rebuild=(Rebuild.IDENTICAL, Rebuild.REPLAYED, Rebuild.EQUIVALENT, Rebuild.NO_RECIPE),
)
_WITHOUT_ERRORS = replace(_AS_RELEASED, errors=(VerifyErrors.NONE,))
_KNOWN = replace(_WITHOUT_ERRORS, others=(OtherMembers.KNOWN,))

TABLE = (
    Row(
        situation=Situation.WRONG_PAYLOAD,
        meaning="an executable or another payload file is unknown, of another release or target, moved or"
        " missing",
        cells=Cells(payload=(PayloadEvidence.WRONG,)),
        outcome=Outcome.DIFFERENT,
        status=Status.DIFFERENT,
        answer=Answer.NO,
    ),
    Row(
        situation=Situation.FORBIDDEN_MEMBER,
        meaning="an importable file, an entry point, a data directory, a dependency or another member is not"
        " in the baseline",
        cells=Cells(others=(OtherMembers.FORBIDDEN,)),
        outcome=Outcome.DIFFERENT,
        status=Status.DIFFERENT,
        answer=Answer.NO,
    ),
    Row(
        situation=Situation.OTHER_MEMBERS_THAN_REBUILT,
        meaning="members differ from the rebuild",
        cells=Cells(rebuild=(Rebuild.DIFFERENT,)),
        outcome=Outcome.DIFFERENT,
        status=Status.DIFFERENT,
        answer=Answer.NO,
    ),
    Row(
        situation=Situation.NOT_READ,
        meaning="the index, the channel, the wheel or something on this machine could not be read",
        cells=Cells(reading=(Reading.FAILED,)),
        outcome=Outcome.NOT_REBUILT,
        status=Status.NOT_DECIDED,
        answer=Answer.NONE,
    ),
    Row(
        situation=Situation.UNSEEN_TEXT,
        meaning="a text at the path of a known one, or METADATA, is not in the baseline",
        cells=Cells(others=(OtherMembers.UNSEEN_TEXT,)),
        status=Status.NOT_DECIDED,
        answer=Answer.UNDECIDED,
    ),
    Row(
        situation=Situation.NO_PAYLOAD,
        meaning="the channel has no package of that release for that target",
        cells=Cells(reading=(Reading.NO_PAYLOAD,)),
        outcome=Outcome.NOT_REBUILT,
        status=Status.NOTHING_TO_COMPARE,
        answer=Answer.UNDECIDED,
    ),
    Row(
        situation=Situation.SEPARATE_BUILD,
        meaning="the mapping says that the project builds its own executables, and they differ from the"
        " released ones",
        cells=Cells(payload=(PayloadEvidence.SEPARATE,)),
        outcome=Outcome.NOT_REBUILT,
        status=Status.NOTHING_TO_COMPARE,
        answer=Answer.UNDECIDED,
    ),
    Row(
        situation=Situation.ERRORS,
        meaning="any of the next six, and `factory verify` finds errors",
        cells=replace(_AS_RELEASED, errors=(VerifyErrors.SOME,)),
        status=Status.FAITHFUL_WITH_ERRORS,
        answer=Answer.WITH_ERRORS,
    ),
    Row(
        situation=Situation.NO_RECIPE,
        meaning="no recipe, and every member is known",
        cells=replace(_WITHOUT_ERRORS, rebuild=(Rebuild.NO_RECIPE,)),
        status=Status.FAITHFUL,
        answer=Answer.PAYLOAD_ONLY,
    ),
    Row(
        situation=Situation.EQUIVALENT,
        meaning="every member equals the rebuild, and the container does not",
        cells=replace(_WITHOUT_ERRORS, rebuild=(Rebuild.EQUIVALENT,)),
        status=Status.FAITHFUL,
        answer=Answer.PAYLOAD_ONLY,
    ),
    Row(
        situation=Situation.ACCEPTED_TEXT,
        meaning="equal to the rebuild, with a text that the user accepted for this run",
        cells=replace(_WITHOUT_ERRORS, others=(OtherMembers.ACCEPTED,)),
        status=Status.FAITHFUL,
        answer=Answer.ACCEPTED,
    ),
    Row(
        situation=Situation.LOCAL_FILE,
        meaning="equal to the rebuild, a local file that no index vouches for",
        cells=replace(_KNOWN, voucher=(Voucher.NO_INDEX,)),
        status=Status.FAITHFUL,
        answer=Answer.THIS_FILE,
    ),
    Row(
        situation=Situation.REPLAYED,
        meaning="the digest that the index lists, after values were taken from the wheel",
        cells=replace(_KNOWN, rebuild=(Rebuild.REPLAYED,), voucher=(Voucher.INDEX,)),
        status=Status.FAITHFUL,
        answer=Answer.REPLAYED,
    ),
    Row(
        situation=Situation.IDENTICAL,
        meaning="the digest that the index lists",
        cells=replace(_KNOWN, rebuild=(Rebuild.IDENTICAL,), voucher=(Voucher.INDEX,)),
        status=Status.FAITHFUL,
        answer=Answer.PASSED,
    ),
    Row(
        situation=Situation.NOT_SEEN,
        meaning="a step of the audit did not run",
        cells=Cells(),
        outcome=Outcome.NOT_REBUILT,
        status=Status.NOT_DECIDED,
        answer=Answer.NONE,
    ),
)
