"""``factory sdk accept``: test a runtime with an SDK and record the result."""

import argparse
import threading
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from factory.cli.console import Column, say
from factory.cli.display import shown_progress
from factory.cli.formats import Format, add_format_options, show_table
from factory.cli.host import this_host
from factory.cli.options import add_jobs_option, add_pip_options, this_pip
from factory.cli.settings import Settings
from factory.core.case_result import CaseResult
from factory.core.codec import to_json
from factory.core.errors import EXIT_INCONCLUSIVE, EXIT_OK, UsageError
from factory.core.targets import Platform
from factory.manifest.acceptance import Acceptance
from factory.manifest.dist import Dist
from factory.manifest.manifest import MANIFEST_NAME
from factory.sdk.accept.acceptance_run import AcceptanceOrder, accept, record, require_accepted
from factory.sdk.accept.cases import cases_named
from factory.sdk.accept.environment import AcceptanceContext
from factory.sdk.accept.wheel_under_test import RuntimeWheel, choose_runtime_wheel, read_runtime_wheel
from factory.system.host import Host
from factory.system.parallel import usable_cores
from factory.system.process import SubprocessRunner
from factory.verify.proof import read_manifest

EPILOG = """\
examples:
  factory sdk accept dist/0.163.0
  factory sdk accept dist/0.163.0 --platform manylinux_2_17_aarch64
  factory sdk accept dist/0.164.0 --sdk openai-codex==0.163.0 --repin
  factory sdk accept some.whl --sdk sdk/ --find-links wheels/ --no-index
  factory sdk accept dist/0.163.0 --case tool-calls --case stream-in-order
"""
OFFICIAL_SDK = "openai-codex"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "runtime",
        type=Path,
        metavar="MANIFEST|WHEEL",
        help="a manifest.json, its directory, or a runtime wheel",
    )
    parser.add_argument(
        "--sdk",
        metavar="REQUIREMENT|PATH",
        help=f"an exact version, wheel, sdist or project (default: {OFFICIAL_SDK} of the same version)",
    )
    parser.add_argument(
        "--repin", action="store_true", help="first pin the SDK to this runtime, as 'factory sdk stage' does"
    )
    parser.add_argument(
        "--platform",
        metavar="TAG",
        help="test this wheel of the manifest (default: the one for this machine)",
    )
    parser.add_argument(
        "--case",
        action="append",
        default=[],
        metavar="NAME",
        help="run only this case and record nothing (repeatable)",
    )
    parser.add_argument("--no-record", action="store_true", help="do not record the result in the manifest")
    add_jobs_option(parser, "cases")
    add_pip_options(parser)
    add_format_options(parser, Format.MARKDOWN)


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    cases = cases_named(tuple(arguments.case))
    host = this_host(Settings.from_environ(), musl_root=None)
    runtime, dist = _subject(arguments, host)
    order = AcceptanceOrder(
        runtime=runtime,
        sdk=arguments.sdk or f"{OFFICIAL_SDK}=={runtime.tag.pep440}",
        is_repinned=arguments.repin,
        cases=cases,
    )
    acceptance = _accept(order, arguments, host)
    show(runtime, acceptance, arguments)
    if dist is not None and not arguments.case and not arguments.no_record:
        record(acceptance, runtime, dist)
        say(f"recorded in {arguments.runtime}")
    require_accepted(acceptance, runtime)
    return EXIT_OK if acceptance.has_passed else EXIT_INCONCLUSIVE


def _subject(arguments: argparse.Namespace, host: Host) -> tuple[RuntimeWheel, Dist | None]:
    path: Path = arguments.runtime
    if path.suffix == ".whl" and not path.is_dir():
        if arguments.platform is not None:
            raise UsageError(
                "--platform needs a manifest, not a wheel", hint="Leave --platform out, or give a manifest."
            )
        return read_runtime_wheel(path), None
    manifest, place = read_manifest(path)
    platform = None if arguments.platform is None else Platform.parse(arguments.platform)
    runtime = choose_runtime_wheel(manifest, place.parent, platform=platform, host=host)
    return runtime, Dist(directory=place.parent) if place.name == MANIFEST_NAME else None


def _accept(order: AcceptanceOrder, arguments: argparse.Namespace, host: Host) -> Acceptance:
    stop = threading.Event()
    with (
        TemporaryDirectory(prefix="factory-accept-", ignore_cleanup_errors=True) as directory,
        shown_progress() as progress,
    ):
        context = AcceptanceContext(
            directory=Path(directory).resolve(),
            host=host,
            pip=this_pip(arguments, SubprocessRunner(stop)),
        )
        jobs = arguments.jobs or usable_cores()
        return accept(order, context, progress=progress, jobs=jobs, stop=stop)


def show(runtime: RuntimeWheel, acceptance: Acceptance, arguments: argparse.Namespace) -> None:
    """Print the result, with a row for each message that the SDK cannot parse."""
    say(f"{runtime.wheel.name} with {acceptance.summary}")
    wheel = {"name": runtime.wheel.name, "sha256": str(runtime.sha256)}
    show_table(
        arguments,
        (Column(heading="case"), Column(heading="outcome"), Column(heading="detail")),
        [row for result in acceptance.cases for row in _rows(result)],
        document=lambda: {"version": 1, "wheel": wheel, "acceptance": to_json(acceptance)},
    )


def _rows(result: CaseResult) -> Iterator[tuple[str, str, str]]:
    yield result.case, result.outcome.value, result.detail
    for message in result.unparsed or ():
        yield f"{message.kind} {message.name}", "refused", f"{message.example}: {message.problem}"
