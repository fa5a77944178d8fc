"""What an audit said of a published wheel, whatever it was, and a verification summary where it passed."""

from collections.abc import Mapping

from factory.audit.verdict import AuditReport, ProvenanceState, Verdict
from factory.core.codec import to_json
from factory.core.model import Severity
from factory.statements.statement import OUR_TYPES, Author, Statement, Subject

PREDICATE_TYPE = f"{OUR_TYPES}#audit-result/v1"
SUMMARY_TYPE = "https://slsa.dev/verification_summary/v1"
POLICY = f"{OUR_TYPES}#rebuild-policy/v1"
REBUILT = "CODEX_WHEEL_REBUILT_IDENTICAL"
FROM_RELEASE = "CODEX_WHEEL_PAYLOAD_FROM_RELEASE"
PASSED = "PASSED"
FAILED = "FAILED"


def audit_statement(report: AuditReport, verdict: Verdict, *, auditor: Author) -> Statement:
    """State a verdict, a negative one as well.

    Args:
        report: The report that it is in.
        verdict: The answer for one wheel.
        auditor: Who ran the audit and answers for what is said.
    """
    return Statement(
        subjects=_subjects(verdict),
        predicate_type=PREDICATE_TYPE,
        predicate={
            "auditor": auditor.to_json(),
            "project": report.project,
            "channel": report.channel,
            "verdict": _lasting(to_json(verdict)),
        },
    )


def summary_statement(verdict: Verdict, *, project: str, auditor: Author) -> Statement | None:
    """Summarise a verdict for tools that read SLSA's summaries; None where the policy is not met.

    See https://slsa.dev/spec/v1.0/verification_summary. Levels of our own say what was
    verified; nothing is known of the levels of SLSA, which are about a build's platform.
    """
    if not meets_policy(verdict):
        return None
    return Statement(
        subjects=_subjects(verdict),
        predicate_type=SUMMARY_TYPE,
        predicate={
            "verifier": auditor.to_json(),
            "resourceUri": _purl(project, verdict),
            "policy": {"uri": POLICY},
            "verificationResult": PASSED,
            "verifiedLevels": [REBUILT, FROM_RELEASE],
        },
    )


def meets_policy(verdict: Verdict) -> bool:
    """Whether nothing stands against a wheel: same bytes, all from the release, and no error in it."""
    has_error = any(finding.severity is Severity.ERROR for finding in verdict.findings)
    is_looked_at = verdict.is_inspected and not has_error
    is_provenance_clear = verdict.provenance.state in {ProvenanceState.VERIFIED, ProvenanceState.NONE}
    is_rebuilt = verdict.outcome.is_same_bytes and verdict.has_whole_chain
    return is_rebuilt and is_looked_at and is_provenance_clear


def _subjects(verdict: Verdict) -> tuple[Subject, ...]:
    return (Subject(name=verdict.name, sha256=verdict.sha256),)


def _lasting(document: Mapping[str, object]) -> dict[str, object]:
    """Leave out what differs between two audits that agree, and texts that the wheel itself has."""
    texts = document["trust_base"]
    kept = {name: value for name, value in document.items() if name != "fetched_bytes"}
    if isinstance(texts, list):
        kept["trust_base"] = [
            {name: value for name, value in text.items() if name != "text"} for text in texts
        ]
    return kept


def _purl(project: str, verdict: Verdict) -> str:
    from packageurl import PackageURL  # noqa: PLC0415 - only this function needs it
    from packaging.utils import parse_wheel_filename  # noqa: PLC0415 - as above

    version = str(parse_wheel_filename(verdict.name)[1])
    qualifiers = {"file_name": verdict.name}
    return PackageURL(type="pypi", name=project, version=version, qualifiers=qualifiers).to_string()
