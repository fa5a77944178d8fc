"""How the version of a Python project gives the version of the npm package with its executables."""

from enum import StrEnum

from packaging.version import InvalidVersion, Version

from factory.core.tags import CodexTag, MalformedTag

_STAGES = {"a": "alpha", "b": "beta", "rc": "rc"}
_SEMVER_NUMBERS = 3


class VersionRule(StrEnum):
    """A rule; the value is what a mapping writes."""

    SAME = "same"
    """The same release; a pre-release is ``1.5.0b2`` there and ``1.5.0-beta.2`` on npm."""
    DROP_LAST_NUMBER = "drop-last-number"
    """The project adds a number of its own: ``0.57.4.0`` is ``0.57.4`` on npm."""
    DROP_POST_RELEASE = "drop-post-release"
    """The project's own releases are post-releases: ``1.2.3.post1`` is ``1.2.3`` on npm."""
    CODEX = "codex"
    """The spellings of Codex releases."""
    MEMBER = "member"
    """A constant in a member of the wheel; the mapping has it for each reviewed release."""

    def npm_version(self, version: str) -> str | None:
        """Return the npm version of a normalised version; None if the rule gives none."""
        match self:
            case VersionRule.SAME:
                return _semver(Version(version))
            case VersionRule.DROP_LAST_NUMBER:
                parsed = Version(version)
                is_longer = len(parsed.release) > _SEMVER_NUMBERS and not parsed.is_prerelease
                return _semver(parsed, numbers=parsed.release[:-1]) if is_longer else None
            case VersionRule.DROP_POST_RELEASE:
                return _semver(Version(version.partition(".post")[0]))
            case VersionRule.CODEX:
                return _codex(version)
            case VersionRule.MEMBER:
                return None


def normalised(text: str) -> str | None:
    """Return a version as an index normalises it; None if it is not one."""
    try:
        return str(Version(text))
    except InvalidVersion:
        return None


def _semver(version: Version, numbers: tuple[int, ...] | None = None) -> str | None:
    """Return the version on npm, or None if npm cannot have it."""
    if version.post is not None or version.dev is not None or version.local or version.epoch:
        return None
    text = _three_numbers(numbers or version.release)
    if version.pre is None:
        return text
    stage, number = version.pre
    return f"{text}-{_STAGES[stage]}.{number}"


def _three_numbers(numbers: tuple[int, ...]) -> str:
    """Return three or more numbers, without zeros after the third: installers take 1.2.0.0 for 1.2.0."""
    release = [*numbers, 0, 0]
    while len(release) > _SEMVER_NUMBERS and not release[-1]:
        del release[-1]
    return ".".join(map(str, release))


def _codex(version: str) -> str | None:
    release = Version(version).release
    same = version.replace(".".join(map(str, release)), _three_numbers(release), 1)
    try:
        return CodexTag.parse(same).semver
    except MalformedTag:
        return None
