"""Codex release tags and their PEP 440 and npm spellings.

Upstream tags a release ``rust-vX.Y.Z`` with an optional ``-alpha.N``, ``-beta.N``
or ``-rc.N``; a hotfix of a pre-release adds a number, ``-alpha.N.M``. In Python versions
these are ``X.Y.ZaN``, ``bN``, ``rcN`` and ``aN.postM``
(https://packaging.python.org/specifications/version-specifiers/). The mapping is
reversible, so every spelling identifies the release.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from factory.core.errors import UsageError

_SEMVER = re.compile(
    r"(?P<major>0|[1-9]\d*)\.(?P<minor>0|[1-9]\d*)\.(?P<patch>0|[1-9]\d*)"
    r"(?:-(?P<stage>alpha|beta|rc)\.(?P<number>0|[1-9]\d*)(?:\.(?P<hotfix>0|[1-9]\d*))?)?"
)
_PEP440 = re.compile(
    r"(?P<major>0|[1-9]\d*)\.(?P<minor>0|[1-9]\d*)\.(?P<patch>0|[1-9]\d*)"
    r"(?:(?P<stage>a|b|rc)(?P<number>0|[1-9]\d*)(?:\.post(?P<hotfix>0|[1-9]\d*))?)?"
)
_LONGEST = 64
"""Far above the length of any version, and below the number of digits that Python converts."""
_PREFIX = re.compile(r"\A(?:rust-)?v")


class MalformedTag(UsageError):
    """A text is not a Codex release tag."""

    hint = (
        "Write rust-v0.163.0, rust-v0.116.0-alpha.1, rust-v0.154.0-alpha.1.2, "
        "or the PEP 440 version of the release: 0.163.0, 0.116.0a1, 0.154.0a1.post2."
    )

    def __init__(self, text: str) -> None:
        super().__init__(f"{text!r} is not a Codex release tag")


class PreReleaseStage(StrEnum):
    """The stage of a pre-release, as semantic versions spell it."""

    ALPHA = "alpha"
    BETA = "beta"
    RC = "rc"

    @property
    def pep440(self) -> str:
        """The stage as PEP 440 versions spell it."""
        match self:
            case PreReleaseStage.ALPHA:
                return "a"
            case PreReleaseStage.BETA:
                return "b"
            case PreReleaseStage.RC:
                return "rc"


_STAGES = {spelling: stage for stage in PreReleaseStage for spelling in (stage.value, stage.pep440)}


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class PreRelease:
    """The pre-release part of a version: stage, number and, for a hotfix, its number."""

    stage: PreReleaseStage
    number: int
    hotfix: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CodexTag:
    """A Codex release; its string is the Git tag, ``rust-v0.163.0``."""

    major: int
    minor: int
    patch: int
    pre: PreRelease | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a tag, a semantic version or a PEP 440 version, with or without ``rust-v`` or ``v``.

        Raises:
            MalformedTag: The text is not a release.
        """
        bare = _PREFIX.sub("", text, count=1)
        if not bare.isascii() or len(bare) > _LONGEST:
            raise MalformedTag(text[: 2 * _LONGEST])
        match = _SEMVER.fullmatch(bare) or _PEP440.fullmatch(bare)
        if match is None:
            raise MalformedTag(text)
        return cls(
            major=int(match["major"]),
            minor=int(match["minor"]),
            patch=int(match["patch"]),
            pre=_pre_release(match),
        )

    @property
    def release(self) -> tuple[int, int, int]:
        """The major, minor and patch number."""
        return self.major, self.minor, self.patch

    @property
    def semver(self) -> str:
        """The version as npm and ``codex --version`` write it, ``0.116.0-alpha.1``."""
        text = f"{self.major}.{self.minor}.{self.patch}"
        if self.pre is None:
            return text
        text += f"-{self.pre.stage}.{self.pre.number}"
        return text if self.pre.hotfix is None else f"{text}.{self.pre.hotfix}"

    @property
    def pep440(self) -> str:
        """The version as Python packages write it, ``0.116.0a1``."""
        text = f"{self.major}.{self.minor}.{self.patch}"
        if self.pre is None:
            return text
        text += f"{self.pre.stage.pep440}{self.pre.number}"
        return text if self.pre.hotfix is None else f"{text}.post{self.pre.hotfix}"

    def __str__(self) -> str:
        return f"rust-v{self.semver}"


def _pre_release(match: re.Match[str]) -> PreRelease | None:
    if match["stage"] is None:
        return None
    return PreRelease(
        stage=_STAGES[match["stage"]],
        number=int(match["number"]),
        hotfix=None if match["hotfix"] is None else int(match["hotfix"]),
    )
