"""Waivers: findings that somebody accepts, with a reason that everybody sees."""

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from factory.core.errors import UsageError
from factory.core.model import Finding, WaivedFinding

NEVER_WAIVED = frozenset({"archive-bomb", "archive-unreadable", "check-crashed"})
"""What these say is that nobody looked; to accept that would be to pass what was never seen."""


class MalformedWaiver(UsageError):
    """A text is no waiver."""

    hint = (
        "Write ID:PATTERN=REASON, for example "
        "'metadata-licence-text:*=the licences are in the release notes'; 'factory checks' lists the ids."
    )

    def __init__(self, text: str, problem: str) -> None:
        super().__init__(f"{text!r} is no waiver: {problem}")


class CannotBeWaived(UsageError):
    """A waiver is for a check that says that a wheel was not looked at."""

    hint = "A wheel that could not be looked at cannot be accepted; 'factory explain ID' says what to do."

    def __init__(self, check: str) -> None:
        super().__init__(f"findings of {check} cannot be waived")


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """One accepted kind of finding.

    Attributes:
        check: The id of the check, exactly.
        pattern: A shell pattern for the finding's place; ``*`` also matches ``/``.
        reason: Why it is acceptable; shown wherever findings are.

    Raises:
        CannotBeWaived: The check is one of `NEVER_WAIVED`.
    """

    check: str
    pattern: str
    reason: str

    def __post_init__(self) -> None:
        """Refuse what no reason could make acceptable."""
        if self.check in NEVER_WAIVED:
            raise CannotBeWaived(self.check)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse ``ID:PATTERN=REASON``; an id has no colon and a pattern no equals sign.

        Raises:
            MalformedWaiver: A part is missing.
        """
        head, _, reason = text.partition("=")
        check, _, pattern = head.partition(":")
        parts = {"id": check.strip(), "pattern": pattern.strip(), "reason": reason.strip()}
        for part, value in parts.items():
            if not value:
                raise MalformedWaiver(text, f"it has no {part}")
        return cls(check=parts["id"], pattern=parts["pattern"], reason=parts["reason"])

    def covers(self, finding: Finding) -> bool:
        """Whether the waiver accepts a finding."""
        return finding.check == self.check and fnmatch.fnmatchcase(finding.place, self.pattern)

    def __str__(self) -> str:
        return f"{self.check}:{self.pattern}={self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waived:
    """What waivers left of some findings.

    Attributes:
        remaining: Findings that no waiver covers.
        waived: Those that one does, each with the first such waiver.
        unused: Waivers that covered nothing: the defect is gone, or the pattern is wrong.
    """

    remaining: tuple[Finding, ...]
    waived: tuple[WaivedFinding, ...]
    unused: tuple[Waiver, ...]


class UnusedWaiver(UsageError):
    """A waiver covers no finding."""

    hint = "Remove the waiver or correct it; one that matches nothing would hide the next defect."

    def __init__(self, waivers: Sequence[Waiver]) -> None:
        shown = ", ".join(f"{waiver.check}:{waiver.pattern}" for waiver in waivers)
        super().__init__(f"no finding matches the waiver {shown}")


def apply_waivers(findings: Sequence[Finding], waivers: Sequence[Waiver]) -> Waived:
    """Take the accepted findings out. Unused waivers are returned, since only a whole run can tell."""
    remaining: list[Finding] = []
    waived: list[WaivedFinding] = []
    used: set[Waiver] = set()
    for finding in findings:
        covering = [waiver for waiver in waivers if waiver.covers(finding)]
        used.update(covering)
        if covering:
            first = covering[0]
            waived.append(WaivedFinding(finding=finding, pattern=first.pattern, reason=first.reason))
        else:
            remaining.append(finding)
    return Waived(
        remaining=tuple(remaining),
        waived=tuple(waived),
        unused=tuple(waiver for waiver in waivers if waiver not in used),
    )


def require_used(unused: Sequence[Waiver]) -> None:
    """Refuse waivers that covered nothing in a whole run.

    Raises:
        UnusedWaiver: There are some.
    """
    if unused:
        raise UnusedWaiver(unused)
