"""The report of ``factory verify``, which every output format is made from."""

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

MISSING_PLATFORM = "release-platforms"
"""The check whose errors are about wheels that are not there."""


class RunStatus(StrEnum):
    """The result of a whole run."""

    PASSED = "passed"
    REJECTED = "rejected"
    INCOMPLETE = "incomplete"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResults:
    """The checks of one wheel or release.

    Attributes:
        checks: The ids of the checks that were run.
        findings: The findings that no waiver covers.
    """

    checks: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    waived: tuple[WaivedFinding, ...] = ()

    def __add__(self, other: "CheckResults") -> "CheckResults":
        """Return the results of both."""
        return CheckResults(
            checks=self.checks + other.checks,
            findings=self.findings + other.findings,
            waived=self.waived + other.waived,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelReport:
    """The report about one wheel.

    Attributes:
        path: As the user named it, with unprintable characters escaped; so is `name`.
        sha256: None if the file could not be read.
        not_looked_at: The reason, if the wheel could not be checked.
        stock_report: The report of the platform's stock tool, if it was asked.
        smoke: The result of starting the executable, if requested.
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
        """Whether the wheel could not be checked, or its stock tool failed."""
        return self.not_looked_at is not None or (
            self.stock_report is not None and self.stock_report.is_broken
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseReport:
    """The report about a release: the results of the checks across its wheels.

    Attributes:
        path: The manifest or directory as the user named it.
    """

    path: str
    results: CheckResults


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The report about a whole run, in the order of the command line.

    Attributes:
        unused: Waivers that cover no finding.
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
        """The number of waived findings."""
        return sum(len(results.waived) for results in self._results)

    @property
    def counts(self) -> dict[Severity, int]:
        """The number of findings by severity, without waived ones."""
        counted = Counter(finding.severity for finding in self.findings)
        return {severity: counted[severity] for severity in Severity}

    @property
    def status(self) -> RunStatus:
        """The result; an error in a file outweighs a wheel that could not be checked.

        A wheel that could not be read counts as missing, so it outweighs missing platforms.
        """
        errors = {finding.check for finding in self.findings if finding.severity is Severity.ERROR}
        if errors - {MISSING_PLATFORM}:
            return RunStatus.REJECTED
        if any(wheel.is_inconclusive for wheel in self.wheels):
            return RunStatus.INCONCLUSIVE
        return RunStatus.INCOMPLETE if errors else RunStatus.PASSED

    @property
    def missing_platforms(self) -> int:
        """The number of platforms without a wheel that no waiver accepts."""
        return sum(finding.check == MISSING_PLATFORM for finding in self.findings)

    @property
    def _results(self) -> Iterator[CheckResults]:
        yield from (wheel.results for wheel in self.wheels)
        yield from (release.results for release in self.releases)
