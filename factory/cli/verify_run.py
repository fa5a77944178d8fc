"""The run of ``factory verify``: options to values, values to a report, the report to its outputs."""

import argparse
import json
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

from factory.cli.console import print_json, say, shown_progress
from factory.cli.findings import show_report
from factory.cli.host import this_host
from factory.cli.settings import Settings
from factory.cli.waiver_options import waivers_of
from factory.core.errors import EXIT_INCONCLUSIVE, EXIT_OK, VerificationError
from factory.executables.signatures.policy import TrustPolicy
from factory.executables.signatures.requirement import Requirement
from factory.system.files import atomic_write
from factory.system.parallel import usable_cores
from factory.system.process import SubprocessRunner
from factory.verify.examine import VerifyContext, WheelGroup, examine
from factory.verify.inputs import find_wheels
from factory.verify.output.findings_json import findings_document
from factory.verify.output.report import Report, RunStatus
from factory.verify.output.sarif import sarif_document
from factory.verify.stock.stock_tools import StockTools, installed_tools
from factory.verify.waivers import Waiver, require_used

_STDOUT = "-"


def run_verify(arguments: argparse.Namespace) -> int:
    """Judge what was named, show it, and return the exit status.

    Raises:
        UnusedWaiver: A waiver covers nothing; findings are shown all the same.
    """
    waivers = waivers_of(arguments)
    groups = find_wheels(arguments.paths)
    settings = Settings.from_environ()
    with tempfile.TemporaryDirectory(prefix="factory-verify-", ignore_cleanup_errors=True) as scratch:
        report = _examine(groups, arguments, settings, Path(scratch), waivers)
    _show(report, arguments)
    if report.status is not RunStatus.REJECTED:
        require_used(report.unused)
    return exit_status(report.status)


def _examine(
    groups: Sequence[WheelGroup],
    arguments: argparse.Namespace,
    settings: Settings,
    scratch: Path,
    waivers: Sequence[Waiver],
) -> Report:
    stop = threading.Event()
    runner = SubprocessRunner(stop)
    tools = StockTools(
        runner=runner, installed=installed_tools(), search_path=settings.environ.get("PATH", "")
    )
    with shown_progress() as progress:
        context = VerifyContext(
            runner=runner,
            progress=progress,
            scratch=scratch,
            jobs=arguments.jobs or usable_cores(),
            stop=stop,
            stock_tools=None if arguments.no_stock_tools else tools,
            host=this_host(settings, musl_root=arguments.musl_root) if arguments.smoke else None,
            trust=TrustPolicy(required=Requirement.parse(arguments.require_authorship)),
        )
        return examine(groups, context, waivers=waivers)


def _show(report: Report, arguments: argparse.Namespace) -> None:
    if arguments.sarif == _STDOUT:
        print_json(sarif_document(report))
        return
    if arguments.sarif is not None:
        text = json.dumps(sarif_document(report), indent=2, ensure_ascii=False) + "\n"
        atomic_write(Path(arguments.sarif), text.encode("utf-8", "backslashreplace"))
        say(f"wrote {arguments.sarif}")
    if arguments.json:
        print_json(findings_document(report))
    else:
        show_report(report)


def exit_status(status: RunStatus) -> int:
    """Return how a command ends that gives this answer."""
    match status:
        case RunStatus.PASSED:
            return EXIT_OK
        case RunStatus.REJECTED:
            return VerificationError.exit_code
        case RunStatus.INCONCLUSIVE:
            return EXIT_INCONCLUSIVE
