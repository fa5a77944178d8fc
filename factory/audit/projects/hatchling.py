"""Build a wheel again with hatchling, which is the full recipe of a project with a mapping.

The project file is inferred from texts that a person reviewed, and the executables are npm's. Nothing else
comes from the wheel: the backend decides order, times, modes and flags, and the zip host is Unix. A wheel
that comes out with the digest that the index lists need not be downloaded.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass
from pathlib import Path, PurePosixPath

from factory.audit.locked_backend import builder_for
from factory.audit.project_file import (
    HOOK,
    README,
    CoreMetadata,
    NotInferable,
    hatchling_project,
    project_table,
)
from factory.audit.projects.mapping import DATA, DIST_INFO, member_path
from factory.audit.projects.npm_release import below_top
from factory.audit.projects.read_texts import MappedTexts
from factory.audit.published import line_ends
from factory.audit.read_package import ReadPackage
from factory.audit.verdict import InferredFacts
from factory.build.assembler.assemble import assemble
from factory.build.builder import WheelFile
from factory.build.deflate import Deflated
from factory.build.deflate_cache import DeflateCache
from factory.build.recipe import Container
from factory.build.stage import below
from factory.build.template import TemplateFile
from factory.build.toolchain import lock_for
from factory.core.digests import Sha256
from factory.core.model import PayloadFile
from factory.system.cache import made_again
from factory.system.files import writing
from factory.wheels.context import RunContext

_SOURCES = "src"
_SCRIPTS = "scripts"
_MADE_BY_BACKEND = {"METADATA", "WHEEL", "RECORD", "entry_points.txt"}
_TABLES = {"console_scripts": "scripts", "gui_scripts": "gui-scripts"}
_TAG_HOOK = b"""\
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class TagHook(BuildHookInterface):
    PLUGIN_NAME = "custom"

    def initialize(self, version, build_data):
        build_data.update(pure_python=self.config["pure-python"], infer_tag=False, tag=self.config["tag"])
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A project that hatchling builds.

    Attributes:
        files: All files, sorted by path; those of the release are empty.
        facts: The recipe in words.
    """

    files: tuple[TemplateFile, ...]
    facts: InferredFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltAgain:
    """A wheel that its backend built again, and the recipe."""

    path: Path
    sha256: Sha256
    facts: InferredFacts


def build_again(
    published: MappedTexts,
    package: ReadPackage,
    *,
    backend: str,
    tools: RunContext,
    scratch: Path,
) -> BuiltAgain:
    """Build a wheel again.

    Args:
        published: The wheel's reviewed texts, and its executables.
        package: The npm package.
        backend: The version of hatchling, which has a lock.
        tools: The toolchain, and the cache of compressed files.
        scratch: An existing directory.

    Raises:
        NotInferable: No project file gives some member or field.
        FactoryError: The toolchain cannot be made, or the backend failed.
    """
    project = infer_project(published, package, backend=backend)
    builder = builder_for(backend, tools)

    def build(is_checked: bool) -> WheelFile:  # noqa: FBT001 - see `made_again`
        place = scratch / ("built-again" if is_checked else "built")
        if is_checked:
            tools.downloader.fetch(package.asset, stop=tools.stop, is_checked=True)
        _write(project, place / "stage")
        (skeleton,) = builder.skeletons([place / "stage"], place)
        payload = _compressed(published.placed, package, builder.cache, threads=tools.jobs)
        with writing(place), tools.progress.task(f"assemble {published.name}") as task:
            return assemble(
                skeleton,
                payload,
                create_system=project.facts.create_system,
                into=place / published.name,
                task=task,
                encoder=builder.cache.encoder,
            )

    wheel = made_again(build)
    return BuiltAgain(path=wheel.path, sha256=wheel.sha256, facts=project.facts)


def infer_project(published: MappedTexts, package: ReadPackage, *, backend: str) -> Project:
    """Infer the project of a wheel.

    Raises:
        NotInferable: No project file gives some member or field.
    """
    texts = {member_path(name, published.name): content for name, content in published.texts.items()}
    metadata = CoreMetadata.parse(texts.get(f"{DIST_INFO}/METADATA", b""))
    staged = tuple(_staged(published))
    scripts = [str(file.path) for file in staged if file.path.parts[0] == _SCRIPTS]
    wheel: dict[str, object] = {"only-include": [_SOURCES], "sources": [_SOURCES]}
    if scripts:
        wheel["shared-scripts"] = {path: path.removeprefix(f"{_SCRIPTS}/") for path in scripts}
    is_pure = b"\nRoot-Is-Purelib: true\n" in texts.get(f"{DIST_INFO}/WHEEL", b"")
    tag = "-".join(published.name.removesuffix(".whl").split("-")[-3:])
    document = hatchling_project(
        project_table(metadata) | _entry_points(texts.get(f"{DIST_INFO}/entry_points.txt", b"")),
        wheel,
        {"pure-python": is_pure, "tag": tag},
        metadata=metadata,
        backend=f"hatchling=={backend}",
    )
    own = {"pyproject.toml": document, HOOK: _TAG_HOOK, README: metadata.description.encode()}
    files = [TemplateFile(path=PurePosixPath(path), content=content) for path, content in own.items()]
    files = sorted((*files, *staged), key=lambda file: file.path)
    container = Container()
    recipe = [str(lock_for(backend).sha256), *map(str, astuple(container))]
    recipe += [f"{file.path} {file.mode:o} {Sha256.of([file.content])}" for file in files]
    used = {file.path for file in published.placed.values()}
    return Project(
        files=tuple(files),
        facts=InferredFacts(
            generator=f"hatchling {backend}",
            metadata_version=metadata.one("Metadata-Version") or "",
            create_system=container.create_system,
            line_ends=line_ends(file.content for file in staged),
            recipe=Sha256.of([json.dumps(recipe).encode()]),
            left_out=tuple(str(one.path) for one in package.payload.files if one.path not in used),
        ),
    )


def _staged(published: MappedTexts) -> Iterator[TemplateFile]:
    """Yield the file of the project that becomes each member; the backend makes the others."""
    for name, content in {**published.texts, **dict.fromkeys(published.placed, b"")}.items():
        place = _place(member_path(name, published.name))
        if place is not None:
            is_executable = name in published.placed or place.parts[0] == _SCRIPTS
            yield TemplateFile(path=place, content=content, mode=0o755 if is_executable else 0o644)


def _place(path: str) -> PurePosixPath | None:
    """Return where the file of a member belongs in the project; None if the backend makes the member."""
    directory, _, rest = path.partition("/")
    kind, _, below_kind = rest.partition("/")
    if directory not in {DIST_INFO, DATA}:
        return PurePosixPath(_SOURCES, path)
    if directory == DATA and kind == _SCRIPTS:
        return PurePosixPath(_SCRIPTS, below_kind)
    if directory == DIST_INFO and kind == "licenses":
        if PurePosixPath(below_kind).parts[0] in {_SOURCES, _SCRIPTS, HOOK, README, "pyproject.toml"}:
            raise NotInferable(f"it has a licence with the name of a project file, {below_kind!r}")
        return PurePosixPath(below_kind)
    if directory == DIST_INFO and rest in _MADE_BY_BACKEND:
        return None
    raise NotInferable(f"{path} comes from no known key of a project file")


def _entry_points(content: bytes) -> dict[str, object]:
    """Return the keys of ``[project]`` that give an ``entry_points.txt``."""
    groups: dict[str, dict[str, str]] = {}
    group: dict[str, str] = {}
    for line in filter(None, content.decode("utf-8", "replace").splitlines()):
        name, equals, value = line.partition(" = ")
        if line.startswith("[") and line.endswith("]"):
            group = groups.setdefault(line[1:-1], {})
        elif not equals or not groups:
            raise NotInferable(f"entry_points.txt has the line {line[:80]!r}")
        else:
            group[name] = value
    others = {name: points for name, points in groups.items() if name not in _TABLES}
    keys: dict[str, object] = {_TABLES[name]: points for name, points in groups.items() if name in _TABLES}
    return keys | ({"entry-points": others} if others else {})


def _write(project: Project, stage: Path) -> None:
    with writing(stage):
        for file in project.files:
            path = below(stage, file.path)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.content)
            path.chmod(file.mode)


def _compressed(
    placed: Mapping[str, PayloadFile], package: ReadPackage, cache: DeflateCache, *, threads: int
) -> dict[str, Deflated]:
    """Return the compressed files of the package, by member; it is read only if the cache lacks one."""
    found = {name: cache.find(file.sha256) for name, file in placed.items()}
    payload = {name: deflated for name, deflated in found.items() if deflated is not None}
    wanted = {file.path: name for name, file in placed.items() if name not in payload}
    if wanted:
        with package.source.walk(None) as entries:
            for entry in entries:
                name = wanted.get(below_top(entry.path) or entry.path)
                if name is not None:
                    payload[name] = cache.add(entry.chunks(), threads=threads)
    return payload
