"""Staging: a directory with template and payload that any PEP 517 front end builds into one wheel."""

import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol, Self

import tomlkit
from tomlkit.exceptions import TOMLKitError

from factory.build.recipe import Recipe, WheelLayout, lay_out
from factory.build.sbom import SBOM_PATH, render_sbom
from factory.build.template import DISTRIBUTION, SOURCE_DIRECTORY
from factory.core.errors import IntegrityError, UsageError
from factory.core.json_reader import JsonObject
from factory.core.model import Payload, StagedRuntime
from factory.core.tags import CodexTag
from factory.core.targets import Target
from factory.system.files import TEMPORARY_PREFIX, replace_directory, writing

PACKAGE_JSON = "codex-package.json"
"""What a release package says of itself, at the top of the package layout."""


class OverlappingPaths(UsageError):
    """The stage and its source are, or contain, one another."""

    hint = "Stage into a directory of its own, outside the release package."

    def __init__(self, destination: Path, source: Path) -> None:
        super().__init__(f"the stage {destination} and its source {source} overlap")


class NotAStage(UsageError):
    """Something else than what the command makes is where it should go; it is left alone."""

    hint = "Choose a directory that does not exist yet, or remove this one yourself."

    def __init__(self, destination: Path) -> None:
        super().__init__(f"{destination} exists and is none of this command's making, so it is not replaced")


class MixedTargets(UsageError):
    """One release package cannot feed these platforms together."""

    hint = "Stage platforms of one target at a time; 'factory targets' lists them."

    def __init__(self, targets: Sequence[Target]) -> None:
        super().__init__(f"one release package cannot feed the targets {', '.join(targets)}")


class OtherRelease(IntegrityError):
    """A release package says of itself that it is another one than was asked for."""

    hint = "Name the release and the platform that the package is of, or give the right package."

    def __init__(self, field: str, *, asked: str, seen: str) -> None:
        super().__init__(f"the package's {PACKAGE_JSON} says {field} {seen!r}, where {asked!r} was asked for")


class StageSource(Protocol):
    """Where a payload's bytes come from; `factory.release.payload.PackageSource` is one."""

    @property
    def path(self) -> Path:
        """The file or directory that is read."""

    def extract(self, target: Target, *, place: Callable[[PurePosixPath], tuple[Path, ...]]) -> Payload:
        """Read all of it once, and write each payload file to the places that ``place`` gives.

        Raises:
            FactoryError: It cannot be read, or is no release package for the target.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class StageRequest:
    """A directory to stage a release in, for the platform of a recipe."""

    destination: Path
    tag: CodexTag
    recipe: Recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedPackage:
    """What one walk over a release package gave.

    Attributes:
        payload: All of the package's files for the target, also those that no wheel has.
        runtimes: The stages, in the order they were asked for.
    """

    payload: Payload
    runtimes: tuple[StagedRuntime, ...]


def stage(source: StageSource, request: StageRequest) -> StagedRuntime:
    """Stage a release package for one platform; see `stage_many`."""
    return stage_many(source, (request,)).runtimes[0]


def stage_many(source: StageSource, requests: Sequence[StageRequest]) -> StagedPackage:
    """Stage a release package for every platform that it feeds, in one walk over its bytes.

    Each stage is written beside its destination and renamed there when all of them are
    whole; a stage that was there before is replaced, anything else is not.

    Raises:
        OverlappingPaths: A destination and the source contain one another.
        NotAStage: A destination exists and is something else.
        MixedTargets: The platforms need different release packages.
        IncompletePayload: The package lacks a part.
        OtherRelease: The package says that it is of another release or target.
        CannotWrite: A destination does not take files.
    """
    targets = sorted({request.recipe.platform.target for request in requests})
    if len(targets) != 1:
        raise MixedTargets(targets)
    for request in requests:
        require_apart(request.destination, source.path)
        require_replaceable(request.destination, _is_stage)
    with _drafts(requests) as drafts:
        payload = source.extract(targets[0], place=_placing(drafts))
        for draft in drafts:
            draft.finish(lay_out(draft.recipe, payload))
            _require_same_release(draft)
        return StagedPackage(payload=payload, runtimes=tuple(draft.publish() for draft in drafts))


def stage_skeleton(request: StageRequest, layout: WheelLayout) -> StagedRuntime:
    """Stage a runtime whose payload files are empty, with the names and modes of the real ones.

    The backend's decisions depend on no payload byte, so what it makes of this shows them all.
    """
    require_replaceable(request.destination, _is_stage)
    with _drafts((request,)) as (draft,), writing(request.destination):
        for member in layout.members:
            path = draft.package / member.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(exist_ok=False)
        draft.finish(layout)
        return draft.publish()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    """A stage under way, in a temporary directory beside its destination."""

    directory: Path
    destination: Path
    recipe: Recipe
    tag: CodexTag

    @classmethod
    def of(cls, request: StageRequest) -> Self:
        """Name a directory beside the destination; nothing is written yet."""
        destination = request.destination.absolute()
        directory = destination.with_name(f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}")
        return cls(directory=directory, destination=destination, recipe=request.recipe, tag=request.tag)

    def begin(self) -> None:
        """Make the directory and write the stamped template."""
        with writing(self.destination):
            self.directory.mkdir(parents=True)
            for file in self.recipe.template.files:
                path = self.directory / file.path
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(self.stamp(file.content) if path.name == "pyproject.toml" else file.content)
                path.chmod(file.mode)

    @property
    def package(self) -> Path:
        """The import package's directory: the payload's root."""
        return self.directory / SOURCE_DIRECTORY

    def stamp(self, pyproject: bytes) -> bytes:
        """Return the project file with version, platform tag and SBOM; comments and order survive."""
        document = tomlkit.parse(pyproject.decode())
        document["project"]["version"] = self.tag.pep440
        hook = document["tool"]["hatch"]["build"]["hooks"]["custom"]
        hook["platform-tag"] = self.recipe.platform.tag
        if self.recipe.has_sbom:
            document["tool"]["hatch"]["build"]["targets"]["wheel"]["sbom-files"] = [str(SBOM_PATH)]
        return tomlkit.dumps(document).encode()

    def place(self, path: PurePosixPath) -> tuple[Path, ...]:
        """Return where a payload file's bytes go here: one path or none."""
        place = self.recipe.place(path)
        return () if place is None else (self.package / place,)

    def finish(self, layout: WheelLayout) -> None:
        """Write what depends on the payload, and give every file and directory its mode.

        The umask and the archive have no say in modes.
        """
        with writing(self.destination):
            if self.recipe.has_sbom:
                sbom = self.directory / SBOM_PATH
                sbom.parent.mkdir()
                sbom.write_bytes(render_sbom(self.recipe, layout, tag=self.tag))
                sbom.chmod(0o644)
            for member in layout.members:
                (self.package / member.path).chmod(member.mode)
            for root, _, _ in os.walk(self.directory):
                Path(root).chmod(0o755)

    def publish(self) -> StagedRuntime:
        """Rename the directory to its destination, setting a former stage aside first."""
        replace_directory(self.directory, self.destination)
        return StagedRuntime(path=self.destination, tag=self.tag, platform=self.recipe.platform)


