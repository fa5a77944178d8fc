"""The verdict of an audit on a published wheel, as values without I/O.

A verdict has two answers, which are always given separately: the *outcome* of the comparison with the
rebuilt wheel, and the *payload chain*, which names the release asset of each executable.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from factory.audit.answer import WORST_FIRST, Answer, Status
from factory.audit.origin import ListedOrigin, LocalOrigin, Origin
from factory.core.digests import Sha256
from factory.core.errors import EXIT_INCONCLUSIVE, EXIT_OK
from factory.core.form import Form
from factory.core.model import Finding, Severity
from factory.core.trust_level import TrustAssessment


class Outcome(StrEnum):
    """How a published wheel compares with its rebuild."""

    IDENTICAL = "IDENTICAL"
    REPLAYED = "IDENTICAL-REPLAYED"
    EQUIVALENT = "EQUIVALENT"
    DIFFERENT = "DIFFERENT"
    NOT_REBUILT = "NOT-REBUILT"

    @property
    def meaning(self) -> str:
        """The outcome as one sentence."""
        return _MEANINGS[self]

    @property
    def is_same_bytes(self) -> bool:
        """Whether the rebuilt wheel has the published wheel's SHA-256."""
        return self in {Outcome.IDENTICAL, Outcome.REPLAYED}


