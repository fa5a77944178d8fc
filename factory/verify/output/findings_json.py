"""A report as JSON, in the format of ``docs/findings.schema.json``."""

from factory import __version__
from factory.core.codec import to_json, to_plain
from factory.verify.output.report import Report, WheelReport
from factory.verify.smoke import SmokeResult
from factory.verify.stock.stock_tools import StockReport

SCHEMA_VERSION = 1


def findings_document(report: Report) -> dict[str, object]:
    """Return the document that ``factory verify --format json`` prints."""
    counts = {severity.value: count for severity, count in report.counts.items()}
    return {
        "schema_version": SCHEMA_VERSION,
        "factory_version": __version__,
        "verdict": report.status.value,
        "counts": counts | {"waived": report.waived_count},
        "wheels": [_wheel(wheel) for wheel in report.wheels],
        "releases": [{"path": release.path, **to_json(release.results)} for release in report.releases],
        "unused_waivers": to_plain(report.unused),
    }


def _wheel(wheel: WheelReport) -> dict[str, object]:
    return {
        "path": wheel.path,
        "name": wheel.name,
        "sha256": to_plain(wheel.sha256),
        "not_looked_at": wheel.not_looked_at,
        **to_json(wheel.results),
        "standings": to_plain(wheel.assessments),
        "stock_tool": _stock_report(wheel.stock_report),
        "smoke": _smoke(wheel.smoke),
    }


def _smoke(smoke: SmokeResult | None) -> dict[str, object] | None:
    return None if smoke is None else {"outcome": smoke.outcome.value, "detail": smoke.detail}


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
