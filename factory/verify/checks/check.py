"""What a check is: a small pure function over a wheel's contents, and why it exists."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from factory.core.model import Finding, Severity

SubjectT = TypeVar("SubjectT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What a check saw: where, and the evidence. The check adds the rest of the finding."""

    place: str
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Check(Generic[SubjectT]):
    """One property that a wheel must have.

    Attributes:
        id: Stable, kebab-case, prefixed by its family: ``record-hash``, ``elf-glibc-floor``.
        title: The property, as a short statement of what is right.
        severity: What a violation weighs.
        protects: Who would be hurt by a violation, and how: the reason the check exists.
        standard: The specification or source that asks for it.
        remedy: What to do about a violation, one sentence.
        find: Yields a fault per violation; pure, and silent on a good wheel.
    """

    id: str
    title: str
    severity: Severity
    protects: str
    standard: str
    remedy: str
    find: Callable[[SubjectT], Iterable[Fault]]

    def findings(self, subject: SubjectT) -> tuple[Finding, ...]:
        """Run the check and make a finding of each fault."""
        return tuple(self.finding(fault) for fault in self.find(subject))

    def finding(self, fault: Fault) -> Finding:
        """Make a finding of a fault."""
        return Finding(
            check=self.id,
            severity=self.severity,
            place=fault.place,
            evidence=fault.evidence,
            remedy=self.remedy,
        )
