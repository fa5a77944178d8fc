"""A report as JSON: ``docs/findings.schema.json`` is its published form."""

from factory import __version__
from factory.core.finding_json import finding_to_json, waived_to_json
from factory.core.trust_json import assessment_to_json
from factory.verify.output.report import Judged, ReleaseReport, Report, WheelReport
from factory.verify.smoke import SmokeResult
from factory.verify.stock.stock_tools import Consultation

SCHEMA_VERSION = 1


def findings_document(report: Report) -> dict[str, object]:
    """Return the document that ``factory verify --json`` prints."""
    counts = {severity.value: count for severity, count in report.counts.items()}
    return {
        "schema_version": SCHEMA_VERSION,
        "factory_version": __version__,
        "verdict": report.verdict.value,
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
        **_judged(wheel.judged),
        "standings": [assessment_to_json(assessment) for assessment in wheel.assessments],
        "stock_tool": _consultation(wheel.consultation),
        "smoke": _smoke(wheel.smoke),
    }


def _release(release: ReleaseReport) -> dict[str, object]:
    return {"path": release.path, **_judged(release.judged)}


def _judged(judged: Judged) -> dict[str, object]:
    return {
        "checks": list(judged.checks),
        "findings": [finding_to_json(finding) for finding in judged.findings],
        "waived": [waived_to_json(waived) for waived in judged.waived],
    }


def _consultation(consultation: Consultation | None) -> dict[str, object] | None:
    if consultation is None:
        return None
    return {
        "tool": consultation.tool.value,
        "version": consultation.version or None,
        "not_run": consultation.not_run,
        "is_broken": consultation.is_broken,
        "statements": [
            {"place": statement.place, "evidence": statement.evidence}
            for statement in consultation.statements
        ],
    }


def _smoke(smoke: SmokeResult | None) -> dict[str, object] | None:
    return None if smoke is None else {"outcome": smoke.outcome.value, "detail": smoke.detail}
