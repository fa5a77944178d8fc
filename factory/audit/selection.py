"""Select the wheels of an index listing that an audit is about."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import Version

from factory.audit.index import Listing, PublishedWheel, platforms_in
from factory.audit.verdict import UnexpectedFile


class Release(Protocol):
    """A release that a user can name; its text is for people."""

    @property
    def pep440(self) -> str:
        """The version as an index has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectVersion:
    """A version that a user names, as an index has it."""

    project: str
    pep440: str

    def __str__(self) -> str:
        return f"{self.project} {self.pep440}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which wheels of a project are audited.

    Attributes:
        tags: Only these releases; None for all.
        since: No release before this one.
        platforms: Only wheels with one of these platform tags; None for all.
    """

    tags: tuple[Release, ...] | None
    since: Release | None = None
    platforms: tuple[str, ...] | None = None

    def takes(self, wheel: PublishedWheel) -> bool:
        """Whether a wheel is selected."""
        return self._takes(Version(wheel.version), wheel.platforms)

    @property
    def is_everything(self) -> bool:
        """Whether all wheels of the project are selected."""
        return self.tags is None and self.since is None and self.platforms is None

    def takes_release(self, tag: Release, platform: str | None) -> bool:
        """Whether wheels of a release, and for a platform, are selected; None for any platform."""
        return self._takes(Version(tag.pep440), None if platform is None else (platform,))

    def wheels_of(self, listing: Listing) -> tuple[PublishedWheel, ...]:
        """Return the selected wheels of a listing, the oldest release first."""
        selected = (wheel for wheel in listing.wheels if self.takes(wheel))
        return tuple(sorted(selected, key=lambda wheel: (Version(wheel.version), wheel.name)))

    def unexpected_of(self, listing: Listing) -> tuple[UnexpectedFile, ...]:
        """Return the files of the selected releases and platforms that cannot be audited.

        A file whose name has no version belongs to an audit of all releases.
        """
        return tuple(
            file
            for file in listing.unexpected
            if self._takes(_version_in(file.name), platforms_in(file.name) if _is_wheel(file.name) else None)
        )

    def missing_from(self, listing: Listing) -> tuple[str, ...]:
        """Return a sentence for each release and platform that was asked for and that no file is of."""
        return tuple(self._missing_from(listing))

    def _missing_from(self, listing: Listing) -> Iterator[str]:
        if self.tags is None:
            yield from self._missing_platforms(listing, None)
            return
        versions = {Version(wheel.version) for wheel in listing.wheels}
        versions |= {version for file in listing.unexpected if (version := _version_in(file.name))}
        for tag in self.tags:
            if Version(tag.pep440) in versions:
                yield from self._missing_platforms(listing, tag)
            else:
                yield f"the index has no wheel of {tag}"

    def _missing_platforms(self, listing: Listing, tag: Release | None) -> Iterator[str]:
        names = [*(wheel.name for wheel in listing.wheels), *(file.name for file in listing.unexpected)]
        present = {
            ".".join(platforms_in(name)): platforms_in(name)
            for name in names
            if _is_wheel(name) and (tag is None or _version_in(name) == Version(tag.pep440))
        }
        what = "wheel" if tag is None else f"wheel of {tag}"
        for platform in self.platforms or ():
            if not any(platform in platforms for platforms in present.values()):
                yield f"the index has no {platform} {what}; it has {', '.join(sorted(present)) or 'no wheel'}"

    def _takes(self, version: Version | None, platforms: tuple[str, ...] | None) -> bool:
        """Whether a file with a version and platforms is selected; None if its name has none."""
        if version is None:
            return self.tags is None
        if self.since is not None and version < Version(self.since.pep440):
            return False
        if self.tags is not None and version not in {Version(tag.pep440) for tag in self.tags}:
            return False
        return self.platforms is None or platforms is None or bool(set(self.platforms) & set(platforms))


def _is_wheel(name: str) -> bool:
    return name.endswith(".whl") and _version_in(name) is not None


def _version_in(name: str) -> Version | None:
    """Return the version in the name of a wheel or an sdist."""
    try:
        return parse_wheel_filename(name)[1] if name.endswith(".whl") else parse_sdist_filename(name)[1]
    except (InvalidWheelFilename, InvalidSdistFilename):
        return None
