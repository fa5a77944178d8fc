"""Check wheels by their own bytes: `inspect` any file, `verify` a wheel that the factory built."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from factory.build.builder import BuiltWheel
from factory.build.template import PACKAGE
from factory.core.counted import counted
from factory.core.errors import VerificationError
from factory.core.model import Finding, Local, Severity, WaivedFinding
from factory.core.trust_level import TrustAssessment
from factory.executables.signatures.policy import TrustPolicy
from factory.verify.checks.registry import checks_for, find_all, printable
from factory.verify.reading.contents import ExpectedWheel, WheelContents
from factory.verify.reading.read import read_wheel
from factory.verify.stock.stock_tools import StockReport, StockTools, merge_stock_findings
from factory.verify.waivers import Waiver, apply_waivers


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """The result of all checks of one wheel.

    Attributes:
        contents: The contents; the extracted files exist as long as the scratch directory.
        checks: The ids of the checks that were run.
        findings: The findings that no waiver covers.
        stock_report: The report of the platform's stock tool, if it was asked.
    """

    contents: WheelContents
    checks: tuple[str, ...]
    findings: tuple[Finding, ...]
    waived: tuple[WaivedFinding, ...] = ()
    stock_report: StockReport | None = None

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that forbid using the wheel."""
        return tuple(finding for finding in self.findings if finding.severity is Severity.ERROR)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedWheel:
    """A built wheel without unwaived errors; only `verify` makes one.

    Attributes:
        checks: The ids of all checks that ran.
        findings: The remaining warnings and notes.
        waived: The findings that a waiver accepts, errors among them.
        assessments: The trust assessments of its executables.
    """

    wheel: BuiltWheel
    checks: tuple[str, ...]
    findings: tuple[Finding, ...]
    waived: tuple[WaivedFinding, ...]
    assessments: tuple[TrustAssessment, ...]


class WheelRejected(VerificationError):
    """A built wheel has error findings that no waiver covers."""

    hint = "'factory show check ID' says why a check exists and what to do."

    def __init__(self, name: str, findings: Sequence[Finding]) -> None:
        lines = "".join(f"\n  {finding.check}: {finding.place}: {finding.evidence}" for finding in findings)
        super().__init__(f"{name} is not verified, it has {counted(len(findings), 'error')}:{lines}")
        self.name = name
        self.findings = tuple(findings)


def inspect(
    path: Path,
    *,
    scratch: Path,
    expected: ExpectedWheel | None = None,
    waivers: Sequence[Waiver] = (),
    stock_tools: StockTools | None = None,
    trust: TrustPolicy | None = None,
) -> Inspection:
    """Run all checks on a file that should be a wheel.

    Args:
        path: Any file.
        scratch: An existing directory for the wheel's executables; the caller removes it.
        expected: The expected release and payload, if the factory built the wheel.
        waivers: The accepted findings.
        stock_tools: The stock tools to ask, too.
        trust: The policy that the executables are assessed by.

    Raises:
        UsageError: The file does not exist or is not readable.
        HostError: Scratch is not writable.
    """
    contents = read_wheel(path, scratch=scratch, expected=expected, trust=trust)
    return inspect_contents(contents, scratch=scratch, waivers=waivers, stock_tools=stock_tools)


def inspect_contents(
    contents: WheelContents,
    *,
    scratch: Path,
    waivers: Sequence[Waiver] = (),
    stock_tools: StockTools | None = None,
) -> Inspection:
    """Run all checks on a wheel that was read; the arguments are those of `inspect`."""
    found = find_all(contents)
    stock_report = stock_tools.ask(contents, scratch=scratch) if stock_tools else None
    if stock_report is not None:
        found = tuple(printable(finding) for finding in merge_stock_findings(found, stock_report))
    waived = apply_waivers(found, waivers)
    return Inspection(
        contents=contents,
        checks=tuple(check.id for check in checks_for(contents)),
        findings=waived.remaining,
        waived=waived.waived,
        stock_report=stock_report,
    )


def verify(
    wheel: BuiltWheel,
    *,
    scratch: Path,
    waivers: Sequence[Waiver] = (),
    stock_tools: StockTools | None = None,
    trust: TrustPolicy | None = None,
) -> VerifiedWheel:
    """Verify a built wheel against its recipe and its payload.

    An unused waiver is not an error here, because it may be for another wheel of the run. Call
    `factory.verify.waivers.require_used` at the end of the run.

    Raises:
        WheelRejected: The wheel has error findings that no waiver covers.
    """
    planned, layout = wheel.planned, wheel.layout
    expected = ExpectedWheel(
        tag=planned.tag,
        platform=planned.platform,
        payload={f"{PACKAGE}/{member.path}": member.file.sha256 for member in layout.members},
        left_out=tuple(f"{PACKAGE}/{left_out.file.path}" for left_out in layout.left_out),
        asset=planned.asset.purl,
        is_from_directory=isinstance(planned.asset.location, Local),
    )
    inspection = inspect(
        wheel.file.path,
        scratch=scratch,
        expected=expected,
        waivers=waivers,
        stock_tools=stock_tools,
        trust=trust,
    )
    if inspection.errors:
        raise WheelRejected(wheel.file.name, inspection.errors)
    return VerifiedWheel(
        wheel=wheel,
        checks=inspection.checks,
        findings=inspection.findings,
        waived=inspection.waived,
        assessments=inspection.contents.assessments,
    )
