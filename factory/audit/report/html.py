"""Render an audit as one self-contained HTML page, without scripts, fonts or external resources."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from factory import __version__
from factory.audit.answer import Status
from factory.audit.origin import origin_sentence
from factory.audit.report.history import history
from factory.audit.report.problems import problems, repeat_command
from factory.audit.report.table import (
    asked_line,
    audited_line,
    authorship_word,
    chain_word,
    findings_word,
    provenance_word,
)
from factory.audit.report.texts import seen_texts
from factory.audit.signer_history import signer_changes
from factory.audit.verdict import AuditReport, Cause, Outcome, Verdict, first_breaks
from factory.core.codec import format_utc
from factory.core.model import Finding
from factory.verify.catalogue import by_id
from factory.verify.output.page_template import page_template


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixRow:
    """One release: a cell for each platform, None if the release has no wheel for it."""

    release: str
    cells: tuple[Verdict | None, ...]


def render_html(report: AuditReport) -> str:
    """Render a report as a page."""
    platforms = tuple(sorted({verdict.platform for verdict in report.verdicts}))
    return page_template("factory.audit.report", "page.html").render(
        report=report,
        version=__version__,
        platforms=platforms,
        rows=matrix(report, platforms),
        outcomes=tuple(Outcome),
        counts={
            outcome: sum(verdict.outcome is outcome for verdict in report.verdicts) for outcome in Outcome
        },
        problems=problems(report),
        command=repeat_command(report),
        checks=by_id(),
        by_severity=_by_severity,
        breaks=first_breaks(report.verdicts),
        texts=seen_texts(report.verdicts),
        changes=signer_changes(report.verdicts),
        chart=history(report),
        statuses=tuple(Status),
        asked_line=asked_line(report),
        audited_line=audited_line(report),
        authorship_word=authorship_word,
        format_utc=format_utc,
        chain_word=chain_word,
        findings_word=findings_word,
        origin_sentence=origin_sentence,
        provenance_word=provenance_word,
    )


SeverityT = TypeVar("SeverityT", Cause, Finding)


def _by_severity(things: Sequence[SeverityT]) -> list[SeverityT]:
    """Return causes or findings, errors first."""
    return sorted(things, key=lambda thing: thing.severity.position)


def matrix(report: AuditReport, platforms: tuple[str, ...]) -> tuple[MatrixRow, ...]:
    """Arrange the verdicts by release and platform, the newest release first."""
    by_place = {(verdict.tag, verdict.platform): verdict for verdict in report.verdicts}
    releases = list(dict.fromkeys(verdict.tag for verdict in report.verdicts))
    return tuple(
        MatrixRow(release=release, cells=tuple(by_place.get((release, platform)) for platform in platforms))
        for release in reversed(releases)
    )
