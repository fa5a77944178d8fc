"""Judge the members of a wheel by the payload of its release and by the reviewed baseline."""

from dataclasses import dataclass

from factory.audit.index import PublishedWheel
from factory.core.model import Payload
from factory.core.tags import CodexTag
from factory.core.targets import Platform
from factory.verify.baseline.baseline import Baseline
from factory.verify.baseline.executables import ExecutableIndex
from factory.verify.baseline.member_kinds import MemberReview
from factory.verify.baseline.members import classify_members
from factory.verify.reading.contents import WheelContents


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
        return classify_members(
            contents,
            tag=self.tag,
            platform=Platform(tag=wheel.platform, target=payload.target, reason="the index lists it"),
            payload=payload,
            baseline=self.baseline,
            executables=self.executables,
        )
