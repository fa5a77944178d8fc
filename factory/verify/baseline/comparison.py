"""What the members of a wheel are compared with: one shape, at one release and platform."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

from factory.build.template import DISTRIBUTION, PACKAGE
from factory.core.digests import Sha256
from factory.core.model import Payload, PayloadFile
from factory.core.tags import CodexTag
from factory.core.targets import Platform
from factory.verify.baseline.baseline import DIST_INFO, Baseline, Shape
from factory.verify.baseline.executables import ExecutableIndex
from factory.verify.baseline.member_kinds import MemberKind
from factory.verify.reading.contents import WheelContents

Judgement = tuple[MemberKind, str]
"""What a member is, and the evidence."""


@dataclass(frozen=True, kw_only=True)  # no slots: cached_property needs a __dict__
class MemberComparison:
    """The comparison of a wheel with one shape; the arguments are those of `classify_members`."""

    contents: WheelContents
    tag: CodexTag
    platform: Platform
    payload: Payload | None
    baseline: Baseline
    shape: Shape
    executables: ExecutableIndex

    @cached_property
    def info(self) -> str:
        """The name of the ``.dist-info`` directory that the release's wheels have."""
        return f"{DISTRIBUTION.replace('-', '_')}-{self.tag.pep440}.dist-info"

    @cached_property
    def counts(self) -> Counter[str]:
        """How many members have each name."""
        return Counter(member.name for member in self.contents.members)

    @cached_property
    def places(self) -> Mapping[str, PayloadFile]:
        """The payload files, by the name of the member that each one becomes."""
        return {self.place(file.path): file for file in (self.payload.files if self.payload else ())}

    @cached_property
    def indexed_places(self) -> frozenset[str] | None:
        """The members that are the executables of the release; None if the index lacks it."""
        package = self.executables.package(self.tag, self.platform.target)
        return None if package is None else frozenset(map(self.place, package.digests))

    @cached_property
    def known_texts(self) -> Mapping[str, frozenset[Sha256]]:
        """The digests that are known for the release, by path; with every path that some release has."""
        known: dict[str, set[Sha256]] = {text.path: set() for text in self.shape.texts}
        for text in self.shape.texts_for(self.tag, self.platform.target.operating_system):
            known[text.path].add(text.sha256)
        return {path: frozenset(digests) for path, digests in known.items()}

    def place(self, path: PurePosixPath) -> str:
        """Return the name of the member that a payload file becomes."""
        return f"{PACKAGE}/{self.shape.place(path, self.platform, self.tag)}"

    def path(self, name: str) -> str:
        """Return a member's path as the baseline writes it."""
        prefix = f"{self.info}/"
        return f"{DIST_INFO}/{name.removeprefix(prefix)}" if name.startswith(prefix) else name
