"""Read the TOML file of a mapping; docs/projects.md describes it.

project = "deno"
about = "Deno, as its own project publishes it"
version = "same"

[[platform]]
tags = "manylinux_*_x86_64"
npm = "@deno/linux-x64-glibc"
executables = { "deno" = "{data}/scripts/deno" }

[[release]]
version = "2.9.6"
generator = "hatchling 1.32.0"
packed = "zlib-6"
[release.texts]
"deno/__init__.py" = "0123..."
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from packaging.utils import canonicalize_name, is_normalized_name

from factory.audit.projects.mapping import (
    DATA,
    DIST_INFO,
    VERSION,
    Built,
    ConstantOfMember,
    MappedPlatform,
    PackedWith,
    ProjectMapping,
    ReviewedRelease,
)
from factory.audit.projects.version_rule import VersionRule, normalised
from factory.audit.strict_toml import StrictTable
from factory.audit.verdict import MappingRef
from factory.core.digests import MalformedDigest, Sha256
from factory.core.errors import UsageError
from factory.core.member_path import is_plain

ChoiceT = TypeVar("ChoiceT", bound=StrEnum)

_NPM_NAME = re.compile(r"(?P<name>(?:@[a-z0-9][a-z0-9._-]*/)?[a-z0-9][a-z0-9._-]*)(?:@(?P<version>[^@]+))?")
_NPM_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+-]*")
_NPM_TEMPLATE = re.compile(r"\{version\}(?:-[0-9A-Za-z.-]+)?")
_PYTHON_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLATFORM_PATTERN = re.compile(r"[a-z0-9_*?\[\]]+")
_MODE = re.compile(r"[0-7]{3}")
_MAX_BYTES = 4 << 20
_HINT = "docs/projects.md describes each key; 'factory projects draft NAME --npm PACKAGE' writes a mapping."


def read_mapping(path: Path) -> ProjectMapping:
    """Read a user's mapping.

    Raises:
        UsageError: The file cannot be read, or something in it is not as docs/projects.md says.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(
            f"cannot read the mapping {path}: {error.strerror or error}",
            hint="Name a TOML file; 'factory projects draft NAME --npm PACKAGE' writes one.",
        ) from error
    if len(content) > _MAX_BYTES:
        raise UsageError(f"{path}: larger than {_MAX_BYTES} bytes", hint="Name the file of a mapping.")
    return parse_mapping(content, where=str(path), name=path.name, is_bundled=False)


def parse_mapping(content: bytes, *, where: str, name: str, is_bundled: bool) -> ProjectMapping:
    """Parse a mapping.

    Args:
        content: The bytes of the file.
        where: The file, for messages.
        name: How reports name the mapping.
        is_bundled: Whether it is one of this factory's.

    Raises:
        UsageError: Something in it is not as docs/projects.md says.
    """
    table = StrictTable.parse(content, where=where, hint=_HINT)
    table.only("project", "about", "version", "built", "platform", "release")
    rule, constant = _version_rule(table)
    built = _choice(table, "built", Built) if "built" in table.members else Built.FROM_RELEASE
    if built is Built.BY_RECIPE and not (is_bundled and rule is VersionRule.CODEX):
        raise table.wrong(f"'built' is {built.value!r}, which only the mapping of Codex can have")
    platforms = tuple(_platform(one) for one in table.tables("platform"))
    if not platforms:
        raise table.wrong("it has no [[platform]]")
    if len({one.package.partition("/")[0] for one in platforms if "/" in one.package}) > 1:
        raise table.wrong("the packages have several scopes; one mapping is about one maker")
    return ProjectMapping(
        project=_project(table),
        about=table.text("about"),
        rule=rule,
        constant=constant,
        built=built,
        platforms=platforms,
        releases=_distinct(table, tuple(_release(one, rule) for one in table.tables("release"))),
        ref=MappingRef(name=name, sha256=Sha256.of([content]), is_bundled=is_bundled),
    )


def _project(table: StrictTable) -> str:
    name = table.text("project")
    if not is_normalized_name(name):
        raise table.wrong(f"'project' should be the normalised name, {canonicalize_name(name)!r}")
    return name


def _version_rule(table: StrictTable) -> tuple[VersionRule, ConstantOfMember | None]:
    value = table.members.get("version")
    if isinstance(value, str):
        rule = _choice(table, "version", VersionRule)
        if rule is VersionRule.MEMBER:
            raise table.wrong("'version' should be { member = PATH, constant = NAME } for a constant")
        return rule, None
    stated = table.table("version").only("member", "constant")
    constant = ConstantOfMember(member=_member(stated, stated.text("member")), name=stated.text("constant"))
    if not _PYTHON_NAME.fullmatch(constant.name):
        raise stated.wrong(f"{constant.name!r} is not a name in Python")
    return VersionRule.MEMBER, constant


