"""``factory audit``: rebuild published wheels bit for bit and report what they are."""

import argparse
import json
import sys
import time
from dataclasses import replace
from pathlib import Path

from factory.audit.context import AuditContext
from factory.audit.index import Listing
from factory.audit.local import audit_local
from factory.audit.report.badge import render_badge
from factory.audit.report.html import render_html
from factory.audit.report.sarif import audit_sarif
from factory.audit.report.table import (
    HEADINGS,
    NARROW_HEADINGS,
    cause_lines,
    narrow_row,
    summary,
    verdict_row,
)
from factory.audit.results import Results, identity_of, report_json
from factory.audit.run import AuditProgress, audit_listing
from factory.audit.selection import Selection
from factory.audit.verdict import AuditReport, Verdict
from factory.cli.acceptances import Acceptances, add_acceptance_options
from factory.cli.audited_project import AuditedProject, add_project_options
from factory.cli.console import Column, print_json, say
from factory.cli.display import print_table
from factory.cli.formats import Format, add_format_options, print_markdown, write_form
from factory.cli.index import add_index_option, ask_index
from factory.cli.options import (
    add_channel_options,
    add_jobs_option,
    add_refresh_option,
    parse_size,
)
from factory.cli.session import Session, open_session
from factory.cli.settings import Settings
from factory.core.errors import UsageError
from factory.core.printable import escaped_lines
from factory.release.channels import Channel
from factory.system.files import TEMPORARY_PREFIX
from factory.system.scratch import scratch_directory
from factory.verify.baseline.baseline_file import bundled_baseline
from factory.verify.baseline.executables_file import bundled_executables
from factory.verify.output.page_template import require_renderer

