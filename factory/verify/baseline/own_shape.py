"""The shape of this factory's own wheels, from the template, the recipe's rules and the backend."""

import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from factory.build.payload_rules import LEGACY_MOVES, rules_for
from factory.build.recipe import BACKEND_VERSION
from factory.build.sbom import SBOM_PATH
from factory.build.template import DISTRIBUTION, SOURCE_DIRECTORY, Template
from factory.core.digests import Sha256
from factory.core.errors import UsageError
from factory.core.tags import CodexTag, MalformedTag
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
from factory.verify.baseline.dist_info_content import normalised_metadata, requirements
from factory.verify.reading.read import parse_name

EVERY_RELEASE = CodexTag(major=0, minor=0, patch=0)
"""The recipe is the same for every release, so its entries begin before the first one."""
_LICENCE_FILES = ("LICENSE", "THIRD_PARTY_NOTICES.md")


def own_shape(template: Template, metadata: tuple[KnownMetadata, ...]) -> Shape:
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
        metadata=metadata,
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


def read_own_metadata(wheel: Path) -> KnownMetadata:
    """Read the METADATA of a wheel that this factory built.

    Raises:
        UsageError: The file is not a wheel of ours.
    """
    parsed = parse_name(wheel.name)
    try:
        tag = CodexTag.parse(parsed.version_text if parsed else "")
        info = f"{DISTRIBUTION.replace('-', '_')}-{tag.pep440}.dist-info"
        with zipfile.ZipFile(wheel) as archive:
            if f"{info}/{SBOM_PATH}" not in archive.namelist():
                raise _not_ours(wheel, "it has no bill of materials")
            content = archive.read(f"{info}/METADATA")
    except (OSError, KeyError, zipfile.BadZipFile, MalformedTag) as error:
        raise _not_ours(wheel, str(error)) from error
    normal = normalised_metadata(content, tag)
    if normal is None:
        raise _not_ours(wheel, f"METADATA does not have the version {tag.pep440}")
    return KnownMetadata(
        sha256=Sha256.of([normal]),
        requires=requirements(content.decode()),
        first=EVERY_RELEASE,
        last=None,
    )


def _not_ours(wheel: Path, problem: str) -> UsageError:
    return UsageError(
        f"{wheel} is no wheel of ours: {problem}", hint="Name a wheel that 'factory wheels' built."
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
