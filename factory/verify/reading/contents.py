"""The contents of a wheel, as `factory.verify.reading.read` reads them and the checks use them.

A part that could not be read becomes a `Problem`, not an exception, so that one damaged part
does not hide another. Both copies of a member's header are kept: installers differ in which
one they use, and where the copies differ, two tools install two different files.
"""

import posixpath
from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import TypeVar, cast

from packaging.tags import Tag
from packaging.version import Version

from factory.core.digests import Sha256
from factory.core.model import FileKind
from factory.core.platform_tags import architecture_of, operating_system_of
from factory.core.tags import CodexTag
from factory.core.targets import Architecture, OperatingSystem, Platform
from factory.core.trust_level import TrustAssessment
from factory.core.zip_records import STORED, CentralHeader, Header
from factory.executables.image import ImageFacts, read_image
from factory.executables.image_bytes import MalformedImage
from factory.executables.signatures.assess import Executable, assess
from factory.executables.signatures.policy import TrustPolicy
from factory.verify.reading.watch import Watch

ResultT = TypeVar("ResultT")


class ProblemKind(StrEnum):
    """Why a part of an archive could not be read; a check reports each kind."""

    UNREADABLE = "unreadable"
    DIRECTORY = "directory"
    LOCAL_HEADER = "local-header"
    CONTENT = "content"
    ENCRYPTED = "encrypted"
    METHOD = "method"
    OVERLAP = "overlap"
    BOMB = "bomb"
    LIMIT = "limit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A part that could not be read: the name of the member or wheel, and the evidence."""

    kind: ProblemKind
    place: str
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One member of a wheel.

    Attributes:
        name: Decoded as installers do it, with undecodable bytes escaped.
        local: The local header; None if there is none at the offset in the central directory.
        start: Position of the local header in the file; `end` is the end of content and data descriptor.
        size_bytes: Size of the content as it was unpacked, not as a header claims; so is `crc32`.
        sha256: None if the content could not be read to its end.
        kind: By the first bytes of the content.
        data: The content of a small member.
        extracted: The file below scratch with the content of an executable image.
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
        """The file mode with type bits, ``0o100755``; installers use it whatever the create system."""
        return self.central.external_attributes >> 16

    @property
    def is_directory(self) -> bool:
        """Whether the member is a directory."""
        return self.name.endswith("/")

    @property
    def is_empty_directory(self) -> bool:
        """Whether it is a directory that is written as one: stored, and without content."""
        is_plain = self.central.method == STORED and not self.central.has_descriptor
        return self.is_directory and is_plain and not self.central.compressed_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """The properties of the zip archive as a whole.

    Attributes:
        prefix_bytes: Size of what comes before the first local header.
        suffix_bytes: Size of what comes after the end record and its comment.
        gaps: Offset and length of each range that belongs to no record.
        overlapping: Names of members that overlap another one.
        zip64: Whether there are zip64 end records.
        disks: Number of disks that it claims beyond one.
        rival_ends: Offsets of other end records that a reader could use instead.
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
    """The parts of a wheel's file name.

    Attributes:
        distribution: As written, ``openai_codex_cli_bin``.
        version_text: As written; `version` is the PEP 440 version.
        build: The build tag as written, or an empty text.
        tags: All tags, with compressed sets expanded.
        platforms: The platform tags in the order of the name.
    """

    distribution: str
    version_text: str
    version: Version
    build: str
    tags: frozenset[Tag]
    platforms: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedWheel:
    """What a wheel of the factory must contain.

    Attributes:
        payload: The files of the release package that it must contain, by member name.
        left_out: Members that the recipe leaves out, for a reason given in the manifest.
        asset: The package URL of the release package; empty if it is not known.
        is_from_directory: Whether the user gave the release package as a file, so that it may be a build of
            the user's own. A registry has only the release.
    """

    tag: CodexTag
    platform: Platform
    payload: Mapping[str, Sha256]
    left_out: tuple[str, ...] = ()
    asset: str = ""
    is_from_directory: bool = False

    @property
    def promises(self) -> dict[Sha256, str]:
        """The digest of each payload file, with the release package that contains it."""
        return dict.fromkeys(self.payload.values(), self.asset) if self.asset else {}


@dataclass(frozen=True, kw_only=True)  # no slots: cached_property needs a __dict__
class WheelContents:
    """The contents of a wheel, the input of every check.

    Attributes:
        parsed: The parts of the file name; None if it is not a valid wheel name.
        members: In the order of the central directory.
        problems: The parts that could not be read.
        expected: The expected release and payload; None for a wheel that the factory did not build.
        trust: The policy that its executables are assessed by.
        watch: Asked between two checks; None for no limit.
    """

    path: Path
    name: str
    parsed: ParsedName | None
    members: tuple[Member, ...]
    archive: Archive
    problems: tuple[Problem, ...]
    expected: ExpectedWheel | None = None
    trust: TrustPolicy = field(default_factory=TrustPolicy)
    watch: Watch | None = None

    @property
    def is_unreadable(self) -> bool:
        """Whether no member could be read, so that most checks do not apply."""
        return bool(self.problems) and not self.members

    @property
    def platforms(self) -> tuple[str, ...]:
        """The platform tags of the file name; empty if it is not a valid wheel name."""
        return self.parsed.platforms if self.parsed else ()

    @property
    def operating_system(self) -> OperatingSystem | None:
        """The operating system of all platform tags; None if it is unknown or they differ."""
        systems = {operating_system_of(tag) for tag in self.platforms}
        return systems.pop() if len(systems) == 1 else None

    @property
    def architecture(self) -> Architecture | None:
        """The architecture of all platform tags; None if it is unknown or they differ."""
        architectures = {architecture_of(tag) for tag in self.platforms}
        return architectures.pop() if len(architectures) == 1 else None

    @cached_property
    def by_name(self) -> dict[str, Member]:
        """The members by name; of several members with one name the last, as installers do."""
        return {member.name: member for member in self.members}

    @cached_property
    def _sorted_names(self) -> tuple[str, ...]:
        return tuple(sorted(self.by_name))

    def has_directory(self, path: str) -> bool:
        """Whether a member is below a path, or is that directory; the path has no final slash.

        Searched, not listed: the prefixes of one name of 65,535 bytes fill a gigabyte.
        """
        below = f"{path}/"
        position = bisect_left(self._sorted_names, below)
        return position < len(self._sorted_names) and self._sorted_names[position].startswith(below)

    @cached_property
    def image_names(self) -> frozenset[str]:
        """The file names of the executable images, without their directories."""
        return frozenset(posixpath.basename(member.name) for member in self.images)

    @property
    def left_out(self) -> frozenset[str]:
        """Names of members that the recipe leaves out; empty without an expected recipe."""
        return frozenset(self.expected.left_out if self.expected else ())

    def member(self, name: str) -> Member | None:
        """Return the member with a name, or None."""
        return self.by_name.get(name)

    @cached_property
    def images(self) -> tuple[Member, ...]:
        """The extracted executable images, recognized by content, not by name."""
        return tuple(
            member
            for member in self.members
            if member.kind.is_executable_image and member.extracted is not None
        )

    @cached_property
    def _image_facts(self) -> dict[Path, ImageFacts | MalformedImage]:
        return {}

    def facts_of(self, member: Member) -> ImageFacts | MalformedImage | None:
        """Return the facts about an executable image, which is read once; the error if it is malformed.

        None is for a member that is no executable image, or has no content.
        """
        path = member.extracted
        if path is None or not member.kind.is_executable_image:
            return None
        if path not in self._image_facts:
            self._image_facts[path] = read_image(path, member.kind)
        return self._image_facts[path]

    @cached_property
    def assessments(self) -> tuple[TrustAssessment, ...]:
        """The trust assessments of its executables; cached, because each one reads the whole executable."""
        known = self.expected.promises if self.expected else {}
        policy = replace(self.trust, promises={**known, **self.trust.promises})
        return tuple(self._assessed(policy))

    def _assessed(self, policy: TrustPolicy) -> Iterator[TrustAssessment]:
        for member in self.images:
            self.poll()
            if member.extracted is not None and member.sha256 is not None:
                place, sha256, kind = member.name, member.sha256, member.kind
                yield assess(Executable(path=member.extracted, place=place, sha256=sha256, kind=kind), policy)

    @cached_property
    def _shared(self) -> dict[Hashable, object]:
        return {}

    def shared(self, key: Hashable, make: Callable[[], ResultT]) -> ResultT:
        """Return a result that several checks need; it is made for the first of them.

        Args:
            key: Everything besides the wheel that the result depends on, and what it is.
            make: Makes the result.
        """
        if key not in self._shared:
            self._shared[key] = make()
        return cast("ResultT", self._shared[key])

    def poll(self) -> None:
        """Return if the checks may go on.

        Raises:
            Stopped: The run is to end.
            TimedOut: The time limit is reached.
        """
        if self.watch is not None:
            self.watch.poll()