EPILOG = """\
examples:
  factory audit rust-v0.163.0
  factory audit 0.163.0 --platform win_amd64 --format json
  factory audit --all --since 0.131.0 --format html --output audit.html
  factory audit --wheel openai_codex_cli_bin-0.163.0-py3-none-win_amd64.whl
  factory audit --project deno 2.9.6 --platform macosx_11_0_arm64
  factory audit --mapping hugo.toml 0.150.0
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "tags",
        metavar="CODEX_TAG",
        nargs="*",
        help="releases: rust-v0.163.0, 0.154.0a1, ...; with --project, versions of that project",
    )
    what = parser.add_argument_group("what to audit")
    what.add_argument("--all", action="store_true", help="all releases on the index")
    what.add_argument("--since", metavar="CODEX_TAG", help="with --all: skip the releases before this one")
    what.add_argument(
        "--platform", action="append", metavar="TAG", help="only wheels of this platform (repeatable)"
    )
    add_project_options(what)
    what.add_argument(
        "--wheel",
        action="append",
        type=Path,
        metavar="FILE",
        help="a local file; it is compared with the index's wheel of that name, if any (repeatable)",
    )
    add_index_option(what)
    what.add_argument("--no-index", action="store_true", help="with --wheel: do not use an index")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("audit"),
        metavar="DIR",
        help="write the verdicts to DIR, and use those that are there (default: audit)",
    )
    add_jobs_option(parser, "tasks")
    parser.add_argument("--fresh", action="store_true", help="audit again, ignoring the verdicts in --out")
    add_refresh_option(parser)
    parser.add_argument(
        "--cache-limit",
        default="8GB",
        metavar="SIZE",
        help="size of the packages and compressed files to keep in the cache after each release"
        " (default: %(default)s)",
    )
    add_format_options(
        parser, Format.MARKDOWN, Format.HTML, Format.SARIF, Format.BADGE, json="docs/audit.schema.json"
    )
    # Beside --format, for runs that need two forms of one audit.
    for option in ("--html", "--sarif"):
        parser.add_argument(option, type=Path, metavar="FILE", help=argparse.SUPPRESS)
    add_acceptance_options(parser)
    add_channel_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    if arguments.html is not None or arguments.format == Format.HTML:
        require_renderer()  # before the audit, which may take hours
    project = AuditedProject.parse(arguments)
    selection = _selection(arguments, project)
    acceptances = Acceptances.parse(arguments)
    acceptances = replace(acceptances, known=project.known(acceptances.known))
    settings = Settings.from_environ()
    with open_session(arguments, settings, jobs=arguments.jobs, scope=project.mapping.scope) as session:
        listing = project.wheels_in(_listing(arguments, session, project.name), selection)
        # On the disk of the results: the rebuilt wheels of a release are 1 GB, too much for a /tmp in memory.
        with scratch_directory(arguments.out.absolute(), f"{TEMPORARY_PREFIX}audit-") as scratch:
            context = AuditContext(
                tools=session.context,
                channel=session.channel,
                scratch=scratch,
                baseline=bundled_baseline().accepting(acceptances.texts),
                executables=bundled_executables(),
                cache_limit_bytes=parse_size(arguments.cache_limit),
            )
            audited = _audit(arguments, selection, listing, context, project)
            report = project.named_in(acceptances.known.accept_in(audited))
    _show(report, arguments)
    acceptances.require_used(report, selection)
    return report.exit_status


def _selection(arguments: argparse.Namespace, project: AuditedProject) -> Selection:
    if not arguments.tags and not arguments.all and not arguments.wheel:
        raise UsageError(
            "no release or wheel given",
            hint="Name releases (rust-v0.163.0 ...), or give --all or --wheel FILE.",
        )
    return Selection(
        tags=None if arguments.all else tuple(project.release(text) for text in arguments.tags),
        since=None if arguments.since is None else project.release(arguments.since),
        platforms=None if arguments.platform is None else tuple(arguments.platform),
    )


def _listing(arguments: argparse.Namespace, session: Session, project: str) -> Listing:
    if arguments.no_index:
        return Listing(project=project, asked=None, wheels=(), unexpected=())
    if arguments.offline is not None:
        raise UsageError(
            "--offline opens no connection, so no index can be asked",
            hint="For an audit of local files add --wheel FILE --no-index; or leave --offline out.",
        )
    return ask_index(
        arguments.index_url,
        session.settings,
        project=project,
        client=session.context.downloader.client,
    )


def _audit(
    arguments: argparse.Namespace,
    selection: Selection,
    listing: Listing,
    context: AuditContext,
    project: AuditedProject,
) -> AuditReport:
    auditor = project.auditor(context)
    progress = AuditProgress(verdict=_print_verdict, release=_Clock().print_release)
    if arguments.wheel:
        return audit_local(arguments.wheel, listing, auditor, context, done=progress.verdict)
    results = _results(arguments, listing, context.channel, project)
    return audit_listing(listing, selection, auditor, context, results=results, progress=progress)


def _results(
    arguments: argparse.Namespace, listing: Listing, channel: Channel, project: AuditedProject
) -> Results:
    identity = {
        **identity_of(listing=listing, channel=channel.name, mapping=project.ref),
        # An identity of its own matches no verdict of an earlier run.
        **({"run": str(time.time_ns())} if arguments.fresh else {}),
    }
    return Results(arguments.out, identity=identity)


def _print_verdict(verdict: Verdict) -> None:
    say(f"{verdict.outcome}: {verdict.name}" + (f" ({verdict.reason})" if verdict.reason else ""))


class _Clock:
    """Print how far an audit of many releases is, and how long the rest may take."""

    def __init__(self) -> None:
        self._start_s = time.monotonic()

    def print_release(self, version: str, done: int, total: int) -> None:
        """Print the release that is audited next."""
        spent_s = time.monotonic() - self._start_s
        rest = f", about {spent_s / done * (total - done) / 60:.0f} min left" if done else ""
        say(f"[{done + 1}/{total}] {version}{rest}")


def _show(report: AuditReport, arguments: argparse.Namespace) -> None:
    if arguments.html is not None:
        write_form(arguments.html, render_html(report))
    if arguments.sarif is not None:
        write_form(arguments.sarif, json.dumps(audit_sarif(report), indent=2, ensure_ascii=False) + "\n")
    match Format(arguments.format):
        case Format.JSON:
            print_json(report_json(report))
        case Format.HTML:
            print(render_html(report), end="")
        case Format.SARIF:
            print_json(audit_sarif(report))
        case Format.BADGE:
            print(render_badge(report), end="")
        case Format.MARKDOWN:
            rows = [verdict_row(verdict) for verdict in report.verdicts]
            print_markdown([Column(heading=heading) for heading in HEADINGS], rows)
            say(summary(report))
        case _:
            _show_table(report)


def _show_table(report: AuditReport) -> None:
    # A terminal shows what fits into 80 columns; a pipe gets everything.
    is_narrow = sys.stdout.isatty()
    headings, row = (NARROW_HEADINGS, narrow_row) if is_narrow else (HEADINGS, verdict_row)
    print_table([Column(heading=heading) for heading in headings], [row(v) for v in report.verdicts])
    for line in cause_lines(report):
        print(escaped_lines(line))
    say(summary(report))
