"""An audit in SARIF: differences and findings are results, and what was not decided is no success."""

from dataclasses import replace

import jsonschema

from factory.audit.answer import Status
from factory.audit.report.sarif import audit_sarif
from factory.audit.verdict import AuditReport, ProvenanceState, ServedProvenance
from tests.statements import IDENTICAL, report
from tests.unit.audit.test_reports import REPORT
from tests.unit.verify.output.test_sarif import ESSENTIALS


def run_of(done: AuditReport) -> dict[str, object]:
    document = audit_sarif(done)
    jsonschema.validate(document, ESSENTIALS)
    runs = document["runs"]
    assert isinstance(runs, list)
    (run,) = runs
    assert isinstance(run, dict)
    return run


def invocation(done: AuditReport) -> dict[str, object]:
    invocations = run_of(done)["invocations"]
    assert isinstance(invocations, list)
    (one,) = invocations
    assert isinstance(one, dict)
    return one


def test_differences_and_findings_are_results_with_rules() -> None:
    run = run_of(REPORT)
    results = run["results"]
    assert isinstance(results, list)
    differences = [one for one in results if one["ruleId"] == "text"]
    assert len(differences) == len(REPORT.verdicts)
    assert differences[0]["level"] == "error"
    assert differences[0]["message"]["text"].startswith("<script>alert(1)</script>: Its text differs. first")
    findings = [one for one in results if one["ruleId"] != "text"]
    assert len(findings) == sum(len(verdict.findings) for verdict in REPORT.verdicts) > 0
    driver = run["tool"]
    assert isinstance(driver, dict)
    rules = driver["driver"]["rules"]
    assert all(rules[one["ruleIndex"]]["id"] == one["ruleId"] for one in results)


def test_an_audit_that_is_decided_is_successful() -> None:
    assert invocation(report(replace(IDENTICAL, is_inspected=True))) == {
        "executionSuccessful": True,
        "toolExecutionNotifications": [],
    }


def test_what_was_not_decided_is_no_success() -> None:
    decided = replace(IDENTICAL, is_inspected=True)
    not_judged = ServedProvenance(state=ProvenanceState.NOT_JUDGED, reason="it needs an extra")
    for open_one, said in (
        (replace(decided, status=Status.NOT_DECIDED, reason="no channel"), "no channel"),
        (replace(decided, status=Status.NOTHING_TO_COMPARE), Status.NOTHING_TO_COMPARE.meaning),
        (replace(decided, provenance=not_judged), "it needs an extra"),
        (replace(decided, is_inspected=False), "its checks were not run"),
    ):
        found = invocation(report(open_one))
        assert found["executionSuccessful"] is False
        assert said in str(found["toolExecutionNotifications"])
    absent = replace(report(decided), absent=("0.164.0 is not on the index",))
    assert invocation(absent)["executionSuccessful"] is False
    assert invocation(replace(report(decided), unexpected=REPORT.unexpected))["executionSuccessful"] is False
