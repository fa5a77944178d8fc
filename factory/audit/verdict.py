"""An audit's answer for one published wheel, as values; no I/O.

Two answers, never folded into one word: the *outcome* says how the rebuilt wheel
compares, the *payload chain* says of each executable which release asset has it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from factory.core.codec import Form
from factory.core.digests import Sha256
from factory.core.model import Finding, Severity
from factory.core.trust_level import TrustAssessment


class Outcome(StrEnum):
    """How a published wheel compares with the one rebuilt for it."""

    IDENTICAL = "IDENTICAL"
    REPLAYED = "IDENTICAL-REPLAYED"
    EQUIVALENT = "EQUIVALENT"
    DIFFERENT = "DIFFERENT"
    NOT_REBUILT = "NOT-REBUILT"

    @property
    def meaning(self) -> str:
        """What it says, one sentence."""
        return _MEANINGS[self]

    @property
    def is_same_bytes(self) -> bool:
        """Whether the rebuilt wheel has the published wheel's SHA-256."""
        return self in {Outcome.IDENTICAL, Outcome.REPLAYED}


_MEANINGS = {
    Outcome.IDENTICAL: "The rebuilt wheel has the SHA-256 that the index lists.",
    Outcome.REPLAYED: "The rebuilt wheel has the SHA-256 that the index lists, once the container values"
    " listed below, recorded from the published wheel, were written again.",
    Outcome.EQUIVALENT: "Every member and mode is equal; the container around them is not.",
    Outcome.DIFFERENT: "Members differ; each difference is listed.",
    Outcome.NOT_REBUILT: "It was not rebuilt, so nothing is said about its bytes.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One reason why a published wheel and the rebuilt one are not the same bytes.

    Attributes:
        id: Stable, kebab-case: ``executable-not-upstream``.
        severity: How much it matters to somebody who installs the wheel.
        place: The member, or the wheel's file name.
        sentence: What differs and why that matters.
        evidence: What was seen, and what the rebuild has.
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
        member: Its name in the wheel.
        sha256: Its content. RECORD's claim until the wheel is rebuilt or read.
        asset: The package URL of the release asset that has it; None when none has.
        path: Where it is in that asset.
    """

    member: str
    sha256: Sha256
    asset: str | None
    path: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedText:
    """A text that the audit had to take from the published wheel itself.

    Attributes:
        place: Its member name.
        use: What the rebuild used it for.
        sha256: Of its bytes.
        text: All of it, for a reader; line ends as they are.
        is_usual: Whether every runtime wheel has such a member. Another one is a reason to read it.
    """

    place: str
    use: str
    sha256: Sha256
    text: str
    is_usual: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class InferredFacts:
    """The recipe in words: what the audit read off the published wheel.

    Attributes:
        generator: The backend and its version, as WHEEL names them.
        metadata_version: Of METADATA.
        create_system: The zip host of its members.
        line_ends: Of the template text: ``LF``, ``CRLF`` or ``mixed``.
        recipe: The digest of the whole recipe.
        left_out: Release files that the wheel does not have.
    """

    generator: str
    metadata_version: str
    create_system: int
    line_ends: str
    recipe: Sha256
    left_out: tuple[str, ...]


class ProvenanceState(StrEnum):
    """What became of the provenance that an index serves for a file (PEP 740)."""

    VERIFIED = "verified"
    NOT_VALID = "not-valid"
    NONE = "none"
    NOT_SEEN = "not-seen"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedProvenance:
    """What an index serves about who published a file.

    Attributes:
        state: Whether it holds.
        reason: Why there is none, why it does not hold, or why it was not seen; empty where it holds.
        publishers: Who published the file, where it holds.
    """

    state: ProvenanceState
    reason: str
    publishers: tuple[str, ...] = ()


NOT_LOOKED_UP = ServedProvenance(state=ProvenanceState.NOT_SEEN, reason="nobody looked")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The answer for one published wheel.

    Attributes:
        name: Its file name.
        tag: The release that its version names, as a Codex tag; empty when it names none.
        platform: Its platform tag, or several with dots, as the name has it.
        size_bytes: Its size; None where nobody said.
        sha256: What it is judged against: the index's promise, or the local file's digest.
        yanked: The reason given for a yanked file, else None.
        outcome: How it compares.
        reason: Why it was not rebuilt; empty otherwise.
        rebuilt: The SHA-256 of the rebuilt wheel.
        replayed: The container values that were written again, for `Outcome.REPLAYED`.
        causes: Why the bytes are not the same, and what is unusual where they are.
        chain: Where its executables come from.
        trust_base: What was taken from the wheel itself.
        inferred: The recipe, where it could be inferred.
        findings: What `factory verify` says of the published bytes.
        assessments: How much is known of who made each of its executables.
        is_inspected: Whether `factory verify` saw them; else no finding means nothing.
        fetched_bytes: How much was read of the published wheel.
        provenance: What the index serves about who published it; it decides nothing.
    """

    name: str
    tag: str
    platform: str
    size_bytes: int | None
    sha256: Sha256
    yanked: str | None
    outcome: Outcome
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
    provenance: ServedProvenance = NOT_LOOKED_UP

    @property
    def has_whole_chain(self) -> bool:
        """Whether every executable is from the release; a wheel without any has no chain."""
        return bool(self.chain) and all(link.asset is not None for link in self.chain)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnexpectedFile:
    """A file of the project on the index that is no auditable wheel."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """The answers for some wheels of one project.

    Attributes:
        project: Whose wheels.
        channel: Where the payload was taken from.
        verdicts: In the order of releases and platforms.
        unexpected: Files of the project that are no auditable wheels.
        absent: What was asked for and the index does not have.
    """

    project: str
    channel: str
    verdicts: tuple[Verdict, ...] = field(metadata={Form.KEY: "wheels"})
    unexpected: tuple[UnexpectedFile, ...] = ()
    absent: tuple[str, ...] = ()

    @property
    def is_different(self) -> bool:
        """Whether a wheel is not what the rebuild gives."""
        return any(verdict.outcome is Outcome.DIFFERENT for verdict in self.verdicts)

    @property
    def is_inconclusive(self) -> bool:
        """Whether a wheel could not be looked at; an audit of nothing is inconclusive, too."""
        outcomes = {verdict.outcome for verdict in self.verdicts}
        return not outcomes or Outcome.NOT_REBUILT in outcomes or bool(self.absent)


def first_breaks(verdicts: Sequence[Verdict]) -> tuple[Verdict, ...]:
    """Return each wheel that differs where an earlier release's wheel of its platform was identical.

    This is the strongest signal of an audit over a history: the way of building was
    understood, and then something else was published. The verdicts are in order of release.
    """
    was_identical: set[str] = set()
    breaks: list[Verdict] = []
    for verdict in verdicts:
        if verdict.outcome is Outcome.IDENTICAL:
            was_identical.add(verdict.platform)
        elif verdict.outcome is not Outcome.NOT_REBUILT and verdict.platform in was_identical:
            breaks.append(verdict)
    return tuple(breaks)
