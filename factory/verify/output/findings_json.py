"""A report as JSON: ``docs/findings.schema.json`` is its published form."""

from factory import __version__
from factory.core.finding_json import finding_to_json, waived_to_json
from factory.core.trust_json import assessment_to_json
from factory.verify.output.report import CheckResults, ReleaseReport, Report, WheelReport
from factory.verify.smoke import SmokeResult
from factory.verify.stock.stock_tools import StockReport

SCHEMA_VERSION = 1


def findings_document(report: Report) -> dict[str, object]:
    """Return the document that ``factory verify --json`` prints."""
    counts = {severity.value: count for severity, count in report.counts.items()}
    return {
        "schema_version": SCHEMA_VERSION,
        "factory_version": __version__,
        "verdict": report.status.value,
        "counts": counts | {"waived": report.waived_count},
        "wheels": [_wheel(wheel) for wheel in report.wheels],
        "releases": [_release(release) for release in report.releases],
        "unused_waivers": [
            {"check": waiver.check, "pattern": waiver.pattern, "reason": waiver.reason}
            for waiver in report.unused
        ],
    }


def _wheel(wheel: WheelReport) -> dict[str, object]:
    return {
        "path": wheel.path,
        "name": wheel.name,
        "sha256": None if wheel.sha256 is None else str(wheel.sha256),
        "not_looked_at": wheel.not_looked_at,
        **_results(wheel.results),
        "standings": [assessment_to_json(assessment) for assessment in wheel.assessments],
        "stock_tool": _stock_report(wheel.stock_report),
        "smoke": _smoke(wheel.smoke),
    }


def _release(release: ReleaseReport) -> dict[str, object]:
    return {"path": release.path, **_results(release.results)}


def _results(results: CheckResults) -> dict[str, object]:
    return {
        "checks": list(results.checks),
        "findings": [finding_to_json(finding) for finding in results.findings],
        "waived": [waived_to_json(waived) for waived in results.waived],
    }


def _stock_report(stock_report: StockReport | None) -> dict[str, object] | None:
    if stock_report is None:
        return None
    return {
        "tool": stock_report.tool.value,
        "version": stock_report.version or None,
        "not_run": stock_report.not_run,
        "is_broken": stock_report.is_broken,
        "statements": [
            {"place": finding.place, "evidence": finding.evidence} for finding in stock_report.findings
        ],
    }


def _smoke(smoke: SmokeResult | None) -> dict[str, object] | None:
    return None if smoke is None else {"outcome": smoke.outcome.value, "detail": smoke.detail}
