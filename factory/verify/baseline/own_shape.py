"""The shape of this factory's own wheels, from the template, the recipe's rules and the backend."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from factory.build.payload_rules import LEGACY_MOVES, rules_for
from factory.build.recipe import BACKEND_VERSION
from factory.build.template import SOURCE_DIRECTORY, Template
from factory.core.digests import Sha256
from factory.core.tags import CodexTag
from factory.core.targets import PLATFORMS, OperatingSystem
from factory.verify.baseline.baseline import (
    DIST_INFO,
    KnownGenerator,
    KnownLeftOut,
    KnownMetadata,
    KnownPlacement,
    KnownText,
    ReviewedPlatform,
    Shape,
)

EVERY_RELEASE = CodexTag(major=0, minor=0, patch=0)
"""The recipe is the same for every release, so its entries begin before the first one."""
_LICENCE_FILES = ("LICENSE", "THIRD_PARTY_NOTICES.md")


def own_shape(template: Template, metadata: KnownMetadata) -> Shape:
    """Return the shape of our wheels.

    Args:
        template: The runtime template.
        metadata: The METADATA that the backend makes from the template; only a built wheel shows it.
    """
    return Shape(
        platforms=tuple(
            ReviewedPlatform(platform=platform.tag, first=EVERY_RELEASE, last=None) for platform in PLATFORMS
        ),
        generators=(KnownGenerator(name=f"hatchling {BACKEND_VERSION}", first=EVERY_RELEASE, last=None),),
        metadata=(metadata,),
        texts=tuple(_texts(template)),
        left_out=tuple(
            KnownLeftOut(pattern=rule.pattern, platform=platform.tag, first=EVERY_RELEASE, last=None)
            for platform in PLATFORMS
            for rule in rules_for(platform)
        ),
        placements=tuple(
            KnownPlacement(
                source=rule.source, becomes=rule.becomes, family=family, first=EVERY_RELEASE, last=None
            )
            for rule in LEGACY_MOVES
            for family in OperatingSystem
        ),
        has_sbom=True,
    )


def _texts(template: Template) -> Iterator[KnownText]:
    for file in template.files:
        path = _place(file.path)
        if path is not None:
            for family in OperatingSystem:
                sha256 = Sha256.of([file.content])
                yield KnownText(path=path, family=family, sha256=sha256, first=EVERY_RELEASE, last=None)


def _place(path: PurePosixPath) -> str | None:
    """Return a template file's place in the wheel; None if the backend does not put it there."""
    if path.is_relative_to(SOURCE_DIRECTORY):
        return str(path.relative_to(SOURCE_DIRECTORY.parent))
    return f"{DIST_INFO}/licenses/{path}" if str(path) in _LICENCE_FILES else None
