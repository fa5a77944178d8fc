"""What is wrong in an audit: errors and open questions, the worst first, each with its remedy.

The HTML page begins with them: an outcome such as IDENTICAL says nothing about errors in a wheel.
"""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from factory.audit.answer import Status
from factory.audit.origin import ListedOrigin
from factory.audit.verdict import AuditReport, ProvenanceState, Verdict
from factory.core.model import ChannelName, Severity
from factory.verify.catalogue import by_id

_MOST_TAGS = 5
_REMEDIES = {
    Status.DIFFERENT: "Do not install the wheel. Find out where it came from, and report it to the project.",
    Status.NOT_DECIDED: "Read what is new and compare it with upstream's source. If it is right, extend the"
    " baseline with 'factory ci baseline propose'; otherwise do not install the wheel.",
}


class Rank(StrEnum):
    """How bad a problem is, the worst first; the value is the page's word and class."""

    DIFFERENT = "different"
    NOT_DECIDED = "not decided"
    ERROR = "error"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a problem is: the wheel, the member or the like, and what was seen."""

    wheel: str
    member: str
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Concern:
    """One kind of problem, with all of its places.

    Attributes:
        severity: Of the cause or finding; it orders problems of one rank.
        id: The id of the cause or of the check.
        sentence: What is wrong.
        remedy: What to do about it.
    """

    rank: Rank
    severity: Severity
    id: str
    sentence: str
    remedy: str
    places: tuple[Place, ...]


def problems(report: AuditReport) -> tuple[Concern, ...]:
    """Return everything in an audit that a person has to look at, the worst first."""
    found: dict[Concern, list[Place]] = {}
    for verdict in report.verdicts:
        for problem in _of_verdict(verdict):
            found.setdefault(replace(problem, places=()), []).extend(problem.places)
    grouped = [replace(problem, places=tuple(places)) for problem, places in found.items()]
    return tuple(sorted(grouped, key=_position))


def _position(problem: Concern) -> tuple[int, int, bool]:
    """Order problems by rank and severity; a text to review comes after what is wrong in any case."""
    is_for_review = problem.id.endswith("-not-seen-before")
    return list(Rank).index(problem.rank), problem.severity.position, is_for_review


def repeat_command(report: AuditReport) -> str:
    """Return a command that repeats the audit, without credentials: the report has none."""
    words = ["factory", "audit"]
    files = [verdict.name for verdict in report.verdicts if not isinstance(verdict.origin, ListedOrigin)]
    tags = list(dict.fromkeys(verdict.tag for verdict in report.verdicts if verdict.tag))
    if files:
        words += [word for name in files for word in ("--wheel", name)]
    else:
        words += tags if len(tags) <= _MOST_TAGS else ["--all"]
    if report.mapping is not None and not report.mapping.is_bundled:
        words += ["--mapping", report.mapping.name]
    elif report.mapping is not None:
        words += ["--project", report.project]
    if report.channel != ChannelName.NPM:
        words += ["--channel", report.channel]
    words += ["--no-index"] if report.index is None else ["--index-url", report.index]
    return shlex.join(words)


def _of_verdict(verdict: Verdict) -> Iterator[Concern]:
    if verdict.status in {Status.DIFFERENT, Status.NOT_DECIDED}:
        yield from _undecided_or_different(verdict)
    for finding in verdict.findings:
        if finding.severity is Severity.ERROR:
            place = Place(wheel=verdict.name, member=finding.place, evidence=finding.evidence)
            yield _problem(Rank.ERROR, finding.check, _requirement(finding.check), finding.remedy, place)
    if verdict.provenance.state is ProvenanceState.NOT_VALID:
        place = Place(wheel=verdict.name, member="provenance", evidence=verdict.provenance.reason)
        sentence = "The attestations that the index serves are not valid."
        yield _problem(Rank.ERROR, "provenance", sentence, "Ask the project who published the file.", place)
    if verdict.provenance.state is ProvenanceState.NOT_JUDGED:
        place = Place(wheel=verdict.name, member="provenance", evidence=verdict.provenance.reason)
        sentence = "The index serves attestations, which this installation cannot verify."
        yield _problem(
            Rank.NOT_DECIDED, "provenance-not-judged", sentence, "Install it, and audit again.", place
        )
    if verdict.is_yanked:
        place = Place(wheel=verdict.name, member="", evidence=_reason_of_yank(verdict))
        sentence = "The index lists the file as yanked: installers take it only if it is pinned."
        remedy = "Use another release."
        yield _problem(Rank.NOTICE, "yanked", sentence, remedy, place, severity=Severity.NOTE)


def _undecided_or_different(verdict: Verdict) -> Iterator[Concern]:
    rank = Rank.DIFFERENT if verdict.status is Status.DIFFERENT else Rank.NOT_DECIDED
    remedy = _REMEDIES[verdict.status]
    if verdict.reason or not verdict.causes:
        place = Place(wheel=verdict.name, member="", evidence=verdict.reason)
        retry = remedy if rank is Rank.DIFFERENT else "Run the audit again; see docs/troubleshooting.md."
        yield _problem(rank, verdict.status.value, verdict.status.meaning, retry, place)
    for cause in verdict.causes:
        if cause.severity is not Severity.NOTE:
            place = Place(wheel=verdict.name, member=cause.place, evidence=cause.evidence)
            yield _problem(rank, cause.id, cause.sentence, remedy, place, severity=cause.severity)


def _requirement(check: str) -> str:
    """Return what a check requires, and for whom; a report of another version may name an unknown check."""
    listed = by_id().get(check)
    return "" if listed is None else f"Required: {listed.title}. Affected: {listed.protects}"


def _problem(
    rank: Rank, id_: str, sentence: str, remedy: str, place: Place, *, severity: Severity = Severity.ERROR
) -> Concern:
    return Concern(rank=rank, severity=severity, id=id_, sentence=sentence, remedy=remedy, places=(place,))


def _reason_of_yank(verdict: Verdict) -> str:
    reason = verdict.origin.yanked if isinstance(verdict.origin, ListedOrigin) else None
    return reason or "no reason given"
