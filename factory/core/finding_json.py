"""Findings as JSON, the same in manifests and in what ``factory verify --json`` prints."""

from factory.core.json_reader import JsonObject
from factory.core.model import Finding, Severity, WaivedFinding


def finding_to_json(finding: Finding) -> dict[str, object]:
    """Return a finding."""
    return {
        "check": finding.check,
        "severity": finding.severity.value,
        "place": finding.place,
        "evidence": finding.evidence,
        "remedy": finding.remedy,
    }


def finding_from_json(data: JsonObject) -> Finding:
    """Read a finding."""
    return Finding(
        check=data.text("check"),
        severity=Severity(data.text("severity")),
        place=data.text("place"),
        evidence=data.text("evidence"),
        remedy=data.text("remedy"),
    )


def waived_to_json(waived: WaivedFinding) -> dict[str, object]:
    """Return an accepted finding: the finding, and why."""
    return {**finding_to_json(waived.finding), "pattern": waived.pattern, "reason": waived.reason}


def waived_from_json(data: JsonObject) -> WaivedFinding:
    """Read an accepted finding."""
    return WaivedFinding(
        finding=finding_from_json(data), pattern=data.text("pattern"), reason=data.text("reason")
    )