@contextmanager
def _drafts(requests: Sequence[StageRequest]) -> Iterator[tuple[_Draft, ...]]:
    """Begin all stages; whatever is not published when the context ends is removed."""
    drafts = tuple(_Draft.of(request) for request in requests)
    try:
        for draft in drafts:
            draft.begin()
        yield drafts
    finally:
        for draft in drafts:
            shutil.rmtree(draft.directory, ignore_errors=True)


def _placing(drafts: Sequence[_Draft]) -> Callable[[PurePosixPath], tuple[Path, ...]]:
    def place(path: PurePosixPath) -> tuple[Path, ...]:
        return tuple(place for draft in drafts for place in draft.place(path))

    return place


def _require_same_release(draft: _Draft) -> None:
    """Compare with what the package says of itself; releases before 0.133.0 say nothing."""
    path = draft.package / PACKAGE_JSON
    if not path.exists():
        return
    said = JsonObject.parse(path.read_bytes(), where=PACKAGE_JSON)
    asked = {"version": draft.tag.semver, "target": draft.recipe.platform.target.value}
    for field, wanted in asked.items():
        seen = said.text_or_none(field)
        if seen not in {None, wanted}:
            raise OtherRelease(field, asked=wanted, seen=str(seen))


def require_apart(destination: Path, source: Path) -> None:
    """Refuse a stage that would be in its source, or its source in it.

    Raises:
        OverlappingPaths: They are, or contain, one another.
    """
    stage, package = destination.resolve(), source.resolve()
    if stage.is_relative_to(package) or package.is_relative_to(stage):
        raise OverlappingPaths(destination, source)


def require_replaceable(destination: Path, is_stage: Callable[[Path], bool]) -> None:
    """Let through what is absent, empty or an earlier stage; somebody's directory of files is none of these.

    Raises:
        NotAStage: It is something else.
    """
    if destination.is_symlink():
        raise NotAStage(destination)
    if not destination.exists():
        return
    if not destination.is_dir() or not (is_stage(destination) or not any(destination.iterdir())):
        raise NotAStage(destination)


def _is_stage(directory: Path) -> bool:
    """Whether the project file is ours and stamped; the template itself is not stamped."""
    try:
        document = tomlkit.parse((directory / "pyproject.toml").read_text(encoding="utf-8")).unwrap()
        hooks = document["tool"]["hatch"]["build"]["hooks"]["custom"]
        return bool(document["project"]["name"] == DISTRIBUTION and "platform-tag" in hooks)
    except (OSError, ValueError, KeyError, TypeError, TOMLKitError):
        return False
