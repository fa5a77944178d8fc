"""``factory verify``: check wheels and report findings."""

import argparse
import json
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

from factory.cli.console import print_json
from factory.cli.display import shown_progress
from factory.cli.findings import exit_status, show_report
from factory.cli.formats import Format, add_format_options, write_form
from factory.cli.host import this_host
from factory.cli.options import add_authorship_option, add_jobs_option, add_waiver_options, waivers_of
from factory.cli.settings import Settings
from factory.executables.signatures.policy import TrustPolicy
from factory.executables.signatures.requirement import Requirement
from factory.system.parallel import usable_cores
from factory.system.process import SubprocessRunner
from factory.verify.examine import VerifyContext, examine
from factory.verify.inputs import WheelGroup, find_wheels
from factory.verify.output.findings_json import findings_document
from factory.verify.output.html import render_findings
from factory.verify.output.page_template import require_renderer
from factory.verify.output.report import Report, RunStatus
from factory.verify.output.sarif import sarif_document
from factory.verify.reading.unpack import DEFAULT_LIMITS
from factory.verify.stock.stock_tools import StockTools, installed_tools
from factory.verify.waivers import Waiver, require_used

EPILOG = """\
examples:
  factory verify dist/0.163.0
  factory verify dist/0.163.0/manifest.json --format json
  factory verify some.whl --allow 'package-typed:*=this era had no marker'
  factory verify some.whl --smoke
  factory verify dist/0.163.0 --format sarif --output findings.sarif
"""
_STDOUT = "-"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "paths",
        nargs="+",
        type=Path,
        metavar="PATH",
        help="a wheel; or a release to check as a whole: a manifest.json or a directory of wheels",
    )
    add_format_options(parser, Format.MARKDOWN, Format.HTML, Format.SARIF, json="docs/findings.schema.json")
    parser.add_argument("--sarif", metavar="FILE", help=argparse.SUPPRESS)  # former name
    parser.add_argument(
        "--smoke",
        action="store_true",
        help="install each wheel that this machine can run, and run codex --version",
    )
    parser.add_argument(
        "--musl-root",
        type=Path,
        metavar="DIR",
        help="root of a musl system in which --smoke runs musllinux wheels",
    )
    parser.add_argument(
        "--no-stock-tools", action="store_true", help="do not run auditwheel, delocate and delvewheel"
    )
    parser.add_argument(
        "--limit",
        action="append",
        default=[],
        metavar="NAME=NUMBER",
        help="raise a limit on what is read of a wheel, which the finding archive-limit names (repeatable)",
    )
    add_jobs_option(parser, "wheels")
    add_waiver_options(parser)
    add_authorship_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    if arguments.format == Format.HTML:
        require_renderer()  # before the work
    waivers = waivers_of(arguments)
    groups = find_wheels(arguments.paths)
    settings = Settings.from_environ()
    with tempfile.TemporaryDirectory(prefix="factory-verify-", ignore_cleanup_errors=True) as scratch:
        report = _examine(groups, arguments, settings, Path(scratch), waivers)
    _show(report, arguments)
    if report.status in {RunStatus.PASSED, RunStatus.INCONCLUSIVE}:
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
    tools = StockTools(runner=runner, installed=installed_tools(), search_path=settings.search_path)
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
            limits=DEFAULT_LIMITS.raised(arguments.limit),
        )
        return examine(groups, context, waivers=waivers)


def _show(report: Report, arguments: argparse.Namespace) -> None:
    if arguments.sarif == _STDOUT:
        arguments.format = Format.SARIF
    elif arguments.sarif is not None:
        text = json.dumps(sarif_document(report), indent=2, ensure_ascii=False) + "\n"
        write_form(Path(arguments.sarif), text)
    match Format(arguments.format):
        case Format.SARIF:
            print_json(sarif_document(report))
        case Format.JSON:
            print_json(findings_document(report))
        case Format.HTML:
            print(render_findings(report), end="")
        case form:
            show_report(report, as_markdown=form is Format.MARKDOWN)