def _choice(table: StrictTable, key: str, kind: type[ChoiceT]) -> ChoiceT:
    text = table.text(key)
    try:
        return kind(text)
    except ValueError as error:
        raise table.wrong(f"{key!r} is {text!r}; it should be one of {', '.join(kind)}") from error


def _platform(table: StrictTable) -> MappedPlatform:
    table.only("tags", "npm", "executables")
    text = table.text("npm")
    found = _NPM_NAME.fullmatch(text)
    version = VERSION if found is None else found["version"] or VERSION
    if found is None or not _NPM_TEMPLATE.fullmatch(version):
        raise table.wrong(f"'npm' is {text!r}; it should be NAME or NAME@{{version}}-SUFFIX")
    executables = {
        _in_package(table, source): _member(table, member)
        for source, member in _texts(table.table("executables")).items()
    }
    if not executables:
        raise table.wrong("'executables' should name at least one file of the package")
    if len(set(executables.values())) < len(executables):
        raise table.wrong("'executables' has one member for several files")
    return MappedPlatform(
        tags=_patterns(table, "tags"),
        package=found["name"],
        npm_version=version,
        executables=executables,
    )


def _texts(table: StrictTable) -> dict[str, str]:
    return {key: table.text(key) for key in table.members}


def _patterns(table: StrictTable, key: str) -> tuple[str, ...]:
    patterns = table.texts(key)
    for pattern in patterns:
        if not _PLATFORM_PATTERN.fullmatch(pattern):
            raise table.wrong(f"{pattern!r} is not a shell pattern of a platform tag")
    return patterns


def _in_package(table: StrictTable, path: str) -> str:
    if not is_plain(path):
        raise table.wrong(f"{path!r} is not a path in a package")
    return path


def _member(table: StrictTable, path: str) -> str:
    """Check the path of a member; only its first directory can be a placeholder."""
    first, slash, rest = path.partition("/")
    plain = rest if slash and first in {DIST_INFO, DATA} else path
    if not is_plain(plain) or "{" in plain or "}" in plain:
        raise table.wrong(f"{path!r} is not the path of a member; {DIST_INFO}/ and {DATA}/ can be in front")
    return path


def _release(table: StrictTable, rule: VersionRule) -> ReviewedRelease:
    table.only(
        "version",
        "npm-version",
        "platforms",
        "generator",
        "packed",
        "modes",
        "texts",
        "unreviewed",
        "executables",
    )
    version = table.text("version")
    if normalised(version) != version:
        raise table.wrong(f"'version' is {version!r}, which is not a normalised version")
    npm_version = table.text_or_none("npm-version")
    if npm_version is not None and not _NPM_VERSION.fullmatch(npm_version):
        raise table.wrong(f"'npm-version' is {npm_version!r}, which is not a version on npm")
    if (npm_version is not None) is not (rule is VersionRule.MEMBER):
        raise table.wrong("'npm-version' is needed if a member states the version, and only then")
    if npm_version is None and rule.npm_version(version) is None:
        raise table.wrong(f"the version rule {rule} gives no npm version for {version}")
    texts, unreviewed = _digests(table.table("texts")), _digests(table.table("unreviewed"))
    return ReviewedRelease(
        version=version,
        npm_version=npm_version,
        platforms=_patterns(table, "platforms") if "platforms" in table.members else ("*",),
        generator=table.text("generator"),
        packed_with=_choice(table, "packed", PackedWith),
        modes=_modes(table) if "modes" in table.members else frozenset(),
        texts=texts,
        unreviewed=unreviewed,
        executables=_digests(table.table("executables")),
    )


def _modes(table: StrictTable) -> frozenset[int]:
    texts = table.texts("modes")
    for text in texts:
        if not _MODE.fullmatch(text):
            raise table.wrong(f"'modes' has {text!r}, which is not three octal digits")
    return frozenset(int(text, 8) for text in texts)


def _distinct(table: StrictTable, releases: tuple[ReviewedRelease, ...]) -> tuple[ReviewedRelease, ...]:
    """Refuse two entries for one version without different platforms: only the first would count."""
    keys = [(one.version, one.platforms) for one in releases]
    for key in keys:
        if keys.count(key) > 1:
            raise table.wrong(f"two [[release]] entries are about {key[0]}")
    return releases


def _digests(table: StrictTable) -> Mapping[str, frozenset[Sha256]]:
    return {_member(table, path): _digests_of(table, path) for path in table.members}


def _digests_of(table: StrictTable, path: str) -> frozenset[Sha256]:
    try:
        return frozenset(Sha256(text) for text in table.texts(path))
    except MalformedDigest as error:
        raise table.wrong(f"{path}: {error}") from error
