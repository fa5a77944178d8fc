"""The results of acceptance runs with an SDK, as a manifest records them; equal runs give equal records."""

from collections import Counter
from dataclasses import dataclass

from factory.core.case_result import CaseOutcome, CaseResult
from factory.core.digests import Sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class SdkIdentity:
    """The SDK wheel that was installed for an acceptance run."""

    name: str
    version: str
    sha256: Sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """The result of running a wheel with an SDK; it is part of the wheel's record.

    Attributes:
        how: How the executable was started, ``natively`` or ``under qemu-aarch64-static``.
        cases: The results of all cases, in the order of the case table.
    """

    sdk: SdkIdentity
    how: str
    cases: tuple[CaseResult, ...]

    @property
    def failed(self) -> tuple[CaseResult, ...]:
        """The cases that failed."""
        return tuple(case for case in self.cases if case.outcome is CaseOutcome.FAILED)

    @property
    def has_passed(self) -> bool:
        """Whether every applicable case passed, and there was at least one."""
        outcomes = {case.outcome for case in self.cases}
        return CaseOutcome.PASSED in outcomes and outcomes <= {
            CaseOutcome.PASSED,
            CaseOutcome.NOT_APPLICABLE,
        }

    @property
    def summary(self) -> str:
        """The SDK, how it ran and the counts of outcomes, in one line."""
        counts = Counter(case.outcome for case in self.cases)
        numbers = (f"{counts[outcome]} {outcome}" for outcome in CaseOutcome if counts[outcome])
        return f"{self.sdk.name} {self.sdk.version}, {self.how}: {', '.join(numbers)}"
