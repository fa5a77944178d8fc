"""A check: a small pure function over a wheel's contents, with the reason it exists."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from factory.core.model import Finding, Severity

SubjectT = TypeVar("SubjectT")


@dataclass(frozen=True, slots=True)
class Fault:
    """One violation that a check found: where, and the evidence."""

    place: str
    evidence: str


Find = Callable[[SubjectT], Iterable[Fault]]
"""Yields one fault per violation; it is pure, and yields none for a good wheel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check(Generic[SubjectT]):
    """One property that a wheel must have.

    Attributes:
        id: Stable, kebab-case, prefixed by its family: ``record-hash``, ``elf-glibc-floor``.
        title: The property, as a statement that is true of a good wheel.
        protects: Who is hurt by a violation, and how.
        standard: The specification or source that requires the property.
        remedy: What to do about a violation, in one sentence.
        is_for_project: Whether only wheels of this project must have the property.
    """

    id: str
    title: str
    severity: Severity
    protects: str
    standard: str
    remedy: str
    find: Find[SubjectT]
    is_for_project: bool = False

    def findings(self, subject: SubjectT) -> tuple[Finding, ...]:
        """Run the check and turn each fault into a finding."""
        return tuple(self.finding(fault) for fault in self.find(subject))

    def finding(self, fault: Fault) -> Finding:
        """Turn a fault into a finding."""
        return Finding(
            check=self.id,
            severity=self.severity,
            place=fault.place,
            evidence=fault.evidence,
            remedy=self.remedy,
        )


class Checks(Generic[SubjectT]):
    """Collect the checks of one module, in the order in which the module defines them.

    An instance is a decorator for functions that find faults:

        check = Checks[WheelContents](standard="PEP 656")

        @check("elf-musl", Severity.ERROR, title=..., protects=..., remedy=...)
        def _find_not_musl(wheel: WheelContents) -> Iterator[Fault]: ...

        CHECKS = check.registered()
    """

    def __init__(self, *, standard: str = "", is_for_project: bool = False) -> None:
        """Take the standard of those checks that name no other, and whether all are for this project only."""
        self._standard = standard
        self._is_for_project = is_for_project
        self._checks: list[Check[SubjectT]] = []

    def __call__(
        self, check_id: str, severity: Severity, *, title: str, protects: str, remedy: str, standard: str = ""
    ) -> Callable[[Find[SubjectT]], Find[SubjectT]]:
        """Register the decorated function as a check; the arguments are the attributes of `Check`."""

        def register(find: Find[SubjectT]) -> Find[SubjectT]:
            self._checks.append(
                Check(
                    id=check_id,
                    title=title,
                    severity=severity,
                    protects=protects,
                    standard=standard or self._standard,
                    remedy=remedy,
                    find=find,
                    is_for_project=self._is_for_project,
                )
            )
            return find

        return register

    def registered(self) -> tuple[Check[SubjectT], ...]:
        """Return the checks in the order of their definition."""
        return tuple(self._checks)
