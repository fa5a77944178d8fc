"""The usual decision for each outcome, for tests that are about something else."""

from typing import TypedDict

from factory.audit.answer import Answer, Status
from factory.audit.verdict import Outcome


class Decided(TypedDict):
    """The fields of a verdict that a decision gives."""

    outcome: Outcome
    status: Status
    answer: Answer


def decided(outcome: Outcome) -> Decided:
    """Return an outcome with the status and the answer of a wheel without errors that an index lists."""
    status, answer = _USUAL[outcome]
    return {"outcome": outcome, "status": status, "answer": answer}


_USUAL = {
    Outcome.IDENTICAL: (Status.FAITHFUL, Answer.PASSED),
    Outcome.REPLAYED: (Status.FAITHFUL, Answer.REPLAYED),
    Outcome.EQUIVALENT: (Status.FAITHFUL, Answer.PAYLOAD_ONLY),
    Outcome.DIFFERENT: (Status.DIFFERENT, Answer.NO),
    Outcome.NOT_REBUILT: (Status.NOT_DECIDED, Answer.NONE),
}
