"""The report as SARIF 2.1.0, for code-scanning pages.

Each wheel is one artifact, because a page cannot link to a part of it; the member is given as the
logical location.
"""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath
from typing import TypeAlias
from urllib.parse import quote

from factory import __version__
from factory.core.model import Finding, Severity, WaivedFinding
from factory.verify.catalogue import CheckDescription, catalogue
from factory.verify.output.report import CheckResults, Report, WheelReport

Json: TypeAlias = dict[str, object]
_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def sarif_document(report: Report) -> dict[str, object]:
    """Return a report as a SARIF log of one run."""
    parts = [(wheel.path, wheel.results) for wheel in report.wheels]
    parts += [(release.path, release.results) for release in report.releases]
    return sarif_log(
        [rule(check) for check in catalogue()],
        [result for path, results in parts for result in results_of(path, results)],
        [each for wheel in report.wheels for each in _notifications(wheel)],
    )


def sarif_log(
    rules: Sequence[Json], results: Sequence[Json], notifications: Sequence[Json]
) -> dict[str, object]:
    """Return a SARIF log of one run.

    Args:
        rules: Every rule that a result names.
        results: The findings.
        notifications: What could not be checked, so that it does not count as passed.
    """
    places = {str(rule["id"]): index for index, rule in enumerate(rules)}
    is_successful = not any(notification["level"] == "error" for notification in notifications)
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "codex-wheel-factory",
                        "semanticVersion": __version__,
                        "rules": list(rules),
                    }
                },
                "columnKind": "unicodeCodePoints",
                "invocations": [
                    {
                        "executionSuccessful": is_successful,
                        "toolExecutionNotifications": list(notifications),
                    }
                ],
                "results": [result | {"ruleIndex": places[str(result["ruleId"])]} for result in results],
            }
        ],
    }


def rule(rule: CheckDescription) -> Json:
    """Return a check as a rule."""
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.protects},
        "help": {
            "text": f"{rule.protects}\nStandard: {rule.standard}\nWhat to do: {rule.remedy}",
            "markdown": f"{rule.protects}\n\n- Standard: {rule.standard}\n- What to do: {rule.remedy}",
        },
        "defaultConfiguration": {"level": level(rule.severity)},
        "properties": {"tags": [rule.scope.value]},
    }


def level(severity: Severity) -> str:
    """Return the SARIF level (SARIF 2.1.0, 3.27.10)."""
    match severity:
        case Severity.ERROR:
            return "error"
        case Severity.WARNING:
            return "warning"
        case Severity.NOTE:
            return "note"


def _notifications(wheel: WheelReport) -> Iterator[dict[str, object]]:
    if wheel.not_looked_at is not None:
        yield notification(wheel.name, wheel.path, "error", f"not looked at: {wheel.not_looked_at}")
    if wheel.stock_report is not None and wheel.stock_report.not_run is not None:
        sarif_level = "error" if wheel.stock_report.is_broken else "note"
        text = f"{wheel.stock_report.tool} not asked: {wheel.stock_report.not_run}"
        yield notification(wheel.name, wheel.path, sarif_level, text)
    if wheel.smoke is not None:
        text = f"start {wheel.smoke.outcome.value}: {wheel.smoke.detail}"
        yield notification(wheel.name, wheel.path, "note", text)


def notification(name: str, path: str, sarif_level: str, text: str) -> Json:
    """Return a remark about a wheel: ``error`` if it could not be checked, else ``note``."""
    return {
        "level": sarif_level,
        "message": {"text": f"{name}: {text}"},
        "locations": [{"physicalLocation": _physical_location(path)}],
    }


def results_of(path: str, results: CheckResults) -> Iterator[Json]:
    """Yield the findings about a file, and the waived ones as suppressed."""
    for finding in results.findings:
        yield result(path, finding)
    for waived in results.waived:
        yield result(path, waived.finding) | {"suppressions": [_suppression(waived)]}


def result(path: str, finding: Finding) -> Json:
    """Return a finding about a file."""
    return {
        "ruleId": finding.check,
        "level": level(finding.severity),
        "message": {"text": f"{finding.place}: {finding.evidence}\nWhat to do: {finding.remedy}"},
        "locations": [
            {
                "physicalLocation": _physical_location(path),
                "logicalLocations": [{"fullyQualifiedName": finding.place, "kind": "member"}],
            }
        ],
        "partialFingerprints": {"finding/v1": _fingerprint(path, finding)},
    }


def _suppression(waived: WaivedFinding) -> dict[str, object]:
    return {"kind": "external", "status": "accepted", "justification": waived.reason}


def _physical_location(path: str) -> dict[str, object]:
    """Return the file, with a region because code-scanning pages reject results without one."""
    return {"artifactLocation": {"uri": _uri(path)}, "region": {"startLine": 1}}


def _uri(path: str) -> str:
    """Return a relative reference, or a file URI for an absolute path (RFC 3986)."""
    if PurePath(path).is_absolute():
        return Path(path).as_uri()
    return quote(PurePath(path).as_posix(), errors="surrogateescape")


def _fingerprint(path: str, finding: Finding) -> str:
    """Identify a finding across runs, whatever the directory of the wheel and the wording of the evidence."""
    text = f"{PurePath(path).name}\0{finding.check}\0{finding.place}"
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
