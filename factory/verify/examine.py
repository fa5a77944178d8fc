"""The run of ``factory verify``: check wheels, alone and together as releases, and make the report."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from factory.core.digests import Sha256
from factory.core.errors import FactoryError
from factory.core.printable import escaped
from factory.core.progress import Progress
from factory.executables.signatures.policy import TrustPolicy
from factory.system.host import Host
from factory.system.parallel import Stopped, in_parallel
from factory.system.process import Runner
from factory.verify import smoke
from factory.verify.checks import across, listing
from factory.verify.checks.check import Check, SubjectT
from factory.verify.checks.listing import ManifestDirectory
from factory.verify.checks.registry import run_check
from factory.verify.inputs import WheelGroup, WheelInput, file_size
from factory.verify.inspection import inspect_contents
from factory.verify.output.report import CheckResults, ReleaseReport, Report, WheelReport
from factory.verify.reading.contents import WheelContents
from factory.verify.reading.read import fresh_directory, own_scratch, read_wheel
from factory.verify.reading.unpack import DEFAULT_LIMITS, UnpackLimits
from factory.verify.smoke import SmokeOutcome, SmokeResult, plan_smoke, run_smoke
from factory.verify.stock.stock_tools import StockTools
from factory.verify.waivers import Waiver, apply_waivers


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyContext:
    """The options of a run and the means to carry it out.

    Attributes:
        scratch: A directory for unpacked files; the caller removes it.
        jobs: The number of wheels to check in parallel.
        stop: Set to end the run.
        stock_tools: The stock tools to ask about every wheel.
        host: The host to start wheels on.
        trust: The policy that executables are assessed by.
        limits: Limits on what is read of a wheel.
    """

    runner: Runner
    progress: Progress
    scratch: Path
    jobs: int
    stop: threading.Event
    stock_tools: StockTools | None = None
    host: Host | None = None
    trust: TrustPolicy = field(default_factory=TrustPolicy)
    limits: UnpackLimits = DEFAULT_LIMITS


@dataclass(frozen=True, slots=True, kw_only=True)
class _Examined:
    """The report about a wheel before waivers apply, and its contents for the checks of the release."""

    report: WheelReport
    contents: WheelContents | None = None


def examine(
    groups: Sequence[WheelGroup], context: VerifyContext, *, waivers: Sequence[Waiver] = ()
) -> Report:
    """Check every wheel of every group. A wheel that cannot be read does not stop the run."""
    examined = iter(
        in_parallel(
            lambda wheel: _examine(wheel, context),
            [wheel for group in groups for wheel in group.wheels],
            jobs=context.jobs,
            weight=lambda wheel: file_size(wheel.path),
            stop=context.stop,
        )
    )
    wheels: list[WheelReport] = []
    releases: list[ReleaseReport] = []
    for group in groups:
        part = [next(examined) for _ in group.wheels]
        wheels += [one.report for one in part]
        if group.files is not None:
            releases.append(_across(group, group.files, part))
    # Waivers apply to the whole run, which alone shows whether one is unused.
    results = [*(wheel.results for wheel in wheels), *(release.results for release in releases)]
    found = [finding for part in results for finding in part.findings]
    return Report(
        wheels=tuple(replace(wheel, results=_waive(wheel.results, waivers)) for wheel in wheels),
        releases=tuple(replace(release, results=_waive(release.results, waivers)) for release in releases),
        unused=apply_waivers(found, waivers).unused,
    )


def _examine(wheel: WheelInput, context: VerifyContext) -> _Examined:
    path, name = escaped(str(wheel.path)), escaped(wheel.path.name)
    try:
        with (
            own_scratch(context.scratch, prefix="verify-") as scratch,
            context.progress.task(f"verify {name}"),
        ):
            return _check(wheel, context, scratch)
    except Stopped:
        raise
    except FactoryError as error:
        not_looked_at = escaped(error.with_hint)
        report = WheelReport(path=path, name=name, results=CheckResults(), not_looked_at=not_looked_at)
        return _Examined(report=report)


def _check(wheel: WheelInput, context: VerifyContext, scratch: Path) -> _Examined:
    contents = read_wheel(
        wheel.path,
        scratch=scratch,
        expected=wheel.expected,
        limits=context.limits,
        trust=context.trust,
        stop=context.stop,
    )
    inspection = inspect_contents(contents, scratch=scratch, stock_tools=context.stock_tools)
    stock_report = inspection.stock_report
    results = CheckResults(checks=inspection.checks, findings=inspection.findings)
    if stock_report is not None and stock_report.not_run is None:
        results = replace(results, checks=(*results.checks, f"{stock_report.tool}-verdict"))
    started = _smoke(contents, context, scratch)
    if started is not None and started.outcome is not SmokeOutcome.NOT_RUN:
        results += _run(smoke.CHECKS, started, name=contents.name)
    report = WheelReport(
        path=escaped(str(wheel.path)),
        name=escaped(contents.name),
        sha256=_digest(wheel.path),
        results=results,
        assessments=contents.assessments,
        stock_report=stock_report,
        smoke=started,
    )
    return _Examined(report=report, contents=contents)


def _smoke(contents: WheelContents, context: VerifyContext, scratch: Path) -> SmokeResult | None:
    if context.host is None:
        return None
    plan = plan_smoke(contents, host=context.host, scratch=fresh_directory(scratch, prefix="smoke-"))
    result = run_smoke(plan, runner=context.runner)
    return replace(result, detail=escaped(result.detail))


def _across(group: WheelGroup, files: tuple[str, ...], examined: Sequence[_Examined]) -> ReleaseReport:
    """Check the wheels of a group together, without those that could not be read at all."""
    name = escaped(group.path.name)
    contents = [one.contents for one in examined if one.contents is not None]
    wheels = tuple(wheel for wheel in contents if not wheel.is_unreadable)
    results = _run(across.CHECKS, across.Release(name=name, wheels=wheels, files=files), name=name)
    if group.promised is not None:
        found = {one.report.name: one.report.sha256 for one in examined}
        directory = ManifestDirectory(promised=group.promised, found=found)
        results += _run(listing.CHECKS, directory, name=name)
    return ReleaseReport(path=escaped(str(group.path)), results=results)


def _run(checks: Sequence[Check[SubjectT]], subject: SubjectT, *, name: str) -> CheckResults:
    found = tuple(finding for check in checks for finding in run_check(check, subject, name=name))
    return CheckResults(checks=tuple(check.id for check in checks), findings=found)


def _waive(results: CheckResults, waivers: Sequence[Waiver]) -> CheckResults:
    result = apply_waivers(results.findings, waivers)
    return replace(results, findings=result.remaining, waived=result.waived)


def _digest(path: Path) -> Sha256 | None:
    try:
        return Sha256.of_file(path) if path.is_file() else None
    except OSError:
        return None
