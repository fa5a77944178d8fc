"""Waivers: accepted findings, each with a reason that is shown in every report."""

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from factory.core.errors import UsageError
from factory.core.model import Finding, WaivedFinding

NEVER_WAIVED = frozenset({"archive-bomb", "archive-unreadable", "check-crashed"})
"""These checks report that something was not checked, which no reason makes acceptable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """One kind of accepted finding.

    Attributes:
        check: The exact id of the check.
        pattern: A shell pattern for the place of the finding; ``*`` also matches ``/``.
        reason: Why the finding is acceptable.

    Raises:
        UsageError: The check is one of `NEVER_WAIVED`.
    """

    check: str
    pattern: str
    reason: str

    def __post_init__(self) -> None:
        """Reject waivers for checks that cannot be waived."""
        if self.check in NEVER_WAIVED:
            raise UsageError(
                f"findings of {self.check} cannot be waived",
                hint="A wheel that could not be checked cannot be accepted; see 'factory show check ID'.",
            )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse ``ID:PATTERN=REASON``; an id has no colon, and a pattern has no equals sign.

        Raises:
            UsageError: A part is missing.
        """
        head, _, reason = text.partition("=")
        check, _, pattern = head.partition(":")
        parts = {"id": check.strip(), "pattern": pattern.strip(), "reason": reason.strip()}
        for part, value in parts.items():
            if not value:
                raise UsageError(
                    f"the waiver {text!r} has no {part}",
                    hint="Write ID:PATTERN=REASON, for example 'metadata-licence-text:*=the licences are in "
                    "the release notes'; 'factory show checks' lists the ids.",
                )
        return cls(check=parts["id"], pattern=parts["pattern"], reason=parts["reason"])

    def covers(self, finding: Finding) -> bool:
        """Whether the waiver accepts a finding."""
        return finding.check == self.check and fnmatch.fnmatchcase(finding.place, self.pattern)

    def __str__(self) -> str:
        return f"{self.check}:{self.pattern}={self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waived:
    """Findings after waivers were applied.

    Attributes:
        remaining: Findings that no waiver covers.
        waived: The other findings, each with the first waiver that covers it.
        unused: Waivers that cover no finding: the defect is gone, or the pattern is wrong.
    """

    remaining: tuple[Finding, ...]
    waived: tuple[WaivedFinding, ...]
    unused: tuple[Waiver, ...]


def apply_waivers(findings: Sequence[Finding], waivers: Sequence[Waiver]) -> Waived:
    """Separate the waived findings from the others; whether a waiver is unused depends on the whole run."""
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
    """Reject waivers that covered no finding of a whole run.

    Raises:
        UsageError: There is an unused waiver.
    """
    if unused:
        shown = ", ".join(f"{waiver.check}:{waiver.pattern}" for waiver in unused)
        raise UsageError(
            f"no finding matches the waiver {shown}",
            hint="Remove or correct the waiver: it could hide the next defect.",
        )
