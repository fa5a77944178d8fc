"""Propose a mapping from one wheel and one npm package; a person reviews it before it counts."""

import difflib
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile

from factory.audit.projects.container import permissions_of_others
from factory.audit.projects.mapping import PackedWith, member_path
from factory.audit.projects.members import RECORD, WHEEL, split_wheel_file
from factory.audit.projects.stated_version import assigned_constants
from factory.audit.projects.version_rule import VersionRule
from factory.audit.read_package import ReadPackage
from factory.audit.replay import stored_content
from factory.build.encoder import ZLIB
from factory.core.counted import counted
from factory.core.digests import Sha256
from factory.core.errors import UsageError
from factory.core.zip_records import DEFLATED
from factory.verify.reading.contents import Member, WheelContents

_LIKELY_RULES = (VersionRule.SAME, VersionRule.DROP_LAST_NUMBER, VersionRule.DROP_POST_RELEASE)
_GENERATOR = re.compile(rb"^Generator: (.+?)\r?$", re.MULTILINE)
_IN_ONE_LINE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftVersion:
    """How the version of a wheel probably gives the npm version.

    Attributes:
        rule: The value of ``version`` in the mapping, as TOML.
        npm_version: The version on npm.
        is_stated: Whether the mapping must repeat it, since a member of the wheel states it.
    """

    rule: str
    npm_version: str
    is_stated: bool = False


def rule_for(version: str, on_npm: Collection[str]) -> DraftVersion | None:
    """Return the first version rule that gives a version on npm, or None."""
    for rule in _LIKELY_RULES:
        npm_version = rule.npm_version(version)
        if npm_version is not None and npm_version in on_npm:
            return DraftVersion(rule=quoted(rule), npm_version=npm_version)
    return None


def likely_version(contents: WheelContents, version: str, on_npm: Iterable[str]) -> DraftVersion:
    """Return the first rule that gives a version on npm, or a constant in the wheel that is one.

    Raises:
        UsageError: No rule and no constant gives a version that npm has.
    """
    known = set(on_npm)
    found = rule_for(version, known)
    if found is not None:
        return found
    stated = [found for found in _constants(contents) if found[2] in known]
    own = [found for found in stated if found[2] != version]
    for member, name, value in own or stated:
        table = f"{{ member = {quoted(member)}, constant = {quoted(name)} }}"
        return DraftVersion(rule=table, npm_version=value, is_stated=True)
    near = difflib.get_close_matches(version, list(known), n=3)
    has = f"; npm has {', '.join(near)}" if near else ""
    raise UsageError(
        f"no version rule leads from {version} to a version of the package{has}",
        hint="Give another --version of the project, or another package with --npm.",
    )


def draft_mapping(
    contents: WheelContents, package: ReadPackage, version: DraftVersion, *, project: str, npm: str
) -> str:
    """Return the TOML of a mapping in which every text is unreviewed.

    Args:
        contents: The wheel.
        package: The npm package of its platform.
        version: How the versions relate.
        project: The normalised name of the project.
        npm: The name of the npm package.

    Raises:
        UsageError: The wheel is no archive or has no executable, or one that the package does not have.
    """
    executables = _executables(contents, package)
    files = {**executables, **_files_beside(executables, contents, package)}
    wheel_file = next((one.data for one in contents.members if _path(one.name, contents) == WHEEL), None)
    found = _GENERATOR.findall(wheel_file or b"")
    generator = found[0].decode("ascii", "replace") if len(found) == 1 else "unknown"
    texts = {
        path: member.sha256
        for member in contents.members
        if member.sha256 is not None and not member.is_directory
        if (path := _path(member.name, contents)) not in {RECORD, WHEEL, *files.values()}
    }
    if wheel_file is not None:
        texts[WHEEL] = Sha256.of([split_wheel_file(wheel_file)[0]])
    modes = permissions_of_others(contents)
    lines = [
        "# A draft. Correct 'tags' and add the other platforms. Read each text of the wheel, and only then",
        "# move its line from [release.unreviewed] to [release.texts]. docs/projects.md describes each key.",
        f"project = {quoted(project)}",
        f'about = "{project}, with the executables of {npm}"',
        f"version = {version.rule}",
        "",
        "[[platform]]",
        f"tags = {json.dumps(list(contents.platforms))}",
        f"npm = {quoted(npm)}",
        *_file_lines(files),
        "",
        "[[release]]",
        f"version = {quoted(str(contents.parsed.version if contents.parsed else ''))}",
        *([f"npm-version = {quoted(version.npm_version)}"] if version.is_stated else ()),
        f"generator = {quoted(generator)}",
        f"packed = {quoted(packed_with(contents))}",
        *([f"modes = {json.dumps(modes)}"] if modes else ()),
        "[release.unreviewed]",
        *_digest_lines(texts),
    ]
    return "\n".join(lines) + "\n"