_MEANINGS = {
    Outcome.IDENTICAL: "The rebuilt wheel has the SHA-256 of the audited wheel.",
    Outcome.REPLAYED: "The rebuilt wheel has the SHA-256 of the audited wheel after the container values"
    " listed below were taken from that wheel.",
    Outcome.EQUIVALENT: "Every member is as released and reviewed; the file was not rebuilt bit for bit.",
    Outcome.DIFFERENT: "Members differ; each difference is listed.",
    Outcome.NOT_REBUILT: "The wheel was not rebuilt; this is no statement about its bytes.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One reason why a published wheel and its rebuild differ, or something unusual in equal wheels.

    Attributes:
        id: Stable, kebab-case: ``executable-not-upstream``.
        severity: How much it matters to a user who installs the wheel.
        place: The member, or the wheel's file name.
        sentence: What differs and why that matters.
        evidence: The observed value, and the value in the rebuild.
    """

    id: str
    severity: Severity
    place: str
    sentence: str
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainLink:
    """One executable of a published wheel, and the release file with the same SHA-256.

    Attributes:
        sha256: The digest in RECORD, which is only a claim until the wheel is rebuilt or read.
        asset: The package URL of the release asset; None if no asset has the file.
        path: The file's path in the asset.
    """

    member: str
    sha256: Sha256
    asset: str | None
    path: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedText:
    """A text that the audit had to take from the published wheel itself.

    Attributes:
        place: The member's name.
        use: What the rebuild used it for.
        text: The whole text with its own line endings.
        is_known: Whether the reviewed baseline has it; if not, it should be read.
    """

    place: str
    use: str
    sha256: Sha256
    text: str
    is_known: bool = False


class AcceptedThing(StrEnum):
    """What a person can accept for an audit."""

    TEXT = "text"
    FINDING = "finding"
    GAP = "gap"


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """Something that the audit found, and that a person accepts for a reason.

    Attributes:
        place: The member; for a gap, the wheel's platform.
        check: The check whose finding is accepted; empty for a text and a gap.
    """

    thing: AcceptedThing
    place: str
    check: str = ""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InferredFacts:
    """The inferred recipe in words.

    Attributes:
        generator: The backend and its version, as in WHEEL.
        create_system: The zip host of the members.
        line_ends: Of the template text: ``LF``, ``CRLF`` or ``mixed``.
        recipe: The digest of the whole recipe.
        left_out: Release files that the wheel lacks.
    """

    generator: str
    metadata_version: str
    create_system: int
    line_ends: str
    recipe: Sha256
    left_out: tuple[str, ...]


class ProvenanceState(StrEnum):
    """Whether an index serves provenance for a file (PEP 740), and whether it is valid."""

    VERIFIED = "verified"
    NOT_VALID = "not-valid"
    NONE = "none"
    NOT_SEEN = "not-seen"
    NOT_JUDGED = "not-judged"
    """The index serves one, and the part of this program that verifies it is not installed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedProvenance:
    """The provenance that an index serves for a file.

    Attributes:
        reason: Why the provenance is missing, not valid or not verified; empty if it is verified.
        publishers: Who published the file, if the provenance is verified.
    """

    state: ProvenanceState
    reason: str
    publishers: tuple[str, ...] = ()


NOT_LOOKED_UP = ServedProvenance(state=ProvenanceState.NOT_SEEN, reason="it was not requested")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The answer for one published wheel.

    Attributes:
        tag: The Codex tag of its version; empty if the version is not that of a Codex release. For a project
            with a mapping, the version of the project.
        platform: The platform tags of the file name, joined by dots.
        size_bytes: The size that the index gives, if it gives one.
        sha256: The digest that the index lists, or the digest of the local file.
        origin: Who vouches for the digest: an index, or only the file itself.
        status: What a job does about the wheel.
        answer: What a statement about the wheel may say.
        reason: Why the wheel was not rebuilt; empty otherwise.
        rebuilt: The SHA-256 of the rebuilt wheel.
        replayed: The container values taken from the published wheel, for `Outcome.REPLAYED`.
        causes: Why the bytes differ, and what is unusual in equal bytes.
        chain: The origin of each executable.
        trust_base: The texts taken from the wheel itself.
        findings: The findings of ``factory verify`` on the published bytes.
        is_inspected: Whether ``factory verify`` ran; if not, the absence of findings means nothing.
        fetched_bytes: How many bytes of the published wheel were read.
        accepted: What a person accepts; it never makes the answer a stronger one.
        provenance: Who published the wheel, as the index states it; it does not change the outcome.
    """

    name: str
    tag: str
    platform: str
    size_bytes: int | None
    sha256: Sha256
    origin: Origin = field(metadata={Form.KINDS: {"listed": ListedOrigin, "local": LocalOrigin}})
    outcome: Outcome
    status: Status
    answer: Answer
    reason: str = ""
    rebuilt: Sha256 | None = None
    replayed: tuple[str, ...] = ()
    causes: tuple[Cause, ...] = ()
    chain: tuple[ChainLink, ...] = ()
    trust_base: tuple[TrustedText, ...] = ()
    inferred: InferredFacts | None = None
    findings: tuple[Finding, ...] = ()
    assessments: tuple[TrustAssessment, ...] = field(default=(), metadata={Form.KEY: "standings"})
    is_inspected: bool = False
    fetched_bytes: int = 0
    accepted: tuple[Accepted, ...] = ()
    provenance: ServedProvenance = NOT_LOOKED_UP

    @property
    def exit_status(self) -> int:
        """The exit status of an audit of this wheel alone, with what a person accepts."""
        status = EXIT_OK if self._is_accepted else self.status.exit_status
        is_open = self.provenance.state is ProvenanceState.NOT_JUDGED
        return EXIT_INCONCLUSIVE if is_open and status == EXIT_OK else status

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that are errors."""
        return tuple(finding for finding in self.findings if finding.severity is Severity.ERROR)

    @property
    def _is_accepted(self) -> bool:
        accepted = {(one.thing, one.check, one.place) for one in self.accepted}
        match self.status:
            case Status.NOTHING_TO_COMPARE:
                return any(thing is AcceptedThing.GAP for thing, _, _ in accepted)
            case Status.FAITHFUL_WITH_ERRORS:
                found = {(AcceptedThing.FINDING, one.check, one.place) for one in self.errors}
                return bool(found) and found <= accepted and not self.has_false_provenance
            case Status.FAITHFUL | Status.NOT_DECIDED | Status.DIFFERENT:
                return False

    @property
    def has_false_provenance(self) -> bool:
        """Whether the index serves a provenance that is not valid."""
        return self.provenance.state is ProvenanceState.NOT_VALID

    @property
    def is_yanked(self) -> bool:
        """Whether the index lists the wheel as yanked."""
        return isinstance(self.origin, ListedOrigin) and self.origin.yanked is not None

    @property
    def has_whole_chain(self) -> bool:
        """Whether every executable comes from the release; a wheel without executables has no chain."""
        return bool(self.chain) and all(link.asset is not None for link in self.chain)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnexpectedFile:
    """A file of the project that cannot be audited."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingRef:
    """Which mapping an audit used, for reports and statements.

    Attributes:
        name: The project of a bundled mapping, or the name of the user's file.
        sha256: The digest of the file.
        is_bundled: Whether it was reviewed in this factory; a user's own never gives a summary.
    """

    name: str
    sha256: Sha256
    is_bundled: bool

    @property
    def sentence(self) -> str:
        """The mapping as a sentence."""
        if self.is_bundled:
            return f"the reviewed mapping of {self.name}, sha256:{self.sha256}"
        return f"the auditor's own mapping {self.name}, sha256:{self.sha256}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """The verdicts on some wheels of one project.

    Attributes:
        channel: Where the release packages were downloaded from.
        index: The address of the index that was asked, without credentials; None if none was asked.
        asked_at: When it was asked, in UTC.
        verdicts: In the order of releases and platforms.
        unexpected: Files of the audited releases that could not be audited.
        absent: A sentence for each release and platform that was asked for and that the index lacks.
        mapping: The mapping that the audit rests on; None if it rests on inferred recipes and the baseline.
    """

    project: str
    channel: str
    index: str | None
    asked_at: datetime | None
    verdicts: tuple[Verdict, ...] = field(metadata={Form.KEY: "wheels"})
    unexpected: tuple[UnexpectedFile, ...] = ()
    absent: tuple[str, ...] = ()
    mapping: MappingRef | None = field(
        default=None, metadata={Form.MAY_BE_MISSING: True, Form.OMITTED_IF_NONE: True}
    )

    @property
    def exit_status(self) -> int:
        """The exit status of the audit: that of the worst wheel; an audit of no wheels is not decided."""
        statuses = {verdict.exit_status for verdict in self.verdicts}
        if self.unexpected or self.absent or not statuses:
            statuses.add(EXIT_INCONCLUSIVE)
        return next(status for status in WORST_FIRST if status in statuses)


def first_breaks(verdicts: Sequence[Verdict]) -> tuple[Verdict, ...]:
    """Return each wheel that differs after a wheel of an earlier release and the same platform was identical.

    This is the strongest signal in an audit of many releases: the build process is known, and yet
    something else was published. The verdicts are in the order of releases.
    """
    was_identical: set[str] = set()
    breaks: list[Verdict] = []
    for verdict in verdicts:
        if verdict.outcome is Outcome.IDENTICAL:
            was_identical.add(verdict.platform)
        elif verdict.outcome is not Outcome.NOT_REBUILT and verdict.platform in was_identical:
            breaks.append(verdict)
    return tuple(breaks)
