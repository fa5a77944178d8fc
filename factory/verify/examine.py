"""The run behind ``factory verify``: judge wheels, and the releases they make, and collect all of it."""

import shutil
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from factory.core.digests import Sha256
from factory.core.errors import FactoryError
from factory.core.model import Finding
from factory.core.progress import Progress
from factory.executables.signatures.policy import TrustPolicy
from factory.system.parallel import Stopped, in_parallel
from factory.system.process import Runner
from factory.verify import smoke
from factory.verify.checks import across, listing
from factory.verify.checks.check import Check, SubjectT
from factory.verify.checks.listing import Listing
from factory.verify.checks.registry import checks_for, escaped, find_all, printable, run_check
from factory.verify.output.report import Judged, ReleaseReport, Report, WheelReport
from factory.verify.reading.contents import ExpectedWheel, WheelContents
from factory.verify.reading.read import fresh_directory, read_wheel
from factory.verify.smoke import (
    Host,
    NotRun,
    Smoked,
    SmokeOutcome,
    SmokeResult,
    plan_smoke,
    run_smoke,
    smoke_subject,
)
from factory.verify.stock.stock_tools import Consultation, StockTools, corroborate
from factory.verify.waivers import Waiver, apply_waivers


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A file that should be a wheel.

    Attributes:
        path: Where it is, as the person named it.
        expected: What it must be, when a manifest tells.
    """

    path: Path
    expected: ExpectedWheel | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """Wheels that were named together.

    Attributes:
        path: The manifest, the directory, or the wheel itself.
        subjects: Its wheels.
        files: The names of all files that lie beside them; None when it is no release.
        promised: The SHA-256 of each wheel by its name, when a manifest promises them.
    """

    path: Path
    subjects: tuple[Subject, ...]
    files: tuple[str, ...] | None = None
    promised: Mapping[str, Sha256] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What a run works with.

    Attributes:
        runner: Starts processes.
        progress: Is told how the work goes.
        scratch: A directory for what is unpacked; the caller removes it.
        jobs: How many wheels at once.
        stop: Is set when the run must end.
        stock_tools: Are asked about every wheel; None asks none.
        host: What wheels are started on; None starts none.
        trust: What the executables' assessments rest on, and what they must reach.
    """

    runner: Runner
    progress: Progress
    scratch: Path
    jobs: int
    stop: threading.Event
    stock_tools: StockTools | None = None
    host: Host | None = None
    trust: TrustPolicy = field(default_factory=TrustPolicy)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Examined:
    """A wheel's report with all findings still unwaived, and its contents for the checks across a release."""

    report: WheelReport
    contents: WheelContents | None = None


def examine(lots: Sequence[Lot], bench: Bench, *, waivers: Sequence[Waiver] = ()) -> Report:
    """Judge every wheel of every lot; what cannot be looked at is told and hides nothing else."""
    subjects = [subject for lot in lots for subject in lot.subjects]
    examined = in_parallel(
        lambda subject: _examine(subject, bench),
        subjects,
        jobs=bench.jobs,
        weight=lambda subject: _size(subject.path),
        stop=bench.stop,
    )
    waiting = iter(examined)
    parts = [(lot, [next(waiting) for _ in lot.subjects]) for lot in lots]
    releases = [_across(lot, part) for lot, part in parts if lot.files is not None]
    wheels = [one.report for one in examined]
    judged = [*(wheel.judged for wheel in wheels), *(release.judged for release in releases)]
    everything = [finding for part in judged for finding in part.findings]
    return Report(
        wheels=tuple(replace(wheel, judged=_waive(wheel.judged, waivers)) for wheel in wheels),
        releases=tuple(replace(release, judged=_waive(release.judged, waivers)) for release in releases),
        unused=apply_waivers(everything, waivers).unused,
    )