def _executables(contents: WheelContents, package: ReadPackage) -> dict[str, str]:
    """Return the member of each file of the package that the wheel has."""
    images = {member.name: member.sha256 for member in contents.images}
    if not images:
        raise UsageError(
            f"{contents.name} has no executable", hint="Name a project of which the wheels have executables."
        )
    released = {file.sha256: str(file.path) for file in package.payload.files if file.size_bytes}
    unknown = sorted(name for name, sha256 in images.items() if sha256 not in released)
    if unknown and len(unknown) == len(images):
        raise UsageError(
            f"no executable of {contents.name} is a file of {package.asset.purl}: {', '.join(unknown)}",
            hint="Give the package of this wheel's platform with --npm, and its version with --version. If"
            ' the project builds the executables itself, write built = "separately" into a mapping.',
        )
    if unknown:
        count = counted(len(images), "executable")
        raise UsageError(
            f"{contents.name} has {count}, and {package.asset.purl} lacks {', '.join(unknown)}",
            hint="A mapping compares a wheel with one package. If the second program is of another package,"
            " the project cannot be audited; otherwise give the package that has both with --npm.",
        )
    return {released[sha256]: _path(name, contents) for name, sha256 in images.items() if sha256 is not None}


def _files_beside(
    executables: Mapping[str, str], contents: WheelContents, package: ReadPackage
) -> dict[str, str]:
    """Return the other files of the package that are in the wheel, at the same place beside an executable."""
    digests = {_path(member.name, contents): member.sha256 for member in contents.members}
    found: dict[str, str] = {}
    for source, place in executables.items():
        shared = _common_end(source, place)
        root, becomes = source.removesuffix(shared), place.removesuffix(shared)
        for file in package.payload.files:
            path = str(file.path)
            member = f"{becomes}{path.removeprefix(root)}"
            if path.startswith(root) and path not in executables and digests.get(member) == file.sha256:
                found.setdefault(path, member)
    return found


def _common_end(one: str, other: str) -> str:
    """Return the names at the end that two paths have in common; the last ones may differ."""
    pairs = zip(reversed(one.split("/")), reversed(other.split("/")), strict=False)
    same = takewhile(lambda pair: pair[0] == pair[1], pairs)
    return "/".join(reversed([name for name, _ in same]))


def packed_with(contents: WheelContents) -> PackedWith:
    """Return what packed a wheel: small members are often equal under other encoders, so all are packed."""
    deflated = [member for member in contents.members if member.central.method == DEFLATED]
    if not deflated:
        return PackedWith.STORED
    with contents.path.open("rb") as file:
        is_zlib = all(
            b"".join(stored_content(file, member)) == _zlib(content)
            for member in deflated
            if (content := _content(member)) is not None
        )
    return PackedWith.ZLIB if is_zlib else PackedWith.UNKNOWN


def _content(member: Member) -> bytes | None:
    return member.data if member.extracted is None else member.extracted.read_bytes()


def _zlib(content: bytes) -> bytes:
    compressor = ZLIB.start()
    return compressor.compress(content) + compressor.flush()


def _file_lines(files: Mapping[str, str]) -> Iterator[str]:
    rows = [f"{quoted(source)} = {quoted(place)}" for source, place in files.items()]
    if len(rows) <= _IN_ONE_LINE:
        yield f"executables = {{ {', '.join(rows)} }}"
    else:
        yield from ("[platform.executables]", *rows)


def _path(name: str, contents: WheelContents) -> str:
    return member_path(name, contents.name)


def _constants(contents: WheelContents) -> Iterator[tuple[str, str, str]]:
    """Yield the member, the name and the value of each text constant of the wheel's modules."""
    for member in contents.members:
        if member.name.endswith(".py") and member.data is not None:
            for names, value in assigned_constants(member.data):
                if names and isinstance(value, str):
                    yield _path(member.name, contents), names[0], value


def _digest_lines(texts: Mapping[str, Sha256]) -> Iterator[str]:
    for path, sha256 in sorted(texts.items()):
        yield f'{quoted(path)} = "{sha256}"'


def quoted(text: str) -> str:
    """Return a basic string of TOML, which escapes as JSON does."""
    return json.dumps(str(text)).replace("\x7f", "\\u007f")
