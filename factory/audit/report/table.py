"""An audit's answers as rows and lines for a terminal."""

from collections import Counter
from collections.abc import Iterator

from factory.audit.signer_history import signer_changes
from factory.audit.verdict import AuditReport, Outcome, ProvenanceState, Verdict, first_breaks
from factory.core.model import Severity
from factory.core.trust_level import Level

HEADINGS = ("wheel", "outcome", "payload", "authorship", "verify", "provenance", "fetched", "why")


def verdict_row(verdict: Verdict) -> tuple[str, ...]:
    """Return one wheel's row."""
    return (
        verdict.name,
        verdict.outcome.value,
        chain_word(verdict),
        authorship_word(verdict),
        findings_word(verdict),
        provenance_word(verdict),
        f"{verdict.fetched_bytes / 1000:.0f} kB",
        verdict.reason or ", ".join(dict.fromkeys(cause.id for cause in verdict.causes)),
    )


def chain_word(verdict: Verdict) -> str:
    """Say in a word or two where a wheel's executables come from."""
    if not verdict.chain:
        return "unknown"
    from_release = sum(link.asset is not None for link in verdict.chain)
    return f"{from_release} of {len(verdict.chain)} from the release"


def authorship_word(verdict: Verdict) -> str:
    """Say in a word or two of how many executables the author is proved."""
    if not verdict.is_inspected:
        return "not looked at"
    proved = sum(assessment.level is Level.AUTHORSHIP_VERIFIED for assessment in verdict.assessments)
    return f"{proved} of {len(verdict.assessments)} proved"


def findings_word(verdict: Verdict) -> str:
    """Count what ``factory verify`` found; where it did not look, say that."""
    if not verdict.is_inspected:
        return "not looked at"
    counts = Counter(finding.severity for finding in verdict.findings)
    told = [
        f"{count} {severity}{'s' if count > 1 else ''}"
        for severity in Severity
        if (count := counts[severity])
    ]
    return ", ".join(told) or "nothing found"


def provenance_word(verdict: Verdict) -> str:
    """Say in some words what the index serves about who published a wheel."""
    served = verdict.provenance
    if served.state is ProvenanceState.VERIFIED:
        return f"published by {', '.join(served.publishers)}"
    return served.state.value.replace("-", " ")


def told_causes(report: AuditReport) -> Iterator[str]:
    """Yield the causes of every wheel that is not plainly identical, one paragraph each."""
    for verdict in report.verdicts:
        for cause in verdict.causes:
            yield f"\n{verdict.name}: {cause.severity}: {cause.id}: {cause.place}\n  {cause.sentence}"
            yield "\n".join(f"    {line}" for line in cause.evidence.splitlines())


def summary(report: AuditReport) -> str:
    """Say in one paragraph how an audit ended."""
    counts = Counter(verdict.outcome for verdict in report.verdicts)
    told = ", ".join(f"{counts[outcome]} {outcome}" for outcome in Outcome if counts[outcome])
    lines = [f"{len(report.verdicts)} wheels of {report.project}: {told or 'none'}"]
    lines += [f"not on the index: {name}" for name in report.absent]
    lines += [f"unexpected: {file.name}: {file.reason}" for file in report.unexpected]
    lines += [
        f"FIRST BREAK: {verdict.name} is {verdict.outcome}; earlier ones of {verdict.platform} were identical"
        for verdict in first_breaks(report.verdicts)
    ]
    lines += [
        f"SIGNER CHANGED: {change.wheel}: {change.member}: {change.now} signed, before it {change.before}"
        for change in signer_changes(report.verdicts)
    ]
    return "\n".join(lines)
