"""Gaps and findings that a person accepts, so that a scheduled audit ends with 0 until something changes.

An acceptance changes the exit status and nothing else: outcome, status and answer stay, and the report
and the statement name what was accepted.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from factory.audit.answer import Status
from factory.audit.selection import Release, Selection
from factory.audit.verdict import Accepted, AcceptedThing, AuditReport, Verdict
from factory.core.digests import Sha256
from factory.core.model import Severity
from factory.verify.waivers import Waiver

ANY_PLATFORM = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownGap:
    """A release without a package on the channel.

    Attributes:
        platform: The platform of the wheel; ``*`` for all of the release.
    """

    release: Release
    platform: str
    reason: str

    @property
    def is_for_all(self) -> bool:
        """Whether no wheel of the release has a package."""
        return self.platform == ANY_PLATFORM

    def covers(self, verdict: Verdict) -> bool:
        """Whether a wheel was not compared because of the gap."""
        return (
            verdict.status is Status.NOTHING_TO_COMPARE
            and verdict.tag == str(self.release)
            and (self.is_for_all or self.platform == verdict.platform)
        )

    def __str__(self) -> str:
        return f"gap {self.release} {self.platform}"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFinding:
    """Errors of a check in one published wheel.

    Attributes:
        sha256: The digest of the wheel: other bytes are not accepted.
        waiver: The check, a shell pattern for the places, and the reason.
    """

    sha256: Sha256
    waiver: Waiver

    def __str__(self) -> str:
        return f"finding {self.waiver.check} at {self.waiver.pattern} in {self.sha256}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a person accepts."""

    gaps: tuple[KnownGap, ...] = ()
    findings: tuple[KnownFinding, ...] = ()

    def accept_in(self, report: AuditReport) -> AuditReport:
        """Return a report that names what is accepted in each verdict."""
        verdicts = tuple(
            replace(verdict, accepted=(*verdict.accepted, *self._acceptances(verdict)))
            for verdict in report.verdicts
        )
        return replace(report, verdicts=verdicts)

    def unused_in(self, report: AuditReport, selection: Selection) -> tuple[KnownGap | KnownFinding, ...]:
        """Return the entries that match nothing in the run that they are about.

        A run for some releases says nothing about entries for others, so that one file can serve every job.
        """
        return (
            *(
                gap
                for gap in self.gaps
                if selection.takes_release(gap.release, None if gap.is_for_all else gap.platform)
                and not any(gap.covers(verdict) for verdict in report.verdicts)
            ),
            *(
                finding
                for finding in self.findings
                if (selection.is_everything or _is_about(finding, report.verdicts))
                and not any(_covered(finding, report.verdicts))
            ),
        )

    def _acceptances(self, verdict: Verdict) -> Iterator[Accepted]:
        for gap in self.gaps:
            if gap.covers(verdict):
                yield Accepted(thing=AcceptedThing.GAP, place=verdict.platform, reason=gap.reason)
                break
        waivers = [known.waiver for known in self.findings if known.sha256 == verdict.sha256]
        for finding in verdict.findings:
            waiver = next((one for one in waivers if one.covers(finding)), None)
            if waiver is not None and finding.severity is Severity.ERROR:
                yield Accepted(
                    thing=AcceptedThing.FINDING,
                    place=finding.place,
                    check=finding.check,
                    reason=waiver.reason,
                )


def _is_about(finding: KnownFinding, verdicts: Iterable[Verdict]) -> bool:
    return any(finding.sha256 == verdict.sha256 for verdict in verdicts)


def _covered(known: KnownFinding, verdicts: Iterable[Verdict]) -> Iterator[bool]:
    for verdict in verdicts:
        if verdict.sha256 == known.sha256:
            for finding in verdict.findings:
                yield finding.severity is Severity.ERROR and known.waiver.covers(finding)
