"""The run of ``factory trust``: options to values, values to a survey, the survey to its outputs."""

import argparse
import sys
import tempfile
import threading
from pathlib import Path

from factory import __version__
from factory.cli.console import Column, print_json, print_table, say, shown_progress
from factory.cli.verify_run import exit_status
from factory.core.trust_json import assessment_to_json, format_utc
from factory.core.trust_level import TrustAssessment
from factory.executables.signatures.policy import TrustPolicy
from factory.executables.signatures.requirement import Requirement
from factory.executables.signatures.signers import is_unexpected
from factory.system.parallel import usable_cores
from factory.verify.authorship import Survey, SurveyBench, Surveyed, bundle_beside, survey

SCHEMA_VERSION = 1
_COLUMNS = (
    Column(heading="file", is_for_pipes=True),
    Column(heading="executable"),
    Column(heading="level"),
    Column(heading="signer"),
    Column(heading="signed"),
    Column(heading="why"),
)


def run_trust(arguments: argparse.Namespace) -> int:
    """Put what was named on the ladder, show it, and return the exit status."""
    policy = TrustPolicy(
        required=Requirement.parse(arguments.require_authorship),
        bundles={} if arguments.bundle is None else bundle_beside(arguments.paths, arguments.bundle),
    )
    with (
        tempfile.TemporaryDirectory(prefix="factory-trust-", ignore_cleanup_errors=True) as scratch,
        shown_progress() as progress,
    ):
        bench = SurveyBench(
            policy=policy,
            progress=progress,
            scratch=Path(scratch),
            jobs=arguments.jobs or usable_cores(),
            stop=threading.Event(),
        )
        done = survey(arguments.paths, bench)
    if arguments.json:
        print_json(trust_document(done))
    else:
        _show(done)
    return exit_status(done.verdict)


def trust_document(done: Survey) -> dict[str, object]:
    """Return the document that ``factory trust --json`` prints."""
    return {
        "schema_version": SCHEMA_VERSION,
        "factory_version": __version__,
        "verdict": done.verdict.value,
        "counts": {level.value: count for level, count in done.counts.items()},
        "files": [
            {
                "path": subject.path,
                "name": subject.name,
                "not_looked_at": subject.not_looked_at,
                "standings": [
                    assessment_to_json(assessment) | {"is_expected": not is_unexpected(assessment)}
                    for assessment in subject.assessments
                ],
                "lacking": [assessment.place for assessment in subject.lacking],
            }
            for subject in done.subjects
        ],
    }


def _show(done: Survey) -> None:
    if sys.stdout.isatty():
        for subject in done.subjects:
            print_table(_COLUMNS, _rows(subject), title=subject.name)
    else:
        print_table(_COLUMNS, [row for subject in done.subjects for row in _rows(subject)])
    for subject in done.subjects:
        if subject.not_looked_at is not None:
            say(f"{subject.name}: NOT LOOKED AT: {subject.not_looked_at}")
        for assessment in subject.lacking:
            say(f"{subject.name}: authorship is required of {assessment.place}: {assessment.level}")
    counts = ", ".join(f"{count} {level}" for level, count in done.counts.items() if count)
    say(f"{done.verdict}: {counts or 'no executables'}")


def _rows(subject: Surveyed) -> list[tuple[str, ...]]:
    return [
        (
            subject.name,
            assessment.place,
            assessment.level.value,
            _signer(assessment),
            _time(assessment),
            assessment.reason,
        )
        for assessment in subject.assessments
    ]


def _signer(assessment: TrustAssessment) -> str:
    if assessment.signature is None or assessment.signature.signer is None:
        return ""
    signer = assessment.signature.signer
    return f"{signer.name} (NOT THE EXPECTED ONE)" if is_unexpected(assessment) else signer.name


def _time(assessment: TrustAssessment) -> str:
    if assessment.signature is None or assessment.signature.signed_at is None:
        return ""
    return format_utc(assessment.signature.signed_at)
