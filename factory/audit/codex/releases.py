"""Which release and target a wheel of Codex is for, by the project's mapping."""

from pathlib import PurePosixPath

from factory.audit.codex.matching import places_of
from factory.audit.index import PublishedWheel
from factory.audit.projects.mapping import VERSION, MappedPlatform, ProjectMapping
from factory.audit.projects.version_rule import VersionRule
from factory.core.errors import UpstreamError
from factory.core.model import Payload
from factory.core.platform_tags import operating_system_of
from factory.core.tags import CodexTag
from factory.core.targets import Target

_VENDOR = "vendor"
"""The directory of an npm package with a directory for its target."""


def release_of(version: str, rule: VersionRule) -> CodexTag | None:
    """Return the release of a normalised version; None if it is not that of a release."""
    semver = rule.npm_version(version)
    tag = None if semver is None else CodexTag.parse(semver)
    return tag if tag is not None and tag.pep440 == version else None


def row_for(wheel: PublishedWheel, mapping: ProjectMapping) -> MappedPlatform | None:
    """Return the row of the mapping for all platform tags of a wheel; None if there is no single one."""
    is_understood = all(operating_system_of(tag) is not None for tag in wheel.platforms)
    return mapping.platform_for(wheel.platforms) if is_understood else None


def target_of(row: MappedPlatform) -> Target:
    """Return the target of a row, whose npm version ends with the target's suffix."""
    return next(target for target in Target if row.npm_version == f"{VERSION}-{target.npm_suffix}")


def require_executables(row: MappedPlatform, payload: Payload, *, purl: str) -> None:
    """Refuse a package without a file that the mapping places; old packages have it in another directory.

    Raises:
        UpstreamError: The package lacks such a file.
    """
    places = {place for file in payload.files for place in places_of(file.path)}
    for source, member in row.executables.items():
        if PurePosixPath(source).relative_to(_VENDOR, payload.target) not in places:
            raise UpstreamError(
                f"{purl} has no file {source}, which the mapping places at {member}",
                hint="Check that this is a package of a Codex release.",
            )
