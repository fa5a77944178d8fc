"""State the verdict of an audit, and summarise it as SLSA does if the wheel passed."""

from collections.abc import Mapping

from factory.audit.answer import Answer
from factory.audit.origin import ListedOrigin
from factory.audit.verdict import AuditReport, MappingRef, Outcome, ProvenanceState, Verdict
from factory.core.codec import to_json
from factory.core.model import Severity
from factory.statements.statement import OUR_TYPES, Author, Statement, Subject

PREDICATE_TYPE = f"{OUR_TYPES}#audit-result/v2"
OLD_PREDICATE_TYPE = f"{OUR_TYPES}#audit-result/v1"
SUMMARY_TYPE = "https://slsa.dev/verification_summary/v1"
POLICY = f"{OUR_TYPES}#rebuild-policy/v2"
REBUILT = "CODEX_WHEEL_REBUILT_IDENTICAL"
FROM_RELEASE = "CODEX_WHEEL_PAYLOAD_FROM_RELEASE"
PASSED = "PASSED"
FAILED = "FAILED"


def audit_statement(report: AuditReport, verdict: Verdict, *, auditor: Author) -> Statement:
    """State a verdict, whether the wheel passed or not.

    Args:
        report: The report that contains the verdict.
        verdict: The verdict on one wheel.
        auditor: Who ran the audit.
    """
    return Statement(
        subjects=_subjects(verdict),
        predicate_type=PREDICATE_TYPE,
        predicate={
            "auditor": auditor.to_json(),
            "project": report.project,
            "channel": report.channel,
            **({} if report.mapping is None else {"mapping": to_json(report.mapping)}),
            "verdict": _reproducible(to_json(verdict)),
        },
    )


def summary_statement(
    verdict: Verdict, *, project: str, auditor: Author, mapping: MappingRef | None = None
) -> Statement | None:
    """Summarise a verdict for tools that read SLSA's summaries; return None if it is neither yes nor no.

    Only a wheel that an index lists gets a summary, because a summary is about a package of the index.
    See https://slsa.dev/spec/v1.0/verification_summary. The verified levels are our own: an audit
    cannot determine the levels of SLSA, which are about the build platform. They are about
    wheels of Codex, so a wheel that was compared by a mapping does not pass; by the auditor's own mapping it
    does not fail.
    """
    if mapping is not None and (not mapping.is_bundled or meets_policy(verdict)):
        return None
    is_different = verdict.answer is Answer.NO and _is_listed(verdict)
    if not meets_policy(verdict) and not is_different:
        return None
    return Statement(
        subjects=_subjects(verdict),
        predicate_type=SUMMARY_TYPE,
        predicate={
            "verifier": auditor.to_json(),
            "resourceUri": _purl(project, verdict),
            "policy": {"uri": POLICY},
            "verificationResult": FAILED if is_different else PASSED,
            "verifiedLevels": [] if is_different else [REBUILT, FROM_RELEASE],
        },
    )


def meets_policy(verdict: Verdict) -> bool:
    """Whether a listed wheel passed: same bytes, every executable from the release, and no error in it.

    The decision says so already; the facts that it rests on are compared again, because a report is a file.
    """
    has_error = any(finding.severity is Severity.ERROR for finding in verdict.findings)
    return (
        verdict.answer is Answer.PASSED
        and _is_listed(verdict)
        and verdict.outcome is Outcome.IDENTICAL
        and not any(cause.severity is Severity.ERROR for cause in verdict.causes)
        and verdict.has_whole_chain
        and verdict.is_inspected
        and not has_error
        and verdict.provenance.state in {ProvenanceState.VERIFIED, ProvenanceState.NONE}
    )


def _is_listed(verdict: Verdict) -> bool:
    """Whether an index lists the very SHA-256 of the wheel."""
    return isinstance(verdict.origin, ListedOrigin) and verdict.origin.sha256 == verdict.sha256


def _subjects(verdict: Verdict) -> tuple[Subject, ...]:
    return (Subject(name=verdict.name, sha256=verdict.sha256),)


def _reproducible(document: Mapping[str, object]) -> dict[str, object]:
    """Leave out values that differ between two equal audits, and texts that the wheel itself contains."""
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
