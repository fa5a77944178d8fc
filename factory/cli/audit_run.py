"""The run behind ``factory audit``: rebuild what an index serves, bit for bit, and say what it is."""

import argparse
import time

from factory.audit.context import AuditContext
from factory.audit.index import Listing
from factory.audit.local import audit_local
from factory.audit.report.html import render_html
from factory.audit.report.table import HEADINGS, summary, told_causes, verdict_row
from factory.audit.results import Results, identity_of, report_json
from factory.audit.run import AuditProgress, audit_listing
from factory.audit.selection import Selection
from factory.audit.verdict import AuditReport, Verdict
from factory.cli.cache import parse_size
from factory.cli.console import Column, print_json, print_table, say
from factory.cli.indexes import ask_index
from factory.cli.session import Session, open_session
from factory.cli.settings import Settings
from factory.core.errors import EXIT_AUDIT_DIFFERS, EXIT_INCONCLUSIVE, EXIT_OK, UsageError
from factory.core.tags import CodexTag
from factory.release.channels import Channel
from factory.system.files import TEMPORARY_PREFIX, atomic_write
from factory.system.scratch import scratch_directory


def run_audit(arguments: argparse.Namespace) -> int:
    """Audit what the options name and show the report."""
    selection = _selection(arguments)
    with open_session(arguments, Settings.from_environ(), jobs=arguments.jobs) as session:
        listing = _listing(arguments, session)
        # On the results' disk; what rebuilt wheels it has goes with each release.
        with scratch_directory(arguments.out.absolute(), f"{TEMPORARY_PREFIX}audit-") as scratch:
            context = AuditContext(
                tools=session.context,
                channel=session.channel,
                scratch=scratch,
                cache_limit_bytes=parse_size(arguments.cache_limit),
            )
            report = _audit(arguments, selection, listing, context)
    return _show(report, arguments)


def _selection(arguments: argparse.Namespace) -> Selection:
    if not arguments.tags and not arguments.all and not arguments.wheel:
        raise UsageError(
            "no release or wheel given",
            hint="Name releases (rust-v0.163.0 ...), or give --all or --wheel FILE.",
        )
    return Selection(
        tags=None if arguments.all else tuple(CodexTag.parse(text) for text in arguments.tags),
        since=None if arguments.since is None else CodexTag.parse(arguments.since),
        platforms=None if arguments.platform is None else tuple(arguments.platform),
    )


def _listing(arguments: argparse.Namespace, session: Session) -> Listing:
    if arguments.no_index:
        return Listing(project=arguments.project, wheels=(), unexpected=())
    return ask_index(
        arguments.index_url,
        session.settings,
        project=arguments.project,
        client=session.context.downloader.client,
        runner=session.context.runner,
    )


def _audit(
    arguments: argparse.Namespace, selection: Selection, listing: Listing, context: AuditContext
) -> AuditReport:
    results = _results(arguments, context.channel)
    clock = _Clock()
    progress = AuditProgress(verdict=_tell_verdict, release=clock.tell_release)
    if arguments.wheel:
        return audit_local(arguments.wheel, listing, context, done=progress.verdict)
    return audit_listing(listing, selection, context, results=results, progress=progress)


def _results(arguments: argparse.Namespace, channel: Channel) -> Results:
    identity = {
        **identity_of(project=arguments.project, channel=channel.name),
        **({"run": str(time.time_ns())} if arguments.fresh else {}),
    }
    return Results(arguments.out, identity=identity)


def _tell_verdict(verdict: Verdict) -> None:
    say(f"{verdict.outcome}: {verdict.name}" + (f" ({verdict.reason})" if verdict.reason else ""))


class _Clock:
    """Tells how far an audit of many releases is, and how long the rest may take."""

    def __init__(self) -> None:
        self._start_s = time.monotonic()

    def tell_release(self, version: str, done: int, total: int) -> None:
        """Say which release is next."""
        spent_s = time.monotonic() - self._start_s
        rest = f", about {spent_s / done * (total - done) / 60:.0f} min left" if done else ""
        say(f"[{done + 1}/{total}] {version}{rest}")


def _show(report: AuditReport, arguments: argparse.Namespace) -> int:
    if arguments.html is not None:
        atomic_write(arguments.html, render_html(report).encode("utf-8", "backslashreplace"))
        say(f"wrote {arguments.html}")
    if arguments.json:
        print_json(report_json(report))
    else:
        print_table(
            [Column(heading=heading) for heading in HEADINGS], [verdict_row(v) for v in report.verdicts]
        )
        for line in told_causes(report):
            print(line)
        say(summary(report))
    if report.is_different:
        return EXIT_AUDIT_DIFFERS
    return EXIT_INCONCLUSIVE if report.is_inconclusive else EXIT_OK
