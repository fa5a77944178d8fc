import json
from collections.abc import Mapping
from pathlib import Path

import jsonschema

from factory.core.digests import Sha256
from factory.core.model import Finding, Severity, WaivedFinding
from factory.verify.catalogue import catalogue
from factory.verify.output.report import CheckResults, ReleaseReport, Report, WheelReport
from factory.verify.output.sarif import sarif_document
from factory.verify.smoke import SmokeOutcome, SmokeResult
from factory.verify.stock.stock_findings import StockTool
from factory.verify.stock.stock_tools import StockReport

TEXT = {"type": "string", "minLength": 1}
MESSAGE = {"type": "object", "required": ["text"], "properties": {"text": TEXT}}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
PHYSICAL = {
    "type": "object",
    "required": ["artifactLocation", "region"],
    "properties": {
        "artifactLocation": {"type": "object", "required": ["uri"], "properties": {"uri": TEXT}},
        "region": {"type": "object", "required": ["startLine"]},
    },
}
LOCATIONS = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "required": ["physicalLocation"],
        "properties": {"physicalLocation": PHYSICAL},
    },
}
SUPPRESSION = {
    "type": "object",
    "required": ["kind", "justification"],
    "properties": {"kind": {"enum": ["inSource", "external"]}, "status": {"const": "accepted"}},
}
RULE = {
    "type": "object",
    "required": ["id", "shortDescription", "fullDescription", "help", "defaultConfiguration"],
    "properties": {
        "id": TEXT,
        "shortDescription": MESSAGE,
        "fullDescription": MESSAGE,
        "help": MESSAGE,
        "defaultConfiguration": {"type": "object", "properties": {"level": LEVEL}},
    },
}
RESULT = {
    "type": "object",
    "required": ["ruleId", "ruleIndex", "level", "message", "locations", "partialFingerprints"],
    "properties": {
        "ruleId": TEXT,
        "ruleIndex": {"type": "integer", "minimum": 0},
        "level": LEVEL,
        "message": MESSAGE,
        "locations": LOCATIONS,
        "partialFingerprints": {"type": "object", "additionalProperties": TEXT},
        "suppressions": {"type": "array", "items": SUPPRESSION},
    },
}
INVOCATION = {
    "type": "object",
    "required": ["executionSuccessful"],
    "properties": {
        "executionSuccessful": {"type": "boolean"},
        "toolExecutionNotifications": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["message", "level"],
                "properties": {"message": MESSAGE, "level": LEVEL, "locations": LOCATIONS},
            },
        },
    },
}
DRIVER = {
    "type": "object",
    "required": ["name", "rules"],
    "properties": {"name": TEXT, "semanticVersion": TEXT, "rules": {"type": "array", "items": RULE}},
}
RUN = {
    "type": "object",
    "required": ["tool", "results"],
    "properties": {
        "tool": {"type": "object", "required": ["driver"], "properties": {"driver": DRIVER}},
        "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
        "invocations": {"type": "array", "items": INVOCATION},
        "results": {"type": "array", "items": RESULT},
    },
}
ESSENTIALS: Mapping[str, object] = {
    "type": "object",
    "required": ["$schema", "version", "runs"],
    "properties": {"version": {"const": "2.1.0"}, "runs": {"type": "array", "items": RUN}},
}
"""What SARIF 2.1.0 (OASIS, sections 3.13 to 3.58) and code-scanning pages require."""


def finding(check: str, severity: Severity, place: str = "codex_cli_bin/bin/codex") -> Finding:
    return Finding(check=check, severity=severity, place=place, evidence="was seen", remedy="Do it.")


REPORT = Report(
    wheels=(
        WheelReport(
            path="dist/a wheel.whl",
            name="a wheel.whl",
            sha256=Sha256("1" * 64),
            results=CheckResults(
                findings=(finding("elf-glibc-floor", Severity.ERROR),),
                waived=(
                    WaivedFinding(
                        finding=finding("package-typed", Severity.NOTE), pattern="*", reason="known since 1.0"
                    ),
                ),
            ),
            stock_report=StockReport(
                wheel="a wheel.whl", tool=StockTool.AUDITWHEEL, not_run="Boom", is_broken=True
            ),
            smoke=SmokeResult(wheel="a wheel.whl", outcome=SmokeOutcome.NOT_RUN, detail="no emulator"),
        ),
    ),
    releases=(
        ReleaseReport(
            path=str(Path("/abs/dist")),
            results=CheckResults(findings=(finding("release-platforms", Severity.ERROR, "dist"),)),
        ),
    ),
    unused=(),
)


def run_of(report: Report) -> dict[str, list[dict[str, object]]]:
    document = json.loads(json.dumps(sarif_document(report)))
    jsonschema.validate(document, ESSENTIALS)
    (run,) = document["runs"]
    assert isinstance(run, dict)
    return run


def test_a_log_has_every_check_as_a_rule() -> None:
    driver = sarif_document(REPORT)["runs"]
    rules = json.loads(json.dumps(driver))[0]["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [entry.id for entry in catalogue()]
    assert len({rule["id"] for rule in rules}) == len(rules)


def test_results_point_to_the_wheel_and_the_member() -> None:
    first = run_of(REPORT)["results"][0]
    assert first["ruleId"] == "elf-glibc-floor"
    assert first["level"] == "error"
    assert first["message"] == {"text": "codex_cli_bin/bin/codex: was seen\nWhat to do: Do it."}
    assert first["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "dist/a%20wheel.whl"},
                "region": {"startLine": 1},
            },
            "logicalLocations": [{"fullyQualifiedName": "codex_cli_bin/bin/codex", "kind": "member"}],
        }
    ]


def test_a_rule_index_points_to_the_rule() -> None:
    run = json.loads(json.dumps(sarif_document(REPORT)))["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    assert [rules[result["ruleIndex"]]["id"] for result in run["results"]] == [
        "elf-glibc-floor",
        "package-typed",
        "release-platforms",
    ]


def test_a_waived_finding_is_suppressed_with_its_reason() -> None:
    assert [result.get("suppressions") for result in run_of(REPORT)["results"]] == [
        None,
        [{"kind": "external", "status": "accepted", "justification": "known since 1.0"}],
        None,
    ]


def test_a_check_that_was_not_run_is_reported_and_not_a_success() -> None:
    (invocation,) = run_of(REPORT)["invocations"]
    assert invocation["executionSuccessful"] is False
    notifications = invocation["toolExecutionNotifications"]
    assert isinstance(notifications, list)
    assert [(n["level"], n["message"]["text"]) for n in notifications] == [
        ("error", "a wheel.whl: auditwheel not asked: Boom"),
        ("note", "a wheel.whl: start not-run: no emulator"),
    ]


def test_a_fingerprint_depends_on_neither_directory_nor_wording() -> None:
    (wheel,) = REPORT.wheels
    moved = Report(
        wheels=(WheelReport(path="elsewhere/a wheel.whl", name="a wheel.whl", results=wheel.results),),
        releases=(),
        unused=(),
    )
    prints = [run_of(report)["results"][0]["partialFingerprints"] for report in (REPORT, moved)]
    assert prints[0] == prints[1]
