"""A mapping: which npm package has the executables of a project's wheels, and which texts were reviewed.

A mapping is data that a person wrote and reviewed. Nothing in it comes from the wheel under audit, so a
wheel cannot choose the release, the package or the texts that it is compared with.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from packaging.version import Version

from factory.audit.projects.version_rule import VersionRule
from factory.audit.verdict import MappingRef
from factory.core.digests import Sha256

DIST_INFO = "{dist-info}"
"""How paths of a mapping name the ``.dist-info`` directory, which has the version in its name."""
DATA = "{data}"
"""How they name the ``.data`` directory."""
VERSION = "{version}"
"""Where the npm version goes in the version of a platform's package."""


class Built(StrEnum):
    """How a project's wheels are built."""

    FROM_RELEASE = "from-release"
    SEPARATELY = "separately"
    """The project compiles the executables itself: equal bytes are not expected."""
    BY_RECIPE = "by-recipe"
    """From the release, by a recipe that the audit infers; the reviewed texts are in the baseline."""


class PackedWith(StrEnum):
    """What packed the members of a reviewed wheel."""

    ZLIB = "zlib-6"
    """Deflate as zlib's level 6, or stored: the file can be written again from its contents."""
    STORED = "stored"
    """No member is compressed."""
    UNKNOWN = "unknown"
    """Another deflate encoder, which this factory does not have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConstantOfMember:
    """Where a wheel states the npm version: a constant in a Python member.

    A reviewed release has the version in the mapping. For another one the constant is read, and the
    answer is never a yes.
    """

    member: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedPlatform:
    """The npm package of some platforms' wheels.

    Attributes:
        tags: Shell patterns; each platform tag of a wheel must match one.
        package: The name on npm, ``@deno/linux-x64-glibc``.
        npm_version: ``{version}``, or with a suffix, ``{version}-linux-x64``.
        executables: The member that each file of the package becomes, by its path in the package.
    """

    tags: tuple[str, ...]
    package: str
    npm_version: str = VERSION
    executables: Mapping[str, str]

    def covers(self, platforms: tuple[str, ...]) -> bool:
        """Whether all platform tags of a wheel match."""
        return all(matches(tag, self.tags) for tag in platforms)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewedRelease:
    """What was reviewed of one version of the project.

    Attributes:
        version: The project's version, normalised.
        npm_version: The npm version of its executables; None if the version rule gives it.
        platforms: Shell patterns; each platform tag of a wheel must match one.
        generator: As WHEEL names it.
        modes: Permissions that let others write, and that members of the reviewed wheels have anyway.
        texts: The reviewed digests of each path, as the mapping writes paths; of WHEEL without its tags.
        unreviewed: The same for texts that a draft lists and that no person has read.
        executables: The digests of files on npm, by package and path, ``lefthook-linux-x64/bin/lefthook``.
            npm must still have them, and they are recognised in wheels of other releases and platforms.
    """

    version: str
    npm_version: str | None = None
    platforms: tuple[str, ...] = ("*",)
    generator: str
    packed_with: PackedWith
    modes: frozenset[int] = frozenset()
    texts: Mapping[str, frozenset[Sha256]]
    unreviewed: Mapping[str, frozenset[Sha256]]
    executables: Mapping[str, frozenset[Sha256]]

    @property
    def reviewed(self) -> Mapping[str, frozenset[Sha256]]:
        """The reviewed digests by path; empty if no person has read every text."""
        return {} if self.unreviewed else self.texts

    def covers(self, version: str, platforms: tuple[str, ...]) -> bool:
        """Whether it is about a wheel of this version and these platforms; 1.2 and 1.2.0 are equal."""
        return Version(version) == Version(self.version) and all(
            matches(tag, self.platforms) for tag in platforms
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectMapping:
    """How the wheels of a project relate to npm packages.

    Attributes:
        project: Its normalised name on the index.
        about: One sentence for people.
        rule: How a version of the project gives the version on npm.
        constant: For `VersionRule.MEMBER`, where a wheel states it.
        ref: The file that the mapping was read from.
    """

    project: str
    about: str
    rule: VersionRule
    constant: ConstantOfMember | None = None
    built: Built = Built.FROM_RELEASE
    platforms: tuple[MappedPlatform, ...]
    releases: tuple[ReviewedRelease, ...] = ()
    ref: MappingRef

    @property
    def scope(self) -> str | None:
        """The scope of its npm packages, ``@deno``; None if they have none."""
        scope, slash, _ = self.platforms[0].package.partition("/")
        return scope if slash else None

    def platform_for(self, platforms: tuple[str, ...]) -> MappedPlatform | None:
        """Return the first row that covers all platform tags of a wheel."""
        return next((row for row in self.platforms if row.covers(platforms)), None)

    def release_for(self, version: str, platforms: tuple[str, ...]) -> ReviewedRelease | None:
        """Return what was reviewed of a version for some platform tags."""
        return next((one for one in self.releases if one.covers(version, platforms)), None)


def matches(text: str, patterns: tuple[str, ...]) -> bool:
    """Whether a text matches one of some shell patterns."""
    return any(fnmatchcase(text, pattern) for pattern in patterns)


def member_path(name: str, wheel: str) -> str:
    """Return the path of a member as mappings write it.

    Args:
        name: The member.
        wheel: The file name of the wheel.
    """
    stem = "-".join(wheel.split("-")[:2])
    for directory, placeholder in ((f"{stem}.dist-info/", DIST_INFO), (f"{stem}.data/", DATA)):
        if name.startswith(directory):
            return f"{placeholder}/{name.removeprefix(directory)}"
    is_literal = name.partition("/")[0] in {DIST_INFO, DATA}
    return f"/{name}" if is_literal else name  # a member can have such a name, and no mapping this path
