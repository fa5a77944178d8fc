"""Select the wheels of an index listing that an audit is about."""

from collections.abc import Sequence
from dataclasses import dataclass

from packaging.version import Version

from factory.audit.index import Listing, PublishedWheel
from factory.core.tags import CodexTag


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which wheels of a project are audited.

    Attributes:
        tags: Only these releases; None for all.
        since: No release before this one.
        platforms: Only wheels with one of these platform tags; None for all.
    """

    tags: tuple[CodexTag, ...] | None
    since: CodexTag | None = None
    platforms: tuple[str, ...] | None = None

    def takes(self, wheel: PublishedWheel) -> bool:
        """Whether a wheel is selected."""
        if self.tags is not None and wheel.tag not in self.tags:
            return False
        if self.since is not None and Version(wheel.version) < Version(self.since.pep440):
            return False
        return self.platforms is None or bool(set(self.platforms) & set(wheel.platforms))

    def wheels_of(self, listing: Listing) -> tuple[PublishedWheel, ...]:
        """Return the selected wheels of a listing, the oldest release first."""
        selected = (wheel for wheel in listing.wheels if self.takes(wheel))
        return tuple(sorted(selected, key=lambda wheel: (Version(wheel.version), wheel.name)))

    def missing_from(self, wheels: Sequence[PublishedWheel]) -> tuple[str, ...]:
        """Return the releases and platforms that were asked for by name and that no wheel is of."""
        tags = {wheel.tag for wheel in wheels}
        platforms = {platform for wheel in wheels for platform in wheel.platforms}
        return (
            *(str(tag) for tag in self.tags or () if tag not in tags),
            *(platform for platform in self.platforms or () if platform not in platforms),
        )
