"""The run behind ``factory audit``: rebuild what an index serves, bit for bit, and say what it is."""

import argparse
import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from factory.audit.cases import AuditWorkshop
from factory.audit.history import NothingNamed, Selection, Steps, audit_listing
from factory.audit.index import Listing
from factory.audit.local import audit_local
from factory.audit.report.html import render_html
from factory.audit.report.table import HEADINGS, summary, told_causes, verdict_row
from factory.audit.results import Results, identity_of, report_json
from factory.audit.verdict import AuditReport, Verdict
from factory.channels import Channel
from factory.channels.remembered import RememberingChannel
from factory.cli.cache import parse_size
from factory.cli.channel_options import asking_npm, open_channel
from factory.cli.console import Column, print_json, print_table, say, shown_progress
from factory.cli.indexes import ask_index
from factory.cli.settings import Settings
from factory.cli.workshops import open_workshop
from factory.download import Downloader
from factory.errors import EXIT_AUDIT_DIFFERS, EXIT_INCONCLUSIVE, EXIT_OK
from factory.files import TEMPORARY_PREFIX, atomic_write, writing
from factory.http import HttpClient, RequestsClient
from factory.process import Runner, SubprocessRunner
from factory.store import Store
from factory.tags import CodexTag


def run_audit(arguments: argparse.Namespace) -> int:
    """Audit what the options name and show the report."""
    selection = _selection(arguments)
    settings = Settings.from_environ()
    stop = threading.Event()
    runner = SubprocessRunner(stop)
    store = Store(settings.cache_dir)
    with (
        closing(RequestsClient()) as client,
        asking_npm(arguments, settings, runner, stop=stop) as npm_registry,
    ):
        asked = open_channel(arguments, settings, client=client, npm_registry=npm_registry)
        channel = RememberingChannel(asked, store, refresh=arguments.refresh)
        listing = _listing(arguments, settings, client=client, runner=runner)
        with shown_progress() as progress, _scratch(arguments.out) as scratch:
            tools = open_workshop(
                settings,
                downloader=Downloader(store=store, client=client, progress=progress),
                runner=runner,
                jobs=arguments.jobs,
                stop=stop,
            )
            workshop = AuditWorkshop(
                tools=tools,
                channel=channel,
                scratch=scratch,
                cache_limit_bytes=parse_size(arguments.cache_limit),
            )
            report = _audit(arguments, selection, listing, workshop)
    return _show(report, arguments)


def _selection(arguments: argparse.Namespace) -> Selection:
    if not arguments.tags and not arguments.all and not arguments.wheel:
        raise NothingNamed
    return Selection(
        tags=None if arguments.all else tuple(CodexTag.parse(text) for text in arguments.tags),
        since=None if arguments.since is None else CodexTag.parse(arguments.since),
        platforms=None if arguments.platform is None else tuple(arguments.platform),
    )


def _listing(
    arguments: argparse.Namespace, settings: Settings, *, client: HttpClient, runner: Runner
) -> Listing:
    if arguments.no_index:
        return Listing(project=arguments.project, wheels=(), unexpected=())
    return ask_index(arguments.index_url, settings, project=arguments.project, client=client, runner=runner)


def _audit(
    arguments: argparse.Namespace, selection: Selection, listing: Listing, workshop: AuditWorkshop
) -> AuditReport:
    results = _results(arguments, workshop.channel)
    clock = _Clock()
    steps = Steps(verdict=_tell_verdict, release=clock.tell_release)
    if arguments.wheel:
        return audit_local(arguments.wheel, listing, workshop, done=steps.verdict)
    return audit_listing(listing, selection, workshop, results=results, steps=steps)


def _results(arguments: argparse.Namespace, channel: Channel) -> Results:
    identity = {
        **identity_of(project=arguments.project, channel=channel.name),
        **({"run": str(time.time_ns())} if arguments.fresh else {}),
    }
    return Results(arguments.out, identity=identity)


@contextmanager
def _scratch(out: Path) -> Iterator[Path]:
    """Give a directory on the results' disk; what rebuilt wheels it has goes with each release."""
    scratch = out.absolute() / f"{TEMPORARY_PREFIX}{os.getpid()}"
    with writing(scratch):
        scratch.mkdir(parents=True)
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


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
