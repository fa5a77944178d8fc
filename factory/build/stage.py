"""Stage a runtime: write the template and a payload into a directory that ``python -m build`` can build."""

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
from factory.build.template import DISTRIBUTION, SOURCE_DIRECTORY, wheel_name
from factory.core.errors import IntegrityError, UsageError
from factory.core.json_reader import JsonObject
from factory.core.member_path import why_outside
from factory.core.model import Payload
from factory.core.tags import CodexTag
from factory.core.targets import Platform, Target
from factory.system.files import TEMPORARY_PREFIX, replace_directory, writing

PACKAGE_JSON = "codex-package.json"
"""The description of a release package, in its root directory."""


class StageSource(Protocol):
    """A release package, such as `factory.release.payload.PackageSource`."""

    @property
    def path(self) -> Path:
        """The file or directory of the package."""

    def extract(self, target: Target, *, place: Callable[[PurePosixPath], tuple[Path, ...]]) -> Payload:
        """Read the package once, and write each payload file to the paths that ``place`` returns for it.

        Raises:
            FactoryError: The package cannot be read, or is not a release package for the target.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class StageRequest:
    """A directory to stage a release in, by a recipe."""

    destination: Path
    tag: CodexTag
    recipe: Recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedRuntime:
    """A directory that any PEP 517 front end builds into exactly one wheel."""

    path: Path
    tag: CodexTag
    recipe: Recipe

    @property
    def platform(self) -> Platform:
        """The platform of the wheel."""
        return self.recipe.platform

    @property
    def wheel_name(self) -> str:
        """The file name of the wheel."""
        return wheel_name(self.tag, self.platform)


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedPackage:
    """The payload of a release package, and a stage for each request, in the same order."""

    payload: Payload
    runtimes: tuple[StagedRuntime, ...]


Require = Callable[[Payload], None]
"""Raises an error for a payload that must not be staged."""


def _accept(_: Payload) -> None:
    """Accept any payload."""


def stage(source: StageSource, request: StageRequest, *, require: Require = _accept) -> StagedRuntime:
    """Stage a release package for one platform; see `stage_many`."""
    return stage_many(source, (request,), require=require).runtimes[0]


def stage_many(
    source: StageSource, requests: Sequence[StageRequest], *, require: Require = _accept
) -> StagedPackage:
    """Stage a release package for all platforms of its target, and read the package only once.

    Each stage is written beside its destination, and renamed when all of them are complete. A rename
    replaces an earlier stage, but no other directory.

    Args:
        source: The release package.
        requests: What to stage.
        require: Raises an error for a payload that must not be staged.

    Raises:
        UsageError: A destination overlaps with the source or is another directory, or the platforms
            have different targets.
        IntegrityError: The package is incomplete, or is for another release or target.
        CannotWrite: A destination is not writable.
    """
    targets = sorted({request.recipe.platform.target for request in requests})
    if len(targets) != 1:
        raise UsageError(
            f"one release package cannot contain the targets {', '.join(targets)}",
            hint="Stage the platforms of one target at a time; 'factory show platforms' lists them.",
        )
    for request in requests:
        require_apart(request.destination, source.path)
        require_replaceable(request.destination, _is_stage)
    with _drafts(requests) as drafts:
        payload = source.extract(targets[0], place=_placing(drafts))
        require(payload)
        for draft in drafts:
            draft.finish(lay_out(draft.request.recipe, payload))
            _require_same_release(draft)
        return StagedPackage(payload=payload, runtimes=tuple(draft.publish() for draft in drafts))


def _placing(drafts: Sequence["_Draft"]) -> Callable[[PurePosixPath], tuple[Path, ...]]:
    """Return where a payload file goes; the package is at fault if another file is there already."""
    taken = {
        str(draft.directory / file.path).casefold()
        for draft in drafts
        for file in draft.request.recipe.template.files
    }

    def place(path: PurePosixPath) -> tuple[Path, ...]:
        places = tuple(place for draft in drafts for place in draft.place(path))
        for found in places:
            if str(found).casefold() in taken:
                raise IntegrityError(
                    f"cannot place {path} of the release package: the wheel has another {found.name} there",
                    hint="Inspect the release package: this release may need another payload rule.",
                )
            taken.add(str(found).casefold())
        return places

    return place


def stage_skeleton(request: StageRequest, layout: WheelLayout) -> StagedRuntime:
    """Stage a runtime with empty payload files that have the names and modes of the real ones.

    The backend's decisions do not depend on payload bytes: its wheel of this stage shows all of them.
    """
    require_replaceable(request.destination, _is_stage)
    with _drafts((request,)) as (draft,), writing(request.destination):
        for member in layout.members:
            path = draft.package / member.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(exist_ok=False)
        draft.finish(layout)
        return draft.publish()


def below(directory: Path, path: PurePosixPath) -> Path:
    """Return a path below a directory.

    Recipes of published wheels have paths from those wheels. They are checked where they are read; this is
    the last check before something is written.

    Raises:
        IntegrityError: The path leads outside.
    """
    if why := why_outside(str(path)):
        raise IntegrityError(f"{str(path)!r} cannot be staged: {why}", hint="Do not install the wheel.")
    return directory / path


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    """An incomplete stage, in a temporary directory beside its destination."""

    directory: Path
    request: StageRequest

    @classmethod
    def of(cls, request: StageRequest) -> Self:
        """Choose a directory beside the destination, without writing anything."""
        name = f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}"
        return cls(directory=request.destination.absolute().with_name(name), request=request)

    def begin(self) -> None:
        """Make the directory and write the stamped template."""
        with writing(self.request.destination):
            self.directory.mkdir(parents=True)
            for file in self.request.recipe.template.files:
                path = below(self.directory, file.path)
                path.parent.mkdir(parents=True, exist_ok=True)
                is_project_file = file.path == PurePosixPath("pyproject.toml")
                path.write_bytes(self.stamp(file.content) if is_project_file else file.content)
                path.chmod(file.mode)

    @property
    def package(self) -> Path:
        """The directory of the import package, where the payload goes."""
        return self.directory / SOURCE_DIRECTORY

    def stamp(self, pyproject: bytes) -> bytes:
        """Set version, platform tag and bill of materials in the project file; keep comments and order."""
        document = tomlkit.parse(pyproject.decode())
        document["project"]["version"] = self.request.tag.pep440
        hook = document["tool"]["hatch"]["build"]["hooks"]["custom"]
        hook["platform-tag"] = self.request.recipe.platform.tag
        if self.request.recipe.has_sbom:
            document["tool"]["hatch"]["build"]["targets"]["wheel"]["sbom-files"] = [str(SBOM_PATH)]
        return tomlkit.dumps(document).encode()

    def place(self, path: PurePosixPath) -> tuple[Path, ...]:
        """Return the path of a payload file in this stage, if the recipe does not leave the file out."""
        place = self.request.recipe.place(path)
        return () if place is None else (below(self.package, place),)

    def finish(self, layout: WheelLayout) -> None:
        """Write the bill of materials, and set the mode of every file and directory.

        Modes depend on neither the umask nor the archive.
        """
        with writing(self.request.destination):
            if self.request.recipe.has_sbom:
                sbom = self.directory / SBOM_PATH
                sbom.parent.mkdir()
                sbom.write_bytes(render_sbom(self.request.recipe, layout, tag=self.request.tag))
                sbom.chmod(0o644)
            for member in layout.members:
                below(self.package, member.path).chmod(member.mode)
            for root, _, _ in os.walk(self.directory):
                Path(root).chmod(0o755)

    def publish(self) -> StagedRuntime:
        """Rename the directory to its destination, after moving an earlier stage away."""
        request, destination = self.request, self.request.destination.absolute()
        replace_directory(self.directory, destination)
        return StagedRuntime(path=destination, tag=request.tag, recipe=request.recipe)


@contextmanager
def _drafts(requests: Sequence[StageRequest]) -> Iterator[tuple[_Draft, ...]]:
    """Begin all stages, and remove those that are not published when the context ends."""
    drafts = tuple(_Draft.of(request) for request in requests)
    try:
        for draft in drafts:
            draft.begin()
        yield drafts
    finally:
        for draft in drafts:
            shutil.rmtree(draft.directory, ignore_errors=True)


def _require_same_release(draft: _Draft) -> None:
    """Compare release and target with the package's own description; releases before 0.133.0 have none."""
    path = draft.package / PACKAGE_JSON
    if not path.exists():
        return
    described = JsonObject.parse(path.read_bytes(), where=PACKAGE_JSON)
    requested = {
        "version": draft.request.tag.semver,
        "target": draft.request.recipe.platform.target.value,
    }
    for field, wanted in requested.items():
        found = described.text_or_none(field)
        if found not in {None, wanted}:
            raise IntegrityError(
                f"the package's {PACKAGE_JSON} has {field} {found!r}, but {wanted!r} was requested",
                hint="Name the release and the platform of the package, or give the right package.",
            )


