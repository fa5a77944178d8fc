"""``factory show signers``: show who signed each executable."""

import argparse
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from factory import __version__
from factory.cli.console import Column, say
from factory.cli.display import print_table, shown_progress
from factory.cli.findings import exit_status
from factory.cli.formats import Format, add_format_options, show_table
from factory.cli.options import add_authorship_option, add_jobs_option
from factory.core.codec import format_utc, to_json
from factory.core.trust_level import TrustAssessment
from factory.executables.signatures.policy import TrustPolicy
from factory.executables.signatures.requirement import Requirement
from factory.system.parallel import usable_cores
from factory.verify.authorship import FileTrust, TrustContext, TrustReport, assess_files, bundle_beside
from factory.verify.baseline.executables_file import bundled_executables

EPILOG = """\
examples:
  factory show signers dist/0.163.0
  factory show signers dist/0.163.0 --format json
  factory show signers codex.exe
  factory show signers codex --bundle codex-x86_64-unknown-linux-musl.sigstore
  factory show signers wheels/ --require-authorship macos,windows
"""
SCHEMA_VERSION = 1
_MOST_RELEASES = 2
_COLUMNS = (
    Column(heading="file", is_for_pipes=True),
    Column(heading="executable"),
    Column(heading="release"),
    Column(heading="level"),
    Column(heading="signer"),
    Column(heading="signed"),
    Column(heading="reason"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "paths",
        nargs="+",
        type=Path,
        metavar="PATH",
        help="a wheel, an executable, a manifest.json, or a directory of these",
    )
    add_format_options(parser, Format.MARKDOWN, json="docs/trust.schema.json")
    add_jobs_option(parser, "files")
    parser.add_argument(
        "--bundle",
        type=Path,
        metavar="FILE",
        help="sigstore bundle that was released with the executable; PATH must be that one executable",
    )
    add_authorship_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    policy = TrustPolicy(
        required=Requirement.parse(arguments.require_authorship),
        bundles={} if arguments.bundle is None else bundle_beside(arguments.paths, arguments.bundle),
    )
    with (
        tempfile.TemporaryDirectory(prefix="factory-trust-", ignore_cleanup_errors=True) as scratch,
        shown_progress() as progress,
    ):
        context = TrustContext(
            policy=policy,
            progress=progress,
            scratch=Path(scratch),
            jobs=arguments.jobs or usable_cores(),
            stop=threading.Event(),
        )
        done = assess_files(arguments.paths, context)
    _show(done, arguments)
    return exit_status(done.status)


def trust_document(done: TrustReport) -> dict[str, object]:
    """Return the document that ``factory show signers --format json`` prints."""
    return {
        "schema_version": SCHEMA_VERSION,
        "factory_version": __version__,
        "verdict": done.status.value,
        "counts": {level.value: count for level, count in done.counts.items()},
        "files": [
            {
                "path": file.path,
                "name": file.name,
                "not_looked_at": file.not_looked_at,
                "standings": [
                    to_json(assessment)
                    | {
                        "is_expected": not file.has_unexpected_signer(assessment),
                        "known_as": [str(one) for one in bundled_executables().lookup(assessment.sha256)],
                    }
                    for assessment in file.assessments
                ],
                "lacking": [assessment.place for assessment in file.lacking],
                "misplaced": [
                    {"place": review.name, "evidence": review.evidence} for review in file.misplaced
                ],
                "signed_apart": [{"place": place, "evidence": evidence} for place, evidence in file.apart],
            }
            for file in done.files
        ],
    }


def _show(done: TrustReport, arguments: argparse.Namespace) -> None:
    if arguments.format == Format.TABLE and sys.stdout.isatty():
        for file in done.files:
            print_table(_COLUMNS, _rows(file), title=file.name)
    else:
        rows = [row for file in done.files for row in _rows(file)]
        show_table(arguments, _COLUMNS, rows, document=lambda: trust_document(done))
    if arguments.format == Format.JSON:
        return
    for file in done.files:
        for remark in remarks(file):
            say(f"{file.name}: {remark}")
    counts = ", ".join(f"{count} {level}" for level, count in done.counts.items() if count)
    say(f"{done.status}: {counts or 'no executables'}")


def remarks(file: FileTrust) -> Iterator[str]:
    """Yield what the table does not show: what is wrong, and what a person should compare."""
    if file.not_looked_at is not None:
        yield f"NOT CHECKED: {file.not_looked_at}"
    for review in file.misplaced:
        yield f"{review.name}: {review.kind.sentence} {review.evidence}"
    for place, evidence in file.apart:
        yield f"{place}: over a day older than another executable: {evidence}"
    for assessment in file.lacking:
        yield f"authorship is required of {assessment.place}, which is {assessment.level}"


def _rows(file: FileTrust) -> list[tuple[str, ...]]:
    return [
        (
            file.name,
            assessment.place,
            ", ".join(_releases(assessment)) or "not known",
            assessment.level.value,
            _signer(file, assessment),
            _time(assessment),
            assessment.reason,
        )
        for assessment in file.assessments
    ]


def _releases(assessment: TrustAssessment) -> list[str]:
    """Return the releases that are known to have an executable; of many, the oldest and the newest."""
    known = bundled_executables().lookup(assessment.sha256)
    releases = list(dict.fromkeys(one.release.pep440 for one in known))
    return releases if len(releases) <= _MOST_RELEASES else [f"{releases[0]} to {releases[-1]}"]


def _signer(file: FileTrust, assessment: TrustAssessment) -> str:
    if assessment.signature is None or assessment.signature.signer is None:
        return ""
    signer = assessment.signature.signer
    return f"{signer.name} (UNEXPECTED SIGNER)" if file.has_unexpected_signer(assessment) else signer.name


def _time(assessment: TrustAssessment) -> str:
    if assessment.signature is None or assessment.signature.signed_at is None:
        return ""
    return format_utc(assessment.signature.signed_at)
