"""An audit as SARIF 2.1.0, for code-scanning pages: the findings of the checks, and the differences.

A wheel that was not decided is a notification with the level ``error``, so that a run without results
does not count as passed.
"""

from collections.abc import Iterator

from factory.audit.answer import Status
from factory.audit.verdict import AuditReport, ProvenanceState, Verdict
from factory.core.model import Finding, Severity
from factory.verify.catalogue import catalogue
from factory.verify.output.sarif import Json, level, notification, result, rule, sarif_log

_REMEDY = "Read the evidence in the report of the audit, and do not install the wheel before it is explained."


def audit_sarif(report: AuditReport) -> Json:
    """Return a report as a SARIF log of one run."""
    checks = catalogue()
    known = {check.id for check in checks}
    # A stored verdict can have findings of a check that this version lacks.
    others = {
        finding.check: (finding.severity, finding.remedy)
        for verdict in report.verdicts
        for finding in verdict.findings
    }
    others |= {
        cause.id: (cause.severity, cause.sentence) for verdict in report.verdicts for cause in verdict.causes
    }
    return sarif_log(
        [*map(rule, checks), *(_rule(id_, *others[id_]) for id_ in sorted(set(others) - known))],
        [one for verdict in report.verdicts for one in _results(verdict)],
        [one for verdict in report.verdicts for one in _notifications(verdict)]
        + [notification(file.name, file.name, "error", file.reason) for file in report.unexpected]
        + [notification(report.project, report.project, "error", sentence) for sentence in report.absent],
    )


def _rule(id_: str, severity: Severity, text: str) -> Json:
    return {
        "id": id_,
        "shortDescription": {"text": text},
        "fullDescription": {"text": text},
        "help": {"text": _REMEDY},
        "defaultConfiguration": {"level": level(severity)},
        "properties": {"tags": ["audit"]},
    }


def _results(verdict: Verdict) -> Iterator[Json]:
    for finding in verdict.findings:
        yield result(verdict.name, finding)
    for cause in verdict.causes:
        evidence = f"{cause.sentence} {cause.evidence}"
        yield result(
            verdict.name,
            Finding(
                check=cause.id,
                severity=cause.severity,
                place=cause.place,
                evidence=evidence,
                remedy=_REMEDY,
            ),
        )


def _notifications(verdict: Verdict) -> Iterator[Json]:
    if verdict.status in {Status.NOT_DECIDED, Status.NOTHING_TO_COMPARE}:
        why = verdict.reason or verdict.status.meaning
        yield notification(verdict.name, verdict.name, "error", f"not decided: {why}")
    if verdict.provenance.state is ProvenanceState.NOT_JUDGED:
        yield notification(verdict.name, verdict.name, "error", f"provenance: {verdict.provenance.reason}")
    if not verdict.is_inspected:
        yield notification(verdict.name, verdict.name, "error", "its checks were not run")
