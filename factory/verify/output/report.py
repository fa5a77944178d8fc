"""What a run of ``factory verify`` found out: values that every output is made from."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from factory.core.digests import Sha256
from factory.core.model import Finding, Severity, WaivedFinding
from factory.core.trust_level import TrustAssessment
from factory.verify.smoke import SmokeResult
from factory.verify.stock.stock_tools import StockReport
from factory.verify.waivers import Waiver


class RunStatus(StrEnum):
    """The answer of a whole run."""

    PASSED = "passed"
    REJECTED = "rejected"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResults:
    """What was found out about one thing.

    Attributes:
        checks: The ids of all checks that looked at it.
        findings: What they found, and no waiver covers.
        waived: What they found, and a waiver covers.
    """

    checks: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    waived: tuple[WaivedFinding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelReport:
    """One wheel's part of a report.

    Attributes:
        path: The file as the person named it.
        name: Its file name, fit to be printed.
        sha256: Of the bytes that were checked; None when they could not be read.
        results: What was found out.
        assessments: Where its executables stand on the ladder of trust.
        not_looked_at: Why it could not be looked at; None when it was.
        stock_report: What its platform's stock tool says; None when none was to be asked.
        smoke: What came of starting it; None when that was not asked for.
    """

    path: str
    name: str
    sha256: Sha256 | None = None
    results: CheckResults
    assessments: tuple[TrustAssessment, ...] = ()
    not_looked_at: str | None = None
    stock_report: StockReport | None = None
    smoke: SmokeResult | None = None

    @property
    def is_inconclusive(self) -> bool:
        """Whether something that should have looked at it could not."""
        return self.not_looked_at is not None or (
            self.stock_report is not None and self.stock_report.is_broken
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseReport:
    """A release's part of a report: what was found across its wheels.

    Attributes:
        path: The manifest or directory as the person named it.
        results: What was found out.
    """

    path: str
    results: CheckResults


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A whole run.

    Attributes:
        wheels: In the order in which they were named.
        releases: Likewise.
        unused: Waivers that cover nothing of it all.
    """

    wheels: tuple[WheelReport, ...]
    releases: tuple[ReleaseReport, ...]
    unused: tuple[Waiver, ...]

    @property
    def findings(self) -> Iterator[Finding]:
        """All findings that no waiver covers."""
        return (finding for results in self._results for finding in results.findings)

    @property
    def waived_count(self) -> int:
        """How many findings a waiver covers."""
        return sum(len(results.waived) for results in self._results)

    @property
    def counts(self) -> dict[Severity, int]:
        """How many findings there are of each severity, no waiver covering them."""
        counted = Counter(finding.severity for finding in self.findings)
        return {severity: counted[severity] for severity in Severity}

    @property
    def status(self) -> RunStatus:
        """The answer: what is wrong outweighs what could not be looked at."""
        if self.counts[Severity.ERROR]:
            return RunStatus.REJECTED
        if any(wheel.is_inconclusive for wheel in self.wheels):
            return RunStatus.INCONCLUSIVE
        return RunStatus.PASSED

    @property
    def _results(self) -> Iterator[CheckResults]:
        yield from (wheel.results for wheel in self.wheels)
        yield from (release.results for release in self.releases)