def _examine(subject: Subject, bench: Bench) -> _Examined:
    """Judge one wheel in a directory of its own, which is gone before the next one begins."""
    name = escaped(subject.path.name)
    try:
        scratch = fresh_directory(bench.scratch, prefix="verify-")
        try:
            with bench.progress.task(f"verify {name}"):
                return _judge(subject, bench, scratch)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    except Stopped:
        raise
    except FactoryError as error:
        return _Examined(
            report=WheelReport(
                path=escaped(str(subject.path)), name=name, judged=Judged(), not_looked_at=escaped(str(error))
            )
        )


def _judge(subject: Subject, bench: Bench, scratch: Path) -> _Examined:
    contents = read_wheel(subject.path, scratch=scratch, expected=subject.expected, trust=bench.trust)
    judged = Judged(checks=tuple(check.id for check in checks_for(contents)), findings=find_all(contents))
    consultation = bench.stock_tools.consult(contents, scratch=scratch) if bench.stock_tools else None
    smoked = _smoke(contents, bench, scratch)
    if consultation is not None:
        judged = _with_consultation(judged, consultation)
    if smoked is not None:
        judged = _with_smoke(judged, Smoked(wheel=contents.name, result=smoked))
    report = WheelReport(
        path=escaped(str(subject.path)),
        name=escaped(contents.name),
        sha256=_digest(subject.path),
        judged=judged,
        assessments=contents.assessments,
        consultation=consultation,
        smoke=smoked,
    )
    return _Examined(report=report, contents=contents)


def _with_consultation(judged: Judged, consultation: Consultation) -> Judged:
    asked = () if consultation.not_run is not None else (f"{consultation.tool}-verdict",)
    joined = corroborate(judged.findings, consultation)
    return replace(
        judged, checks=judged.checks + asked, findings=tuple(printable(finding) for finding in joined)
    )


def _smoke(contents: WheelContents, bench: Bench, scratch: Path) -> SmokeResult | None:
    if bench.host is None:
        return None
    subject = smoke_subject(contents)
    if isinstance(subject, NotRun):
        return run_smoke(subject, runner=bench.runner)
    own = fresh_directory(scratch, prefix="smoke-")
    result = run_smoke(plan_smoke(subject, host=bench.host, scratch=own), runner=bench.runner)
    return replace(result, detail=escaped(result.detail))


def _with_smoke(judged: Judged, smoked: Smoked) -> Judged:
    if smoked.result.outcome is SmokeOutcome.NOT_RUN:
        return judged
    checks, found = _run(smoke.CHECKS, smoked, name=smoked.wheel)
    return replace(judged, checks=judged.checks + checks, findings=judged.findings + found)


def _across(lot: Lot, examined: Sequence[_Examined]) -> ReleaseReport:
    """Judge the wheels of a lot together; wheels that could not be read at all are told elsewhere."""
    contents = tuple(one.contents for one in examined if one.contents is not None)
    name = escaped(lot.path.name)
    release = across.Release(
        name=name,
        wheels=tuple(wheel for wheel in contents if not wheel.is_unreadable),
        files=lot.files or (),
    )
    checks, findings = _run(across.CHECKS, release, name=name)
    if lot.promised is not None:
        found = Listing(promised=lot.promised, found={one.report.name: one.report.sha256 for one in examined})
        more_checks, more_findings = _run(listing.CHECKS, found, name=name)
        checks, findings = checks + more_checks, findings + more_findings
    return ReleaseReport(path=escaped(str(lot.path)), judged=Judged(checks=checks, findings=findings))


def _run(
    checks: Sequence[Check[SubjectT]], subject: SubjectT, *, name: str
) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    """Run some checks; return their ids and what they found."""
    found = tuple(finding for check in checks for finding in run_check(check, subject, name=name))
    return tuple(check.id for check in checks), found


def _waive(judged: Judged, waivers: Sequence[Waiver]) -> Judged:
    result = apply_waivers(judged.findings, waivers)
    return replace(judged, findings=result.remaining, waived=result.waived)


def _digest(path: Path) -> Sha256 | None:
    try:
        return Sha256.of_file(path) if path.is_file() else None
    except OSError:
        return None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
