"""Judge wheels by their own bytes: `inspect` any file, `verify` what was built."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from factory.build.builder import BuiltWheel
from factory.build.template import PACKAGE
from factory.core.errors import VerificationError
from factory.core.model import Finding, Severity, WaivedFinding
from factory.core.trust_level import TrustAssessment
from factory.executables.signatures.policy import TrustPolicy
from factory.verify.checks.registry import checks_for, find_all
from factory.verify.reading.contents import ExpectedWheel, WheelContents
from factory.verify.reading.read import read_wheel
from factory.verify.stock.stock_tools import StockTools, merge_stock_findings
from factory.verify.waivers import Waiver, apply_waivers


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What was found out about one wheel.

    Attributes:
        contents: The wheel, read; its extracted files live as long as the scratch directory.
        checks: The ids of all checks that looked at it.
        findings: What they found, and no waiver covers.
        waived: What they found, and a waiver covers.
        unused: Waivers that cover nothing of this wheel.
    """

    contents: WheelContents
    checks: tuple[str, ...]
    findings: tuple[Finding, ...]
    waived: tuple[WaivedFinding, ...] = ()
    unused: tuple[Waiver, ...] = ()

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that forbid using the wheel."""
        return tuple(finding for finding in self.findings if finding.severity is Severity.ERROR)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedWheel:
    """A built wheel without an error finding that is not waived; only `verify` makes one.

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

    hint = "'factory explain ID' says why a check exists and what to do."

    def __init__(self, name: str, findings: Sequence[Finding]) -> None:
        lines = "".join(f"\n  {finding.check}: {finding.place}: {finding.evidence}" for finding in findings)
        super().__init__(f"{name} is not verified, {len(findings)} findings forbid it:{lines}")
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
    """Find everything that is wrong with a file that should be a wheel.

    Args:
        path: Any file at all.
        scratch: An existing directory for the wheel's executables; the caller removes it.
        expected: What the wheel must be, when the factory built it.
        waivers: Findings that are accepted.
        stock_tools: Are asked as well, where given.
        trust: What the executables' assessments rest on, and what they must reach.

    Raises:
        UsageError: The file does not exist or is not readable.
        HostError: Scratch is not writable.
    """
    contents = read_wheel(path, scratch=scratch, expected=expected, trust=trust)
    found = find_all(contents)
    stock_report = stock_tools.ask(contents, scratch=scratch) if stock_tools else None
    if stock_report is not None:
        found = merge_stock_findings(found, stock_report)
    waived = apply_waivers(found, waivers)
    return Inspection(
        contents=contents,
        checks=tuple(check.id for check in checks_for(contents)),
        findings=waived.remaining,
        waived=waived.waived,
        unused=waived.unused,
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

    A waiver that covers nothing is no error here: it may be meant for another
    wheel of the run. `factory.verify.waivers.require_used` is for the run's end.

    Raises:
        WheelRejected: It has error findings that no waiver covers.
    """
    planned, layout = wheel.planned, wheel.layout
    expected = ExpectedWheel(
        tag=planned.tag,
        platform=planned.platform,
        payload={f"{PACKAGE}/{member.path}": member.file.sha256 for member in layout.members},
        left_out=tuple(f"{PACKAGE}/{left_out.file.path}" for left_out in layout.left_out),
        asset=planned.asset.purl,
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
