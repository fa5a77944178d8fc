"""Judge every member of a mapped project's wheel by the files on npm and by the reviewed texts."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from packaging.tags import InvalidTag, Tag, parse_tag

from factory.audit.projects.mapping import DIST_INFO, ProjectMapping, ReviewedRelease, member_path
from factory.audit.read_package import ReadPackage
from factory.core.counted import counted
from factory.core.digests import Sha256
from factory.core.model import PayloadFile
from factory.verify.baseline.baseline import Baseline
from factory.verify.baseline.dist_info_content import judge_record
from factory.verify.baseline.importable import is_importable
from factory.verify.baseline.member_kinds import MemberKind, MemberReview
from factory.verify.reading.contents import Member, WheelContents

Judgement = tuple[MemberKind, str]

RECORD = f"{DIST_INFO}/RECORD"
WHEEL = f"{DIST_INFO}/WHEEL"
_TAG = b"Tag: "


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedMembers:
    """The members of one wheel, and what they are compared with.

    Attributes:
        contents: The wheel.
        mapping: The mapping of its project.
        release: What was reviewed of its version; None if nothing was.
        package: The npm package of its platform.
        files: The released file of each member that the mapping places.
        baseline: What the user accepts for this run.
    """

    contents: WheelContents
    mapping: ProjectMapping
    release: ReviewedRelease | None
    package: ReadPackage
    files: Mapping[str, PayloadFile]
    baseline: Baseline

    @property
    def reviewed(self) -> Mapping[str, frozenset[Sha256]]:
        """The reviewed digests by path; empty if no person has read every text of the release."""
        return {} if self.release is None else self.release.reviewed

    @property
    def has_equal_executable(self) -> bool:
        """Whether every executable that the mapping places is the released one."""
        found = {self.path(member): member.sha256 for member in self.contents.members}
        return all(found.get(place) == file.sha256 for place, file in self.files.items())

    @property
    def placed(self) -> Mapping[str, PayloadFile]:
        """The released file of each member that is one, by the name of the member."""
        paths = {member.name: self.path(member) for member in self.contents.members}
        return {name: self.files[path] for name, path in paths.items() if path in self.files}

    def _has_file_below(self, directory: str) -> bool:
        names = (one.name for one in self.contents.members if not one.is_directory)
        return any(name.startswith(directory) for name in names)

    def path(self, member: Member) -> str:
        """Return the path of a member as the mapping writes it."""
        return member_path(member.name, self.contents.name)

    def review(self) -> tuple[MemberReview, ...]:
        """Judge every member, and name those that the wheel lacks; nothing if it is no archive."""
        if self.contents.is_unreadable:
            return ()
        counts = Counter(member.name for member in self.contents.members)
        judged = [(member.name, *self._judge(member, counts)) for member in self.contents.members]
        reviews = [
            MemberReview(name=name, kind=kind, evidence=evidence)
            for name, kind, evidence in judged
            if kind is not MemberKind.NOT_JUDGED
        ]
        return (*reviews, *self._not_judged(len(judged) - len(reviews)), *self._missing())

    def _judge(self, member: Member, counts: Mapping[str, int]) -> Judgement:
        count = counts[member.name]
        if count > 1:
            return MemberKind.FOREIGN, f"{counted(count, 'member has', 'members have')} this name"
        if member.is_directory:
            is_plain = member.is_empty_directory and self._has_file_below(member.name)
            return (
                (MemberKind.DIST_INFO, "") if is_plain else (MemberKind.FOREIGN, "a directory of no member")
            )
        if member.sha256 is None:
            return MemberKind.UNREADABLE, "its content could not be read to the end"
        path = self.path(member)
        file = self.files.get(path)
        if file is not None and file.sha256 == member.sha256:
            return MemberKind.PAYLOAD, ""
        if file is not None or member.kind.is_executable_image:
            return self._wrong_executable(member, member.sha256)
        return self._judge_text(member, path, member.sha256)

    def _wrong_executable(self, member: Member, sha256: Sha256) -> Judgement:
        """Say what an executable is that the mapping does not have at this place."""
        for place, file in self.files.items():
            if file.sha256 == sha256:
                return MemberKind.PAYLOAD_MOVED, f"it is {file.path} of the package, which belongs at {place}"
        for file in self.package.payload.files:
            if file.sha256 == sha256 and file.size_bytes:
                purl = self.package.asset.purl
                return (
                    MemberKind.PAYLOAD_MOVED,
                    f"it is {file.path} of {purl}, which the mapping does not place",
                )
        for release in self.mapping.releases:
            for name, digests in release.executables.items():
                if sha256 in digests:
                    is_same = release is self.release
                    kind = (
                        MemberKind.PAYLOAD_OF_OTHER_TARGET if is_same else MemberKind.PAYLOAD_OF_OTHER_RELEASE
                    )
                    return kind, f"it is {name} of version {release.version}"
        return MemberKind.PAYLOAD_UNKNOWN, f"{counted(member.size_bytes, 'byte')}, SHA-256 {sha256}"

    def _judge_text(self, member: Member, path: str, sha256: Sha256) -> Judgement:
        if not self.reviewed:
            return MemberKind.NOT_JUDGED, ""
        if path == WHEEL and member.data is not None:
            return self._judge_wheel_file(member.data)
        if sha256 in self.reviewed.get(path, frozenset()):
            return self._known(sha256)  # also a wrong RECORD that a person saw: 'factory verify' reports it
        if path == RECORD and member.data is not None:
            return judge_record(member.data, name=member.name, members=self.contents.members)
        kind = MemberKind.UNSEEN_TEXT if path in self.reviewed else _outside(path)
        return self._unless_accepted(kind, member, path, sha256)

    def _judge_wheel_file(self, content: bytes) -> Judgement:
        """Judge WHEEL: the tags are those of the file name, and the rest is reviewed."""
        rest, tags = split_wheel_file(content)
        named = frozenset() if self.contents.parsed is None else self.contents.parsed.tags
        if tags is None or tags != named:
            return MemberKind.FOREIGN, "its tags are not those of the file name"
        sha256 = Sha256.of([rest])
        if sha256 in self.reviewed.get(WHEEL, frozenset()):
            return self._known(sha256)
        return MemberKind.UNKNOWN_GENERATOR, f"SHA-256 {sha256} without the tags"

    def _known(self, sha256: Sha256) -> Judgement:
        """Return the judgement on a reviewed text; what only the auditor reviewed is accepted, not known."""
        if self.mapping.ref.is_bundled:
            return MemberKind.KNOWN_TEXT, ""
        return MemberKind.ACCEPTED_TEXT, f"SHA-256 {sha256}: {self.mapping.ref.sentence}"

    def _unless_accepted(self, kind: MemberKind, member: Member, path: str, sha256: Sha256) -> Judgement:
        accepted = self.baseline.acceptance(path, member.name, sha256)
        if accepted is None:
            return kind, f"SHA-256 {sha256}"
        return MemberKind.ACCEPTED_TEXT, f"SHA-256 {sha256}: {accepted.reason}"

    def _not_judged(self, count: int) -> Iterator[MemberReview]:
        if not self.reviewed:
            version = self.contents.parsed.version if self.contents.parsed else "this version"
            evidence = (
                f"{counted(count, 'member')}; no text of {version} was reviewed in {self.mapping.ref.name}"
            )
            yield MemberReview(name=self.contents.name, kind=MemberKind.NOT_JUDGED, evidence=evidence)

    def _missing(self) -> Iterator[MemberReview]:
        present = {self.path(member) for member in self.contents.members}
        for place, file in self.files.items():
            if place not in present:
                evidence = f"{self.package.asset.purl} has it as {file.path}, SHA-256 {file.sha256}"
                yield MemberReview(name=place, kind=MemberKind.PAYLOAD_MISSING, evidence=evidence)
        if self.reviewed:
            for path in dict.fromkeys((*self.reviewed, RECORD)):
                if path not in present:
                    yield MemberReview(name=path, kind=MemberKind.TEXT_MISSING, evidence="it is missing")


def split_wheel_file(content: bytes) -> tuple[bytes, frozenset[Tag] | None]:
    """Return WHEEL without its tags, and the tags; None if one is not valid."""
    lines = content.split(b"\n")
    rest = b"\n".join(line for line in lines if not line.startswith(_TAG))
    texts = [
        line.removeprefix(_TAG).decode("ascii", "replace").strip() for line in lines if line.startswith(_TAG)
    ]
    try:
        return rest, frozenset(tag for text in texts for tag in parse_tag(text))
    except (InvalidTag, ValueError):
        return rest, None


def _outside(path: str) -> MemberKind:
    """Return what a member is at a path that no reviewed wheel has."""
    if path.partition("/")[0].casefold().endswith((".data", "{data}")):
        return MemberKind.DATA_DIRECTORY
    if is_importable(path):
        return MemberKind.IMPORTABLE
    return MemberKind.ENTRY_POINT if path == f"{DIST_INFO}/entry_points.txt" else MemberKind.FOREIGN
