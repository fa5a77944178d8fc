"""Infer the recipe of a published wheel: everything except the payload that determines its bytes.

A value that the wheel does not show stops the inference (`NotInferable`); it is never guessed. Only
the rebuild proves that the inference is right: the SHA-256 is equal, or the differences are listed.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from packaging.version import Version

from factory.audit.audited import Inferred
from factory.audit.codex.matching import Match, match_payload
from factory.audit.index import PublishedWheel
from factory.audit.locked_backend import HATCHLING, locked_version
from factory.audit.project_file import (
    HOOK,
    README,
    CoreMetadata,
    NotInferable,
    hatchling_project,
    project_table,
)
from factory.audit.published import PublishedContents, PublishedReader, dist_info_of, line_ends, read_record
from factory.audit.verdict import ChainLink, InferredFacts, TrustedText
from factory.build.payload_rules import Placement
from factory.build.recipe import Backend, Container, Recipe
from factory.build.sbom import SBOM_PATH
from factory.build.template import (
    DISTRIBUTION,
    PACKAGE,
    SOURCE_DIRECTORY,
    Template,
    TemplateFile,
    bundled_template,
)
from factory.build.toolchain import lock_for, locked_versions
from factory.core.counted import counted
from factory.core.digests import Sha256
from factory.core.member_path import is_plain
from factory.core.model import Payload, ReleaseAsset
from factory.core.targets import Platform, Target
from factory.release.payload import kind_of

_GENERATOR = re.compile(r"^Generator: (.+)$", re.MULTILINE)
_EXECUTE = 0o111
_PLATFORM_TAG = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)+")


def read_contents(reader: PublishedReader, *, name: str, payload: Payload) -> PublishedContents:
    """Read a wheel's texts: the .dist-info directory, and members that are not files of the release.

    Raises:
        UnreadableWheel: A text is missing, too large or damaged.
    """
    info = dist_info_of(name)
    record = reader.text(f"{info}/RECORD")
    claims = read_record(record)
    known = {file.sha256 for file in payload.files}
    places = {str(match.path) for match in match_payload(_in_package(claims, claims), payload)}
    texts = {f"{info}/RECORD": record}
    for member in reader.headers:
        is_payload = claims.get(member) in known or member.removeprefix(f"{PACKAGE}/") in places
        if member not in texts and not is_payload and reader.is_text(member):
            texts[member] = reader.text(member)
    return PublishedContents(name=name, headers=reader.headers, recorded=claims, texts=texts)


def infer(
    wheel: PublishedWheel,
    contents: PublishedContents,
    payload: Payload,
    asset: ReleaseAsset,
    *,
    usual: Iterable[str] = (),
) -> Inferred:
    """Infer the recipe of a published wheel.

    Args:
        wheel: The wheel as the index lists it.
        contents: What was read of it.
        payload: The files of the release package.
        asset: The release package.
        usual: The generators of reviewed wheels of the release. If the wheel names an unknown one, the newest
            of these rebuilds it, so that a false name leads to no other comparison.

    Raises:
        NotInferable: The generator is unknown, or the wheel does not show some value.
    """
    info = contents.dist_info
    generator, version = _generator(contents.texts.get(f"{info}/WHEEL", b""), usual)
    metadata = CoreMetadata.parse(contents.texts.get(f"{info}/METADATA", b""))
    matches = match_payload(_in_package(contents.headers, contents.recorded), payload)
    template_members = _template_members(contents, matches)
    template = _template(contents, metadata, template_members, backend=f"hatchling=={version}")
    recipe = Recipe(
        platform=_platform(wheel, payload.target),
        template=template,
        backend=Backend(version=version, lock=lock_for(version).sha256),
        container=Container(create_system=_create_system(contents)),
        moves=(),
        leave_out=(),
        has_sbom=f"{info}/{SBOM_PATH}" in contents.headers,
        placements=tuple(_placement(match, contents) for match in matches),
    )
    placed = {match.file.path for match in matches}
    facts = InferredFacts(
        generator=generator,
        metadata_version=metadata.one("Metadata-Version") or "",
        create_system=recipe.container.create_system,
        line_ends=line_ends(contents.texts[member] for member in template_members),
        recipe=recipe.identity,
        left_out=tuple(str(file.path) for file in payload.files if file.path not in placed),
    )
    return Inferred(
        recipe=recipe,
        facts=facts,
        chain=chain_of(matches, asset),
        trust_base=_trust_base(contents, template_members),
    )


def chain_of(matches: Iterable[Match], asset: ReleaseAsset) -> tuple[ChainLink, ...]:
    """Return the origin of each executable."""
    return tuple(
        ChainLink(
            member=f"{PACKAGE}/{match.path}",
            sha256=match.file.sha256,
            asset=asset.purl if match.is_same_content else None,
            path=str(match.file.path) if match.is_same_content else None,
        )
        for match in matches
        if match.file.kind.is_executable_image
    )


def _generator(wheel_file: bytes, usual: Iterable[str]) -> tuple[str, str]:
    """Return the generator that WHEEL names, and the version of the backend for the rebuild."""
    found = _GENERATOR.findall(wheel_file.decode("utf-8", "replace"))
    named = found[0] if len(found) == 1 else ""
    version = locked_version(named)
    if version is not None:
        return named, version
    versions = [locked for name in usual if (locked := locked_version(name)) is not None]
    if versions:
        return named, max(versions, key=Version)
    if len(found) != 1:
        raise NotInferable(f"WHEEL names {counted(len(found), 'generator')}")
    if HATCHLING.fullmatch(named) is None:
        raise NotInferable(f"its generator {named!r} is unknown")
    known = ", ".join(locked_versions())
    raise NotInferable(f"no locked toolchain for its generator {named}; available: {known}")


def _platform(wheel: PublishedWheel, target: Target) -> Platform:
    if len(wheel.platforms) != 1 or not _PLATFORM_TAG.fullmatch(wheel.platform):
        raise NotInferable(f"the build hook cannot give its platform tag {wheel.platform}")
    if wheel.name.split("-")[2:] != ["py3", "none", f"{wheel.platform}.whl"]:
        raise NotInferable("its file name has another Python tag, ABI tag or a build tag")
    return Platform(tag=wheel.platform, target=target, reason="the published wheel has it")


def _create_system(contents: PublishedContents) -> int:
    """Return the zip host of most members; the comparison lists members with another one."""
    systems = Counter(header.create_system for header in contents.headers.values())
    return systems.most_common(1)[0][0] if systems else Container().create_system


def _in_package(names: Iterable[str], sha256_of: Mapping[str, Sha256]) -> dict[PurePosixPath, Sha256 | None]:
    """Return the members of the import package, by their path below it, with their claimed SHA-256."""
    prefix = f"{PACKAGE}/"
    return {
        PurePosixPath(name.removeprefix(prefix)): sha256_of.get(name)
        for name in names
        if name.startswith(prefix) and not name.endswith("/") and is_plain(name)
    }


def _template_members(contents: PublishedContents, matches: Iterable[Match]) -> tuple[str, ...]:
    """Return the members that came from the template: texts of the package, and licence files.

    Not taken over are executables, members elsewhere, names that are not plain paths, and files below a
    file: the rebuild lacks them, and so the comparison lists them. A rebuild writes the others to the disk.
    """
    matched = {f"{PACKAGE}/{match.path}" for match in matches}
    places = (f"{PACKAGE}/", f"{contents.dist_info}/licenses/")
    return tuple(
        name
        for name in contents.headers
        if name.startswith(places)
        and name in contents.texts
        and name not in matched
        and is_plain(name)
        and not any(str(parent) in contents.headers for parent in PurePosixPath(name).parents)
        and not kind_of(contents.texts[name]).is_executable_image
    )


def _template(
    contents: PublishedContents, metadata: CoreMetadata, members: Iterable[str], *, backend: str
) -> Template:
    licences = f"{contents.dist_info}/licenses/"
    files = [
        TemplateFile(
            path=PurePosixPath(name.removeprefix(licences))
            if name.startswith(licences)
            else SOURCE_DIRECTORY / name.removeprefix(f"{PACKAGE}/"),
            content=contents.texts[name],
            mode=_permissions(contents, name) & ~_EXECUTE or 0o644,
        )
        for name in members
    ]
    own = {
        "pyproject.toml": project_file(metadata, backend=backend),
        HOOK: bundled_template().content(HOOK),
    }
    if metadata.one("Description-Content-Type") is not None:
        own[README] = metadata.description.encode("utf-8")
    taken = {str(file.path) for file in files} & own.keys()
    if taken:
        raise NotInferable(f"it has a licence file with the name of a project file, {min(taken)!r}")
    files += [TemplateFile(path=PurePosixPath(path), content=content) for path, content in own.items()]
    return Template(files=tuple(sorted(files, key=lambda file: file.path)))


def _placement(match: Match, contents: PublishedContents) -> Placement:
    """Return where a payload file is; data is executable only if the release package says so."""
    mode = _permissions(contents, f"{PACKAGE}/{match.path}")
    if not (match.file.kind.is_executable_image or match.file.mode & _EXECUTE):
        mode &= ~_EXECUTE
    return Placement(source=match.file.path, becomes=match.path, mode=mode)


def _permissions(contents: PublishedContents, name: str) -> int:
    return contents.headers[name].external_attributes >> 16 & 0o777


def _trust_base(contents: PublishedContents, members: Iterable[str]) -> tuple[TrustedText, ...]:
    """Return the texts taken from the wheel; the rest comes from the channel or the backend."""
    metadata = f"{contents.dist_info}/METADATA"
    texts = [(metadata, "the project file's fields and the description")]
    texts += [(name, "the template's text, byte for byte") for name in members]
    return tuple(
        TrustedText(
            place=name,
            use=use,
            sha256=Sha256.of([contents.texts[name]]),
            text=contents.texts[name].decode("utf-8", "backslashreplace"),
        )
        for name, use in texts
    )


def project_file(metadata: CoreMetadata, *, backend: str) -> bytes:
    """Write the ``pyproject.toml`` of Codex that gives some METADATA; staging adds version and platform tag.

    Args:
        metadata: The METADATA that a build must give.
        backend: The exact requirement of the build backend, ``hatchling==1.29.0``.

    Raises:
        NotInferable: No project file gives the value of some field.
    """
    if metadata.one("Name") != DISTRIBUTION:
        raise NotInferable(f"METADATA names {metadata.one('Name')!r}, not {DISTRIBUTION!r}")
    project = {**project_table(metadata), "version": "0"}
    return hatchling_project(
        project, {"packages": ["src/codex_cli_bin"]}, {}, metadata=metadata, backend=backend
    )
