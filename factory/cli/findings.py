"""Show a report: a block for each wheel on a terminal, a line for each finding in a pipe."""

import sys
from collections.abc import Iterator
from itertools import groupby

from factory.cli.console import Column, say
from factory.cli.display import print_table
from factory.cli.formats import print_markdown
from factory.core.counted import counted
from factory.core.errors import EXIT_INCONCLUSIVE, EXIT_OK, VerificationError
from factory.core.model import Finding, Severity
from factory.verify.output.report import MISSING_PLATFORM, CheckResults, Report, RunStatus, WheelReport
from factory.verify.smoke import SmokeOutcome

_WAIVED = "waived"
_FIELDS = ("wheel", "severity", "check", "place", "evidence", "remedy", "reason")


def exit_status(status: RunStatus) -> int:
    """Return the exit status of a command with this status."""
    match status:
        case RunStatus.PASSED:
            return EXIT_OK
        case RunStatus.REJECTED | RunStatus.INCOMPLETE:
            return VerificationError.exit_code
        case RunStatus.INCONCLUSIVE:
            return EXIT_INCONCLUSIVE


def show_report(report: Report, *, as_markdown: bool = False) -> None:
    """Print the findings, the wheels and checks that were skipped, and the counts."""
    if as_markdown:
        print_markdown([Column(heading=field) for field in _FIELDS], list(_lines(report)))
    elif sys.stdout.isatty():
        _draw(report)
    else:
        print_table([Column(heading=field) for field in _FIELDS], list(_lines(report)))
    for wheel in report.wheels:
        for line in _not_checked(wheel):
            say(f"{wheel.name}: {line}")
    for waiver in report.unused:
        say(f"no finding matches the waiver {waiver.check}:{waiver.pattern}")
    say(_closing_line(report))
    if report.status is RunStatus.INCOMPLETE:
        say(
            "no file has an error, but the release lacks the wheels of"
            f" {counted(report.missing_platforms, 'platform')}\n"
            f"hint: to accept a part, add --allow '{MISSING_PLATFORM}:*=REASON'"
        )


def _draw(report: Report) -> None:
    from factory.cli.drawing import draw_findings  # noqa: PLC0415 - rich is slow to import

    parts = [(wheel.name, wheel.results) for wheel in report.wheels]
    parts += [(f"across {release.path}", release.results) for release in report.releases]
    for title, results in parts:
        draw_findings(title, list(_rows(results)))


def _rows(results: CheckResults) -> Iterator[tuple[str, str, str, str]]:
    """Yield severity, check, findings and remedy, one row for each check."""
    found = [(finding, finding.severity.value, finding.remedy) for finding in results.findings]
    found += [(waived.finding, _WAIVED, f"accepted: {waived.reason}") for waived in results.waived]
    rows: dict[tuple[str, str, str], list[Finding]] = {}
    for finding, severity, conclusion in found:
        rows.setdefault((severity, finding.check, conclusion), []).append(finding)
    for (severity, check, conclusion), findings in sorted(rows.items(), key=lambda row: _weight(row[0][0])):
        places = groupby(findings, key=lambda finding: finding.place)
        text = "\n".join("\n".join((place, *(one.evidence for one in group))) for place, group in places)
        yield severity, check, text, conclusion


def _weight(severity: str) -> int:
    return (*Severity, _WAIVED).index(severity)


def _lines(report: Report) -> Iterator[tuple[str, ...]]:
    parts = [(wheel.name, wheel.results) for wheel in report.wheels]
    parts += [(release.path, release.results) for release in report.releases]
    for name, results in parts:
        for finding in results.findings:
            yield (name, finding.severity.value, *_fields(finding), "")
        for waived in results.waived:
            yield (name, _WAIVED, *_fields(waived.finding), waived.reason)


def _fields(finding: Finding) -> tuple[str, ...]:
    return finding.check, finding.place, finding.evidence, finding.remedy


def _not_checked(wheel: WheelReport) -> Iterator[str]:
    if wheel.not_looked_at is not None:
        yield f"NOT CHECKED: {wheel.not_looked_at}"
    stock = wheel.stock_report
    if stock is not None and stock.not_run is not None:
        state = "FAILED" if stock.is_broken else "NOT RUN"
        yield f"{stock.tool} {state}: {stock.not_run}"
    if wheel.smoke is not None and wheel.smoke.outcome is SmokeOutcome.RAN:
        yield f"smoke test passed: {wheel.smoke.detail}"
    if wheel.smoke is not None and wheel.smoke.outcome is SmokeOutcome.NOT_RUN:
        yield f"smoke test NOT RUN: {wheel.smoke.detail}"


def _closing_line(report: Report) -> str:
    wheels = counted(len(report.wheels), "wheel")
    counts = ", ".join(counted(count, severity.value) for severity, count in report.counts.items())
    return f"{report.status.value}: {wheels}, {counts}, {report.waived_count} waived"
