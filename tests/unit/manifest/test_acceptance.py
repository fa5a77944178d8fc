import json
from dataclasses import replace

import pytest

from factory.core.case_result import CaseOutcome, CaseResult
from factory.core.codec import from_json, to_json
from factory.core.digests import Sha256
from factory.core.json_reader import JsonObject, MalformedJson
from factory.manifest.acceptance import Acceptance, RequestedSdk, SdkIdentity

SDK = SdkIdentity(name="openai-codex", version="0.163.0", sha256=Sha256("3" * 64))


def acceptance(*outcomes: CaseOutcome) -> Acceptance:
    cases = tuple(
        CaseResult(case=f"case-{number}", outcome=outcome) for number, outcome in enumerate(outcomes)
    )
    return Acceptance(sdk=SDK, how="natively", cases=cases)


def test_acceptance_is_written_and_read_back() -> None:
    result = acceptance(CaseOutcome.PASSED, CaseOutcome.NOT_APPLICABLE)
    document = to_json(result)
    assert document == {
        "sdk": {
            "name": "openai-codex",
            "version": "0.163.0",
            "sha256": "3" * 64,
            "repinned": False,
            "regenerated": False,
        },
        "how": "natively",
        "cases": [
            {"case": "case-0", "outcome": "passed", "detail": ""},
            {"case": "case-1", "outcome": "not-applicable", "detail": ""},
        ],
    }
    assert from_json(Acceptance, JsonObject.parse(json.dumps(document), where="here")) == result


def test_an_unknown_outcome_is_malformed() -> None:
    document = to_json(acceptance(CaseOutcome.PASSED))
    document["cases"] = [{"case": "case-0", "outcome": "perhaps", "detail": ""}]
    with pytest.raises(MalformedJson, match="perhaps"):
        from_json(Acceptance, JsonObject.parse(json.dumps(document), where="here"))


@pytest.mark.parametrize(
    ("outcomes", "has_passed"),
    [
        ((CaseOutcome.PASSED,), True),
        ((CaseOutcome.PASSED, CaseOutcome.NOT_APPLICABLE), True),
        ((CaseOutcome.PASSED, CaseOutcome.FAILED), False),
        ((CaseOutcome.PASSED, CaseOutcome.COULD_NOT_RUN), False),
        ((CaseOutcome.NOT_APPLICABLE,), False),
        ((), False),
    ],
)
def test_acceptance_passes_if_every_applicable_case_did(
    outcomes: tuple[CaseOutcome, ...], *, has_passed: bool
) -> None:
    assert acceptance(*outcomes).has_passed is has_passed


def test_a_summary_counts_the_outcomes() -> None:
    summary = acceptance(CaseOutcome.PASSED, CaseOutcome.PASSED, CaseOutcome.COULD_NOT_RUN).summary
    assert summary == "openai-codex 0.163.0, natively: 2 passed, 1 could-not-run"


def test_the_failed_cases_are_those_that_failed() -> None:
    run = acceptance(CaseOutcome.PASSED, CaseOutcome.FAILED, CaseOutcome.COULD_NOT_RUN)
    assert run.failed == (CaseResult(case="case-1", outcome=CaseOutcome.FAILED),)


ASKED = RequestedSdk(name="openai-codex", version="0.162.0", sha256=Sha256("4" * 64))


@pytest.mark.parametrize(
    ("sdk", "shown"),
    [
        (SDK, "openai-codex 0.163.0"),
        (replace(SDK, requested=ASKED), "openai-codex 0.163.0"),
        (replace(SDK, repinned=True), "openai-codex 0.163.0"),
        (
            replace(SDK, repinned=True, requested=ASKED),
            "openai-codex 0.163.0 (re-pinned from openai-codex 0.162.0)",
        ),
    ],
)
def test_a_re_pinned_sdk_is_shown_with_the_one_that_it_comes_from(sdk: SdkIdentity, shown: str) -> None:
    assert str(sdk) == shown


@pytest.mark.parametrize(
    ("repinned", "regenerated", "shown"),
    [
        (False, False, "openai-codex 0.163.0"),
        (True, False, "openai-codex 0.163.0 (re-pinned from openai-codex 0.147.0)"),
        (False, True, "openai-codex 0.163.0 (regenerated from openai-codex 0.147.0)"),
        (True, True, "openai-codex 0.163.0 (regenerated from openai-codex 0.147.0)"),
    ],
)
def test_a_changed_sdk_is_shown_with_its_source(*, repinned: bool, regenerated: bool, shown: str) -> None:
    requested = RequestedSdk(name="openai-codex", version="0.147.0", sha256=Sha256("4" * 64))
    sdk = replace(SDK, requested=requested, repinned=repinned, regenerated=regenerated)
    assert str(sdk) == shown
