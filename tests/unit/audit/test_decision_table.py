"""The decision table: every row, every pair of neighbours, and what holds for any evidence."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import fields, replace
from enum import StrEnum
from itertools import pairwise, product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factory.audit.answer import Answer, Status
from factory.audit.decision_table import TABLE, Situation, computed_outcome, decide
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

GOOD = Evidence(
    reading=Reading.DONE,
    payload=PayloadEvidence.AS_RELEASED,
    others=OtherMembers.KNOWN,
    rebuild=Rebuild.IDENTICAL,
    errors=VerifyErrors.NONE,
    voucher=Voucher.INDEX,
)
NOTHING_SEEN = Evidence(
    reading=Reading.FAILED,
    payload=PayloadEvidence.NOT_SEEN,
    others=OtherMembers.NOT_SEEN,
    rebuild=Rebuild.NOT_DONE,
    errors=VerifyErrors.NOT_RUN,
    voucher=Voucher.INDEX,
)
EVERY = tuple(
    Evidence(reading=reading, payload=payload, others=others, rebuild=rebuild, errors=errors, voucher=voucher)
    for reading, payload, others, rebuild, errors, voucher in product(
        Reading, PayloadEvidence, OtherMembers, Rebuild, VerifyErrors, Voucher
    )
)

# situation, evidence, outcome, status, answer, exit status: in the order of the table
ROWS = (
    (
        Situation.WRONG_PAYLOAD,
        replace(GOOD, payload=PayloadEvidence.WRONG),
        ("DIFFERENT", "different", "no", 10),
    ),
    (
        Situation.FORBIDDEN_MEMBER,
        replace(GOOD, others=OtherMembers.FORBIDDEN),
        ("DIFFERENT", "different", "no", 10),
    ),
    (
        Situation.OTHER_MEMBERS_THAN_REBUILT,
        replace(GOOD, rebuild=Rebuild.DIFFERENT),
        ("DIFFERENT", "different", "no", 10),
    ),
    (Situation.NOT_READ, NOTHING_SEEN, ("NOT-REBUILT", "not-decided", "none", 11)),
    (
        Situation.UNSEEN_TEXT,
        replace(GOOD, others=OtherMembers.UNSEEN_TEXT),
        ("IDENTICAL", "not-decided", "undecided", 11),
    ),
    (
        Situation.NO_PAYLOAD,
        replace(NOTHING_SEEN, reading=Reading.NO_PAYLOAD),
        ("NOT-REBUILT", "nothing-to-compare", "undecided", 12),
    ),
    (
        Situation.SEPARATE_BUILD,
        replace(
            GOOD,
            payload=PayloadEvidence.SEPARATE,
            others=OtherMembers.NOT_SEEN,
            rebuild=Rebuild.NOT_DONE,
        ),
        ("NOT-REBUILT", "nothing-to-compare", "undecided", 12),
    ),
    (
        Situation.ERRORS,
        replace(GOOD, errors=VerifyErrors.SOME),
        ("IDENTICAL", "faithful-with-errors", "with-errors", 24),
    ),
    (
        Situation.NO_RECIPE,
        replace(GOOD, rebuild=Rebuild.NO_RECIPE),
        ("EQUIVALENT", "faithful", "payload-only", 0),
    ),
    (
        Situation.EQUIVALENT,
        replace(GOOD, rebuild=Rebuild.EQUIVALENT),
        ("EQUIVALENT", "faithful", "payload-only", 0),
    ),
    (
        Situation.ACCEPTED_TEXT,
        replace(GOOD, others=OtherMembers.ACCEPTED),
        ("IDENTICAL", "faithful", "accepted", 0),
    ),
    (
        Situation.LOCAL_FILE,
        replace(GOOD, voucher=Voucher.NO_INDEX),
        ("IDENTICAL", "faithful", "this-file", 0),
    ),
    (
        Situation.REPLAYED,
        replace(GOOD, rebuild=Rebuild.REPLAYED),
        ("IDENTICAL-REPLAYED", "faithful", "replayed", 0),
    ),
    (Situation.IDENTICAL, GOOD, ("IDENTICAL", "faithful", "passed", 0)),
    (
        Situation.NOT_SEEN,
        replace(NOTHING_SEEN, reading=Reading.DONE),
        ("NOT-REBUILT", "not-decided", "none", 11),
    ),
)

# One changed value after another, from good evidence; a value that is not here is good.
CELLS = (
    (replace(GOOD, reading=Reading.FAILED), Situation.NOT_READ),
    (replace(GOOD, reading=Reading.NO_PAYLOAD), Situation.NO_PAYLOAD),
    (replace(GOOD, payload=PayloadEvidence.NOT_SEEN), Situation.NOT_SEEN),
    (replace(GOOD, others=OtherMembers.NOT_SEEN), Situation.NOT_SEEN),
    (replace(GOOD, rebuild=Rebuild.NOT_DONE), Situation.NOT_SEEN),
    (replace(GOOD, errors=VerifyErrors.NOT_RUN), Situation.NOT_SEEN),
    (replace(GOOD, errors=VerifyErrors.NOT_RUN, rebuild=Rebuild.NO_RECIPE), Situation.NOT_SEEN),
    (replace(GOOD, others=OtherMembers.ACCEPTED, voucher=Voucher.NO_INDEX), Situation.ACCEPTED_TEXT),
    (replace(GOOD, others=OtherMembers.ACCEPTED, rebuild=Rebuild.REPLAYED), Situation.ACCEPTED_TEXT),
    (replace(GOOD, others=OtherMembers.ACCEPTED, errors=VerifyErrors.SOME), Situation.ERRORS),
    (replace(GOOD, rebuild=Rebuild.REPLAYED, voucher=Voucher.NO_INDEX), Situation.LOCAL_FILE),
    (replace(GOOD, rebuild=Rebuild.REPLAYED, errors=VerifyErrors.SOME), Situation.ERRORS),
    (replace(GOOD, rebuild=Rebuild.NO_RECIPE, others=OtherMembers.UNSEEN_TEXT), Situation.UNSEEN_TEXT),
    (replace(NOTHING_SEEN, payload=PayloadEvidence.WRONG), Situation.WRONG_PAYLOAD),
    (replace(NOTHING_SEEN, others=OtherMembers.FORBIDDEN), Situation.FORBIDDEN_MEMBER),
)


@pytest.mark.parametrize(("situation", "evidence", "expected"), ROWS, ids=[str(row[0]) for row in ROWS])
def test_each_row_decides_its_situation(
    situation: Situation, evidence: Evidence, expected: tuple[str, str, str, int]
) -> None:
    decision = decide(evidence)

    assert decision.situation is situation
    assert (decision.outcome, decision.status, decision.answer, decision.status.exit_status) == expected


def test_the_rows_are_in_the_order_of_their_names() -> None:
    assert [row.situation for row in TABLE] == list(Situation) == [row[0] for row in ROWS]


@pytest.mark.parametrize(("evidence", "situation"), CELLS)
def test_a_combination_is_decided_by_the_first_row_that_covers_it(
    evidence: Evidence, situation: Situation
) -> None:
    assert decide(evidence).situation is situation


def worst_of(one: Evidence, other: Evidence) -> Evidence:
    """Return the evidence that has the worse value of both, for each kind."""
    return Evidence(
        **{
            name: max(value, values_of(other)[name], key=rank_in(name))
            for name, value in values_of(one).items()
        }
    )


def values_of(evidence: Evidence) -> dict[str, Any]:
    return {field.name: getattr(evidence, field.name) for field in fields(Evidence)}


@pytest.mark.parametrize(
    ("first", "second"),
    list(pairwise(ROWS[:7])),
    ids=[f"{one[0]} and {two[0]}" for one, two in pairwise(ROWS[:7])],
)
def test_of_two_neighbouring_rows_the_first_decides(
    first: tuple[Situation, Evidence, object], second: tuple[Situation, Evidence, object]
) -> None:
    both = worst_of(first[1], second[1])

    assert decide(both).situation is first[0]


def test_neighbouring_rows_of_faithful_wheels() -> None:
    """In these pairs the values exclude each other, or the first row decides."""
    no_recipe = replace(GOOD, rebuild=Rebuild.NO_RECIPE)
    assert decide(replace(no_recipe, errors=VerifyErrors.SOME)).situation is Situation.ERRORS
    assert decide(replace(no_recipe, others=OtherMembers.ACCEPTED)).situation is Situation.NO_RECIPE
    assert decide(replace(no_recipe, voucher=Voucher.NO_INDEX)).situation is Situation.NO_RECIPE
    equivalent = replace(GOOD, rebuild=Rebuild.EQUIVALENT)
    assert decide(replace(equivalent, others=OtherMembers.ACCEPTED)).situation is Situation.EQUIVALENT
    accepted = replace(GOOD, others=OtherMembers.ACCEPTED, voucher=Voucher.NO_INDEX)
    assert decide(accepted).situation is Situation.ACCEPTED_TEXT
    local = replace(GOOD, rebuild=Rebuild.REPLAYED, voucher=Voucher.NO_INDEX)
    assert decide(local).situation is Situation.LOCAL_FILE


def test_how_many_combinations_each_row_decides() -> None:
    """A change of the table that nobody intended shows here."""
    assert Counter(str(decide(evidence).situation) for evidence in EVERY) == {
        "wrong-payload": 540,
        "forbidden-member": 324,
        "other-members-than-rebuilt": 216,
        "not-read": 360,
        "unseen-text": 180,
        "no-payload": 270,
        "separate-build": 90,
        "errors": 16,
        "no-recipe": 4,
        "equivalent": 4,
        "accepted-text": 4,
        "local-file": 2,
        "replayed": 1,
        "identical": 1,
        "not-seen": 148,
    }


def test_only_one_combination_of_all_is_passed() -> None:
    assert [evidence for evidence in EVERY if decide(evidence).answer is Answer.PASSED] == [GOOD]


def test_only_exit_status_10_says_no_and_nothing_else_does() -> None:
    for evidence in EVERY:
        decision = decide(evidence)
        is_no = decision.answer is Answer.NO
        assert is_no == (decision.status is Status.DIFFERENT) == (decision.status.exit_status == 10)
        assert not is_no or decision.outcome is Outcome.DIFFERENT


def test_a_wheel_without_a_recipe_is_never_better_than_equivalent() -> None:
    for evidence in EVERY:
        if evidence.rebuild is Rebuild.NO_RECIPE:
            decision = decide(evidence)
            assert not decision.outcome.is_same_bytes
            assert not decision.answer.is_yes or decision.answer is Answer.PAYLOAD_ONLY


def test_whatever_was_not_seen_is_no_yes() -> None:
    for evidence in EVERY:
        if decide(evidence).answer.is_yes:
            assert evidence.reading is Reading.DONE
            assert evidence.payload is PayloadEvidence.AS_RELEASED
            assert evidence.others in {OtherMembers.KNOWN, OtherMembers.ACCEPTED}
            assert evidence.errors is VerifyErrors.NONE


# From the strongest yes to no; members of one set are equally mild.
ANSWERS: Sequence[set[Answer]] = (
    {Answer.PASSED},
    {Answer.REPLAYED},
    {Answer.THIS_FILE},
    {Answer.ACCEPTED},
    {Answer.PAYLOAD_ONLY},
    {Answer.WITH_ERRORS},
    {Answer.UNDECIDED, Answer.NONE},
    {Answer.NO},
)
STATUSES: Sequence[set[Status]] = (
    {Status.FAITHFUL},
    {Status.FAITHFUL_WITH_ERRORS},
    {Status.NOTHING_TO_COMPARE, Status.NOT_DECIDED},
    {Status.DIFFERENT},
)
ORDERS: dict[str, type[StrEnum]] = {
    "reading": Reading,
    "payload": PayloadEvidence,
    "others": OtherMembers,
    "rebuild": Rebuild,
    "errors": VerifyErrors,
    "voucher": Voucher,
}


def rank_in(name: str) -> Callable[[StrEnum], int]:
    """Return the function that gives the place of a value in its order."""
    return list(ORDERS[name]).index


def rank(groups: Sequence[Collection[StrEnum]], member: StrEnum) -> int:
    return next(index for index, group in enumerate(groups) if member in group)


@given(st.sampled_from(EVERY), st.sampled_from(EVERY))
def test_worse_evidence_never_makes_the_answer_milder(one: Evidence, other: Evidence) -> None:
    before, after = decide(one), decide(worst_of(one, other))

    assert rank(ANSWERS, after.answer) >= rank(ANSWERS, before.answer)
    assert rank(STATUSES, after.status) >= rank(STATUSES, before.status)


def test_one_worse_value_never_makes_the_answer_milder() -> None:
    """All 1620 combinations with each single step to the next worse value."""
    for evidence in EVERY:
        before = decide(evidence)
        for name, order in ORDERS.items():
            for value in list(order)[rank_in(name)(values_of(evidence)[name]) + 1 :]:
                after = decide(Evidence(**values_of(evidence) | {name: value}))
                assert rank(ANSWERS, after.answer) >= rank(ANSWERS, before.answer), (evidence, value)
                assert rank(STATUSES, after.status) >= rank(STATUSES, before.status), (evidence, value)


@pytest.mark.parametrize(
    ("rebuild", "outcome"),
    [
        (Rebuild.IDENTICAL, Outcome.IDENTICAL),
        (Rebuild.REPLAYED, Outcome.REPLAYED),
        (Rebuild.EQUIVALENT, Outcome.EQUIVALENT),
        (Rebuild.NO_RECIPE, Outcome.EQUIVALENT),
        (Rebuild.NOT_DONE, Outcome.NOT_REBUILT),
        (Rebuild.DIFFERENT, Outcome.DIFFERENT),
    ],
)
def test_the_comparison_alone_gives_an_outcome(rebuild: Rebuild, outcome: Outcome) -> None:
    assert computed_outcome(rebuild) is outcome