def require_apart(destination: Path, source: Path) -> None:
    """Refuse a stage inside its source, or a source inside the stage.

    Raises:
        UsageError: They overlap.
    """
    stage, package = destination.resolve(), source.resolve()
    if stage.is_relative_to(package) or package.is_relative_to(stage):
        raise UsageError(
            f"the stage {destination} and its source {source} overlap",
            hint="Stage into a directory of its own, outside the release package.",
        )


def require_replaceable(destination: Path, is_stage: Callable[[Path], bool]) -> None:
    """Accept a destination that does not exist, is empty, or is an earlier stage.

    Raises:
        UsageError: It is something else, which this command must not remove.
    """
    if not destination.is_symlink():
        if not destination.exists():
            return
        if destination.is_dir() and (is_stage(destination) or not any(destination.iterdir())):
            return
    raise UsageError(
        f"{destination} exists and was not created by this command, so it is not replaced",
        hint="Choose a directory that does not exist yet, or remove this one yourself.",
    )


def _is_stage(directory: Path) -> bool:
    """Return whether the project file is ours and stamped; that of the template itself is not stamped."""
    try:
        document = tomlkit.parse((directory / "pyproject.toml").read_text(encoding="utf-8")).unwrap()
        hooks = document["tool"]["hatch"]["build"]["hooks"]["custom"]
        return bool(document["project"]["name"] == DISTRIBUTION and "platform-tag" in hooks)
    except (OSError, ValueError, KeyError, TypeError, TOMLKitError):
        return False
