"""What a wheel holds, as values: read once by `factory.verify.reading.read`, judged by the checks.

Whatever could not be read is a `Problem` and not an exception, so that one
damaged part never hides another. Both copies of a member's header are kept: an
installer may follow either, and where they differ two tools install two things.
"""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from pathlib import Path

from packaging.tags import Tag
from packaging.version import Version

from factory.core.digests import Sha256
from factory.core.model import FileKind
from factory.core.tags import CodexTag
from factory.core.targets import Architecture, OperatingSystem, Platform, architecture_of, operating_system_of
from factory.core.trust_level import TrustAssessment
from factory.core.zip_records import CentralHeader, Header
from factory.executables.signatures.assess import Executable, assess
from factory.executables.signatures.policy import TrustPolicy


class ProblemKind(StrEnum):
    """Why a part of an archive could not be read; each one is a check's finding."""

    UNREADABLE = "unreadable"
    DIRECTORY = "directory"
    LOCAL_HEADER = "local-header"
    CONTENT = "content"
    ENCRYPTED = "encrypted"
    METHOD = "method"
    OVERLAP = "overlap"
    BOMB = "bomb"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One part that could not be read: which (a member's name, or the wheel's), and what was seen."""

    kind: ProblemKind
    place: str
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One member of a wheel.

    Attributes:
        name: Its name as an installer decodes it; undecodable bytes appear escaped.
        central: Its entry in the central directory.
        local: Its local header, if there is one where the directory points.
        start: Where its local header starts, and `end` where the next thing may start, in the file.
        size_bytes: How many bytes its content really has, as far as it was read.
        crc32: Of its real content.
        sha256: Of its real content; None when it could not be read to its end.
        kind: What its first bytes say it is.
        data: The content, of small members only.
        extracted: The content as a file below scratch, of executable images only.
    """

    name: str
    central: CentralHeader
    local: Header | None
    start: int
    end: int
    size_bytes: int
    crc32: int
    sha256: Sha256 | None
    kind: FileKind
    data: bytes | None = None
    extracted: Path | None = None

    @property
    def mode(self) -> int:
        """The file mode with its type bits, ``0o100755``: installers take it whatever the create system."""
        return self.central.external_attributes >> 16

    @property
    def is_directory(self) -> bool:
        """Whether it stands for a directory."""
        return self.name.endswith("/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """Facts about the container as a whole.

    Attributes:
        size_bytes: The file's size.
        prefix_bytes: How many bytes come before the first local header.
        suffix_bytes: How many come after the end record and its comment.
        gaps: Offset and length of every stretch between that no record accounts for.
        overlapping: Names of members whose bytes another member claims as well.
        comment: The archive's comment.
        zip64: Whether zip64 end records are present.
        disks: How many disks it claims beyond one.
        rival_ends: Offsets of other end records that a reader could take instead.
    """

    size_bytes: int = 0
    prefix_bytes: int = 0
    suffix_bytes: int = 0
    gaps: tuple[tuple[int, int], ...] = ()
    overlapping: tuple[str, ...] = ()
    comment: bytes = b""
    zip64: bool = False
    disks: int = 0
    rival_ends: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedName:
    """A wheel's file name, taken apart.

    Attributes:
        distribution: As written, ``openai_codex_cli_bin``.
        version_text: As written.
        version: As PEP 440 reads it.
        build: The build tag, as written; empty for none.
        tags: All tags, compressed sets expanded.
        platforms: The platform tags in the order of the name.
    """

    distribution: str
    version_text: str
    version: Version
    build: str
    tags: frozenset[Tag]
    platforms: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedFile:
    """A payload file that a wheel must hold: its member name and its content."""

    name: str
    sha256: Sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedWheel:
    """What a wheel must be, known because the factory itself built it.

    Attributes:
        tag: The release.
        platform: The platform.
        payload: The release package's files that it must hold.
        left_out: The members that the recipe leaves out of it, each for a reason in the manifest.
        asset: The package URL of that release package; empty where it is not known.
    """

    tag: CodexTag
    platform: Platform
    payload: tuple[ExpectedFile, ...]
    left_out: tuple[str, ...] = ()
    asset: str = ""

    @property
    def promises(self) -> dict[Sha256, str]:
        """Content to the release package that has it, whose digest the channel promises."""
        return {file.sha256: self.asset for file in self.payload} if self.asset else {}


@dataclass(frozen=True, kw_only=True)  # no slots: the cached properties live in the instance's dict
class WheelContents:
    """A wheel, read; what every check looks at.

    Attributes:
        path: Where it lies.
        name: Its file name.
        parsed: The name taken apart; None when it is no wheel's.
        members: In the order of the central directory.
        archive: Facts about the container.
        problems: What could not be read.
        expected: What the factory knows it must be; None for a wheel from elsewhere.
        trust: What its executables' assessments rest on.
    """

    path: Path
    name: str
    parsed: ParsedName | None
    members: tuple[Member, ...]
    archive: Archive
    problems: tuple[Problem, ...]
    expected: ExpectedWheel | None = None
    trust: TrustPolicy = field(default_factory=TrustPolicy)

    @property
    def is_unreadable(self) -> bool:
        """Whether nothing at all could be read, so that no other check has anything to say."""
        return bool(self.problems) and not self.members

    @property
    def platforms(self) -> tuple[str, ...]:
        """The platform tags of the file name; empty when it is no wheel's name."""
        return self.parsed.platforms if self.parsed else ()

    @property
    def operating_system(self) -> OperatingSystem | None:
        """The operating system of all its platform tags; None when they name none, or several."""
        systems = {operating_system_of(tag) for tag in self.platforms}
        return systems.pop() if len(systems) == 1 else None

    @property
    def architecture(self) -> Architecture | None:
        """The architecture of all its platform tags; None when they name none we know, or several."""
        architectures = {architecture_of(tag) for tag in self.platforms}
        return architectures.pop() if len(architectures) == 1 else None

    @cached_property
    def by_name(self) -> dict[str, Member]:
        """The members by name; of doubled names the last, as installers see it."""
        return {member.name: member for member in self.members}

    @property
    def left_out(self) -> frozenset[str]:
        """Names of members that are known to be absent for a reason; none of a wheel from elsewhere."""
        return frozenset(self.expected.left_out if self.expected else ())

    def member(self, name: str) -> Member | None:
        """Return the member of a name, if there is one."""
        return self.by_name.get(name)

    @cached_property
    def images(self) -> tuple[Member, ...]:
        """The executable images that were extracted, by content and never by name."""
        return tuple(
            member
            for member in self.members
            if member.kind.is_executable_image and member.extracted is not None
        )

    @cached_property
    def assessments(self) -> tuple[TrustAssessment, ...]:
        """Where its executables stand on the ladder of trust; each one's bytes are read once for it."""
        known = self.expected.promises if self.expected else {}
        policy = replace(self.trust, promises={**known, **self.trust.promises})
        return tuple(
            assess(
                Executable(path=member.extracted, place=member.name, sha256=member.sha256, kind=member.kind),
                policy,
            )
            for member in self.images
            if member.extracted is not None and member.sha256 is not None
        )
