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
from factory.verify.checks.listing import ManifestDirectory
from factory.verify.checks.registry import checks_for, escaped, find_all, printable, run_check
from factory.verify.output.report import CheckResults, ReleaseReport, Report, WheelReport
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
from factory.verify.stock.stock_tools import StockReport, StockTools, merge_stock_findings
from factory.verify.waivers import Waiver, apply_waivers


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelInput:
    """A file that should be a wheel.

    Attributes:
        path: Where it is, as the person named it.
        expected: What it must be, when a manifest tells.
    """

    path: Path
    expected: ExpectedWheel | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelGroup:
    """Wheels that were named together.

    Attributes:
        path: The manifest, the directory, or the wheel itself.
        wheels: The wheels in it.
        files: The names of all files that lie beside them; None when it is no release.
        promised: The SHA-256 of each wheel by its name, when a manifest promises them.
    """

    path: Path
    wheels: tuple[WheelInput, ...]
    files: tuple[str, ...] | None = None
    promised: Mapping[str, Sha256] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyContext:
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


def examine(
    groups: Sequence[WheelGroup], context: VerifyContext, *, waivers: Sequence[Waiver] = ()
) -> Report:
    """Judge every wheel of every group; what cannot be looked at is told and hides nothing else."""
    inputs = [wheel for group in groups for wheel in group.wheels]
    examined = in_parallel(
        lambda wheel: _examine(wheel, context),
        inputs,
        jobs=context.jobs,
        weight=lambda wheel: _size(wheel.path),
        stop=context.stop,
    )
    waiting = iter(examined)
    parts = [(group, [next(waiting) for _ in group.wheels]) for group in groups]
    releases = [_across(group, part) for group, part in parts if group.files is not None]
    wheels = [one.report for one in examined]
    results = [*(wheel.results for wheel in wheels), *(release.results for release in releases)]
    everything = [finding for part in results for finding in part.findings]
    return Report(
        wheels=tuple(replace(wheel, results=_waive(wheel.results, waivers)) for wheel in wheels),
        releases=tuple(replace(release, results=_waive(release.results, waivers)) for release in releases),
        unused=apply_waivers(everything, waivers).unused,
    )


def _examine(wheel: WheelInput, context: VerifyContext) -> _Examined:
    """Judge one wheel in a directory of its own, which is gone before the next one begins."""
    name = escaped(wheel.path.name)
    try:
        scratch = fresh_directory(context.scratch, prefix="verify-")
        try:
            with context.progress.task(f"verify {name}"):
                return _judge(wheel, context, scratch)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    except Stopped:
        raise
    except FactoryError as error:
        return _Examined(
            report=WheelReport(
                path=escaped(str(wheel.path)),
                name=name,
                results=CheckResults(),
                not_looked_at=escaped(str(error)),
            )
        )


def _judge(wheel: WheelInput, context: VerifyContext, scratch: Path) -> _Examined:
    contents = read_wheel(wheel.path, scratch=scratch, expected=wheel.expected, trust=context.trust)
    results = CheckResults(
        checks=tuple(check.id for check in checks_for(contents)), findings=find_all(contents)
    )
    stock_report = context.stock_tools.ask(contents, scratch=scratch) if context.stock_tools else None
    smoked = _smoke(contents, context, scratch)
    if stock_report is not None:
        results = _with_stock_report(results, stock_report)
    if smoked is not None:
        results = _with_smoke(results, Smoked(wheel=contents.name, result=smoked))
    report = WheelReport(
        path=escaped(str(wheel.path)),
        name=escaped(contents.name),
        sha256=_digest(wheel.path),
        results=results,
        assessments=contents.assessments,
        stock_report=stock_report,
        smoke=smoked,
    )
    return _Examined(report=report, contents=contents)


def _with_stock_report(results: CheckResults, stock_report: StockReport) -> CheckResults:
    asked = () if stock_report.not_run is not None else (f"{stock_report.tool}-verdict",)
    joined = merge_stock_findings(results.findings, stock_report)
    return replace(
        results, checks=results.checks + asked, findings=tuple(printable(finding) for finding in joined)
    )


def _smoke(contents: WheelContents, context: VerifyContext, scratch: Path) -> SmokeResult | None:
    if context.host is None:
        return None
    subject = smoke_subject(contents)
    if isinstance(subject, NotRun):
        return run_smoke(subject, runner=context.runner)
    own = fresh_directory(scratch, prefix="smoke-")
    result = run_smoke(plan_smoke(subject, host=context.host, scratch=own), runner=context.runner)
    return replace(result, detail=escaped(result.detail))


def _with_smoke(results: CheckResults, smoked: Smoked) -> CheckResults:
    if smoked.result.outcome is SmokeOutcome.NOT_RUN:
        return results
    checks, found = _run(smoke.CHECKS, smoked, name=smoked.wheel)
    return replace(results, checks=results.checks + checks, findings=results.findings + found)


def _across(group: WheelGroup, examined: Sequence[_Examined]) -> ReleaseReport:
    """Judge the wheels of a group together; wheels that could not be read at all are told elsewhere."""
    contents = tuple(one.contents for one in examined if one.contents is not None)
    name = escaped(group.path.name)
    release = across.Release(
        name=name,
        wheels=tuple(wheel for wheel in contents if not wheel.is_unreadable),
        files=group.files or (),
    )
    checks, findings = _run(across.CHECKS, release, name=name)
    if group.promised is not None:
        found = ManifestDirectory(
            promised=group.promised, found={one.report.name: one.report.sha256 for one in examined}
        )
        more_checks, more_findings = _run(listing.CHECKS, found, name=name)
        checks, findings = checks + more_checks, findings + more_findings
    return ReleaseReport(
        path=escaped(str(group.path)), results=CheckResults(checks=checks, findings=findings)
    )


def _run(
    checks: Sequence[Check[SubjectT]], subject: SubjectT, *, name: str
) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    """Run some checks; return their ids and what they found."""
    found = tuple(finding for check in checks for finding in run_check(check, subject, name=name))
    return tuple(check.id for check in checks), found


def _waive(results: CheckResults, waivers: Sequence[Waiver]) -> CheckResults:
    result = apply_waivers(results.findings, waivers)
    return replace(results, findings=result.remaining, waived=result.waived)


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
