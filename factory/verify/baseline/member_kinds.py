"""What a member of a wheel can be, compared with the baseline and the payload."""

from dataclasses import dataclass
from enum import Enum, StrEnum, auto

from factory.core.model import Severity


class MemberClass(Enum):
    """What a member's kind means for the answer about its wheel."""

    KNOWN = auto()
    """It is what wheels of the release contain."""
    ACCEPTED = auto()
    """The user accepts it for this run."""
    NOT_SEEN = auto()
    """It may be an edit by upstream or an attack: a person must review it."""
    WRONG_PAYLOAD = auto()
    """An executable or another payload file is not the one that belongs there."""
    OUTSIDE_BASELINE = auto()
    """No wheel of the release contains such a thing."""
    UNREADABLE = auto()
    """It could not be looked at."""


class MemberKind(StrEnum):
    """What a member is; the value is the id of the cause in an audit."""

    PAYLOAD = "payload"
    KNOWN_TEXT = "known-text"
    DIST_INFO = "dist-info"
    ACCEPTED_TEXT = "text-accepted"
    UNSEEN_TEXT = "text-not-seen-before"
    NOT_JUDGED = "members-not-judged"
    UNSEEN_METADATA = "metadata-not-seen-before"
    UNKNOWN_GENERATOR = "generator-not-seen-before"
    PAYLOAD_MOVED = "payload-moved"
    PAYLOAD_OF_OTHER_TARGET = "payload-of-other-target"
    PAYLOAD_OF_OTHER_RELEASE = "payload-of-other-release"
    PAYLOAD_UNKNOWN = "payload-unknown"
    PAYLOAD_MISSING = "payload-missing"
    TEXT_MISSING = "text-missing"
    IMPORTABLE = "importable-file"
    ENTRY_POINT = "entry-point"
    DATA_DIRECTORY = "data-directory"
    DEPENDENCY = "dependency"
    FOREIGN = "foreign-member"
    UNREADABLE = "unreadable-member"

    @property
    def member_class(self) -> MemberClass:
        """What the kind means for the answer about the wheel."""
        return _MEANINGS[self][0]

    @property
    def is_known(self) -> bool:
        """Whether there is no cause to report."""
        return self.member_class is MemberClass.KNOWN

    @property
    def severity(self) -> Severity:
        """The severity of the cause."""
        match self.member_class:
            case MemberClass.KNOWN:
                return Severity.NOTE
            case MemberClass.ACCEPTED | MemberClass.NOT_SEEN:
                return Severity.WARNING
            case MemberClass.WRONG_PAYLOAD | MemberClass.OUTSIDE_BASELINE | MemberClass.UNREADABLE:
                return Severity.ERROR

    @property
    def sentence(self) -> str:
        """What the cause says."""
        return _MEANINGS[self][1]


_MEANINGS: dict[MemberKind, tuple[MemberClass, str]] = {
    MemberKind.PAYLOAD: (MemberClass.KNOWN, "It is a file of the release, at its place."),
    MemberKind.KNOWN_TEXT: (MemberClass.KNOWN, "Reviewed wheels have this text."),
    MemberKind.DIST_INFO: (MemberClass.KNOWN, "Its content is as in reviewed wheels."),
    MemberKind.ACCEPTED_TEXT: (
        MemberClass.ACCEPTED,
        "No reviewed wheel has this text; it was accepted for this run.",
    ),
    MemberKind.UNSEEN_TEXT: (
        MemberClass.NOT_SEEN,
        "No reviewed wheel has this text: upstream may have edited it, or somebody else. Read it.",
    ),
    MemberKind.NOT_JUDGED: (
        MemberClass.NOT_SEEN,
        "No text of this release was reviewed, so the members that are not payload were not judged.",
    ),
    MemberKind.UNSEEN_METADATA: (
        MemberClass.NOT_SEEN,
        "No reviewed wheel has this METADATA; name, version and dependencies are as expected. Read it.",
    ),
    MemberKind.UNKNOWN_GENERATOR: (
        MemberClass.NOT_SEEN,
        "No reviewed wheel of this time names this generator: the wheel was built with another tool.",
    ),
    MemberKind.PAYLOAD_MOVED: (
        MemberClass.WRONG_PAYLOAD,
        "It is a file of the release, but it belongs at another place.",
    ),
    MemberKind.PAYLOAD_OF_OTHER_TARGET: (
        MemberClass.WRONG_PAYLOAD,
        "It is a file of the release for another target.",
    ),
    MemberKind.PAYLOAD_OF_OTHER_RELEASE: (
        MemberClass.WRONG_PAYLOAD,
        "It is a file of another release: the wheel is not what its version says.",
    ),
    MemberKind.PAYLOAD_UNKNOWN: (
        MemberClass.WRONG_PAYLOAD,
        "No known release has this file, and it may do anything.",
    ),
    MemberKind.PAYLOAD_MISSING: (
        MemberClass.WRONG_PAYLOAD,
        "The release has this file, wheels of the platform contain it, and this one does not.",
    ),
    MemberKind.TEXT_MISSING: (
        MemberClass.OUTSIDE_BASELINE,
        "Every reviewed wheel of this time has this file, and this one does not.",
    ),
    MemberKind.IMPORTABLE: (
        MemberClass.OUTSIDE_BASELINE,
        "Python can import or run this file, and no reviewed wheel has it.",
    ),
    MemberKind.ENTRY_POINT: (
        MemberClass.OUTSIDE_BASELINE,
        "Installers create commands from entry points, and no reviewed wheel has any.",
    ),
    MemberKind.DATA_DIRECTORY: (
        MemberClass.OUTSIDE_BASELINE,
        "Installers put files of a .data directory outside site-packages, and no reviewed wheel has any.",
    ),
    MemberKind.DEPENDENCY: (
        MemberClass.OUTSIDE_BASELINE,
        "Its dependencies are not those of reviewed wheels: installers would install other projects.",
    ),
    MemberKind.FOREIGN: (MemberClass.OUTSIDE_BASELINE, "No reviewed wheel has such a member."),
    MemberKind.UNREADABLE: (
        MemberClass.UNREADABLE,
        "It could not be read, so installers may see something else.",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class MemberReview:
    """What one member of a wheel is.

    Attributes:
        name: The member, or the name that a missing one should have.
        evidence: The observed and the expected value; empty for a known member.
    """

    name: str
    kind: MemberKind
    evidence: str = ""
