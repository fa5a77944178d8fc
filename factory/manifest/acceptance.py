"""The results of acceptance runs with an SDK, as a manifest records them; equal runs give equal records."""

from collections import Counter
from dataclasses import dataclass, field

from factory.core.case_result import CaseOutcome, CaseResult
from factory.core.digests import Sha256
from factory.core.form import Form


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestedSdk:
    """The SDK that an acceptance run was asked to use, as it was found.

    Attributes:
        version: Empty if the project computes its version while it is built.
        sha256: Of the file, or of all files of a project directory.
    """

    name: str
    version: str
    sha256: Sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class SdkIdentity:
    """The SDK wheel that was installed for an acceptance run.

    Attributes:
        requested: The SDK that the wheel was made from.
        repinned: Whether its pin was changed first: then no one has published the installed wheel.
        regenerated: Whether its types and methods were made for another release first.
    """

    name: str
    version: str
    sha256: Sha256
    requested: RequestedSdk | None = field(default=None, metadata={Form.OMITTED_IF_NONE: True})
    repinned: bool = field(default=False, metadata={Form.MAY_BE_MISSING: True})
    regenerated: bool = field(default=False, metadata={Form.MAY_BE_MISSING: True})

    def __str__(self) -> str:
        """Name the SDK, and where a changed one comes from."""
        shown = f"{self.name} {self.version}"
        if self.requested is None or not (self.repinned or self.regenerated):
            return shown
        how = "regenerated" if self.regenerated else "re-pinned"
        return f"{shown} ({how} from {self.requested.name} {self.requested.version})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """The result of running a wheel with an SDK; it is part of the wheel's record.

    Attributes:
        how: How the executable was started, ``natively`` or ``under qemu-aarch64-static``.
        cases: The results of all cases, in the order of the case table.
        rules: The digest of the cases' code. A result of other cases proves nothing about those of today.
    """

    sdk: SdkIdentity
    how: str
    cases: tuple[CaseResult, ...]
    rules: Sha256 | None = field(default=None, metadata={Form.OMITTED_IF_NONE: True})

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
        return f"{self.sdk}, {self.how}: {', '.join(numbers)}"
