"""The verdicts of an audit as table rows and lines for a terminal."""

from collections import Counter
from collections.abc import Iterator

from factory.audit.origin import origin_word
from factory.audit.signer_history import signer_changes
from factory.audit.verdict import AuditReport, Cause, Outcome, ProvenanceState, Verdict, first_breaks
from factory.core.codec import format_utc
from factory.core.counted import counted
from factory.core.model import Severity
from factory.core.trust_level import Level

NARROW_HEADINGS = ("release", "platform", "outcome", "verify", "why")
HEADINGS = ("wheel", "origin", "outcome", "payload", "authorship", "verify", "provenance", "fetched", "why")


def verdict_row(verdict: Verdict) -> tuple[str, ...]:
    """Return the row of one wheel."""
    return (
        verdict.name,
        origin_word(verdict.origin),
        verdict.outcome.value,
        chain_word(verdict),
        authorship_word(verdict),
        findings_word(verdict),
        provenance_word(verdict),
        f"{verdict.fetched_bytes / 1000:.0f} kB",
        verdict.reason or ", ".join(dict.fromkeys(cause.id for cause in verdict.causes)),
    )


def narrow_row(verdict: Verdict) -> tuple[str, ...]:
    """Return the row of one wheel for a terminal of 80 columns."""
    why = verdict.reason or ", ".join(dict.fromkeys(cause.id for cause in verdict.causes))
    return (verdict.tag, verdict.platform, verdict.outcome.value, findings_word(verdict), why)


def chain_word(verdict: Verdict) -> str:
    """Count the executables that come from the release."""
    if not verdict.chain:
        return "unknown"
    from_release = sum(link.asset is not None for link in verdict.chain)
    return f"{from_release} of {len(verdict.chain)} from the release"


def authorship_word(verdict: Verdict) -> str:
    """Count the executables with verified authorship."""
    if not verdict.is_inspected:
        return "not inspected"
    verified = sum(assessment.level is Level.AUTHORSHIP_VERIFIED for assessment in verdict.assessments)
    return f"{verified} of {len(verdict.assessments)} verified"


def findings_word(verdict: Verdict) -> str:
    """Count the findings of ``factory verify`` by severity."""
    if not verdict.is_inspected:
        return "not inspected"
    counts = Counter(finding.severity for finding in verdict.findings)
    found = (counted(counts[severity], severity.value) for severity in Severity if counts[severity])
    return ", ".join(found) or "no findings"


def provenance_word(verdict: Verdict) -> str:
    """Return who published a wheel, or the state of its provenance."""
    served = verdict.provenance
    if served.state is ProvenanceState.VERIFIED:
        return f"published by {', '.join(served.publishers)}"
    return served.state.value.replace("-", " ")


def cause_lines(report: AuditReport) -> Iterator[str]:
    """Yield the causes of all wheels, one paragraph for each sentence about a wheel."""
    for verdict in report.verdicts:
        groups: dict[tuple[str, str, str], list[Cause]] = {}
        for cause in verdict.causes:
            groups.setdefault((cause.severity, cause.id, cause.sentence), []).append(cause)
        for (severity, id_, sentence), causes in groups.items():
            place = causes[0].place if len(causes) == 1 else counted(len(causes), "place")
            yield f"\n{verdict.name}: {severity}: {id_}: {place}\n  {sentence}"
            for cause in causes:
                evidence = cause.evidence if len(causes) == 1 else f"{cause.place}: {cause.evidence}"
                yield "\n".join(f"    {line}" for line in evidence.splitlines())


def asked_line(report: AuditReport) -> str:
    """Return which index was asked, and when."""
    if report.index is None or report.asked_at is None:
        return "index: none was asked"
    return f"index: {report.index}, asked at {format_utc(report.asked_at)}"


def audited_line(report: AuditReport) -> str:
    """Return how many wheels of which project were audited."""
    return f"{counted(len(report.verdicts), 'wheel')} of {report.project}"


def summary(report: AuditReport) -> str:
    """Summarise an audit in one paragraph."""
    counts = Counter(verdict.outcome for verdict in report.verdicts)
    outcomes = ", ".join(f"{counts[outcome]} {outcome}" for outcome in Outcome if counts[outcome])
    lines = [audited_line(report) + (f": {outcomes}" if outcomes else "")]
    lines += [asked_line(report)]
    lines += [] if report.mapping is None else [f"mapping: {report.mapping.sentence}"]
    lines += list(report.absent)
    lines += [f"unexpected: {file.name}: {file.reason}" for file in report.unexpected]
    open_reasons = Counter(
        verdict.provenance.reason
        for verdict in report.verdicts
        if verdict.provenance.state is ProvenanceState.NOT_JUDGED
    )
    lines += [
        f"NOT JUDGED: the provenance of {counted(count, 'wheel')}: {reason}"
        for reason, count in open_reasons.items()
    ]
    lines += [
        f"FIRST BREAK: {verdict.name} is {verdict.outcome};"
        f" an earlier one for {verdict.platform} was IDENTICAL"
        for verdict in first_breaks(report.verdicts)
    ]
    lines += [
        f"SIGNER CHANGED: {change.wheel}: {change.member}: from {change.before} to {change.now}"
        for change in signer_changes(report.verdicts)
    ]
    return "\n".join(lines)
