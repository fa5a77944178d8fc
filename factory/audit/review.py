"""Judge the members of a wheel by the payload of its release and by the reviewed baseline."""

from collections.abc import Iterator
from dataclasses import dataclass

from factory.audit.index import PublishedWheel
from factory.build.template import DISTRIBUTION
from factory.core.digests import Sha256
from factory.core.model import Payload
from factory.core.tags import CodexTag
from factory.core.targets import Platform
from factory.verify.baseline.baseline import Baseline
from factory.verify.baseline.executables import ExecutableIndex
from factory.verify.baseline.importable import is_importable
from factory.verify.baseline.member_kinds import MemberKind, MemberReview
from factory.verify.baseline.members import classify_members
from factory.verify.reading.contents import Member, WheelContents

_OURS = DISTRIBUTION.replace("-", "_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewer:
    """Judges the members of one release's wheels.

    Attributes:
        tag: The release that was asked for, or that the index lists; not what a wheel says.
        baseline: What the project's wheels legitimately contain.
        executables: Names executables of other releases and targets.
    """

    tag: CodexTag
    baseline: Baseline
    executables: ExecutableIndex

    def review(
        self, contents: WheelContents, wheel: PublishedWheel, payload: Payload
    ) -> tuple[MemberReview, ...]:
        """Judge every member of a wheel, and name those that it lacks.

        Args:
            contents: The wheel's bytes, read whole.
            wheel: The wheel as it was asked for, or as the index lists it.
            payload: The release package of its target.

        Returns:
            One review for each member; none if the file is not an archive, since then nothing was seen.
        """
        if contents.is_unreadable:
            return ()
        if wheel.name.partition("-")[0] != _OURS:
            return tuple(self._review_other(contents, payload))
        return classify_members(
            contents,
            tag=self.tag,
            platform=Platform(tag=wheel.platform, target=payload.target, reason="the index lists it"),
            payload=payload,
            baseline=self.baseline,
            executables=self.executables,
        )

    def _review_other(self, contents: WheelContents, payload: Payload) -> Iterator[MemberReview]:
        """Judge the members of another project's wheel, of which no text was reviewed."""
        released = {file.sha256 for file in payload.files if file.size_bytes}
        executables = {file.sha256 for file in payload.files if file.kind.is_executable_image}
        for member in contents.members:
            if member.sha256 in released:
                kind, evidence = MemberKind.PAYLOAD, ""
            elif member.sha256 is None:
                kind, evidence = MemberKind.UNREADABLE, "its content could not be read to the end"
            else:
                kind, evidence = self._other_member(member, member.sha256), f"SHA-256 {member.sha256}"
            yield MemberReview(name=member.name, kind=kind, evidence=evidence)
        if executables.isdisjoint(member.sha256 for member in contents.members):
            evidence = "it has no executable of the release"
            yield MemberReview(name=contents.name, kind=MemberKind.PAYLOAD_MISSING, evidence=evidence)

    def _other_member(self, member: Member, sha256: Sha256) -> MemberKind:
        if self.executables.lookup(sha256):
            return MemberKind.PAYLOAD_OF_OTHER_RELEASE
        if member.kind.is_executable_image:
            return MemberKind.PAYLOAD_UNKNOWN
        if self.baseline.acceptance(member.name, member.name, sha256) is not None:
            return MemberKind.ACCEPTED_TEXT
        if member.name.partition("/")[0].endswith(".data"):
            return MemberKind.DATA_DIRECTORY
        if is_importable(member.name):
            return MemberKind.IMPORTABLE
        return MemberKind.ENTRY_POINT if member.name.endswith("/entry_points.txt") else MemberKind.UNSEEN_TEXT
