"""The recipe: everything but the payload that decides the bytes of a wheel.

A wheel is ``f(recipe, payload)``. The factory uses `our_recipe`; an audit infers a recipe
from a published wheel and calls the same functions. This module uses the paths, kinds and
sizes of payload files, but not their contents.
"""

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import PurePosixPath

from factory.build.deflate_check import REFERENCE_ANSWER
from factory.build.payload_rules import LEGACY_MOVES, NOT_PLACED, LeaveOutRule, MoveRule, Placement, rules_for
from factory.build.template import SOURCE_DIRECTORY, Template
from factory.build.toolchain import lock_for
from factory.core.digests import Sha256
from factory.core.errors import IntegrityError
from factory.core.model import FileKind, Payload, PayloadFile
from factory.core.targets import Platform

BACKEND_VERSION = "1.33.0"
"""The version of hatchling in our recipe; the build-system table of the template must have the same."""

SBOM_FORM = "cyclonedx-1.6 form 1"
"""Changes with the output of `sbom.py`, so that equal recipe identities mean equal bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """The build backend, which decides member order, metadata and the Generator line of WHEEL.

    Attributes:
        version: The version of hatchling.
        lock: The digest of the toolchain's lock, which pins the dependencies of the backend.
    """

    version: str
    lock: Sha256

    @property
    def requirement(self) -> str:
        """The requirement in the build-system table of the template."""
        return f"hatchling=={self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """The properties of the zip archive.

    Attributes:
        time: The time of every member; the default of hatchling without ``SOURCE_DATE_EPOCH``.
        create_system: The zip host: 3 is Unix, 0 is Windows (APPNOTE 4.4.2).
        deflate_level: The compression level of zlib.
        deflate_answer: Identifies the deflate encoder; see `factory.build.deflate_check`.
    """

    time: tuple[int, int, int, int, int, int] = (2020, 2, 2, 0, 0, 0)
    create_system: int = 3
    deflate_level: int = 6
    deflate_answer: Sha256 = REFERENCE_ANSWER


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Everything that decides a byte, except the payload and the version of the release.

    Line ends are not a field: they are in the bytes of the template.

    Attributes:
        has_sbom: Whether the wheel contains a bill of materials, made from its payload.
        placements: The exact path and mode of each payload file in a published wheel; they
            replace ``moves``, ``leave_out`` and our modes. None for our own recipe.
    """

    platform: Platform
    template: Template
    backend: Backend
    container: Container
    moves: tuple[MoveRule, ...]
    leave_out: tuple[LeaveOutRule, ...]
    has_sbom: bool = False
    placements: tuple[Placement, ...] | None = None

    @property
    def identity(self) -> Sha256:
        """The digest of the recipe: equal recipes and payloads give equal wheels."""
        return Sha256.of([json.dumps(_canonical(self), sort_keys=True, separators=(",", ":")).encode()])

    def place(self, path: PurePosixPath) -> PurePosixPath | None:
        """Return the path of a payload file in the wheel's package; None if it is left out."""
        return None if self.rule_against(path) is not None else self.moved(path)

    def moved(self, path: PurePosixPath) -> PurePosixPath:
        """Return the path of a payload file in the wheel's package, even if a rule leaves it out."""
        placement = self.placement(path)
        if placement is not None:
            return placement.becomes
        moved = (rule.move(path) for rule in self.moves)
        return next((place for place in moved if place is not None), path)

    def rule_against(self, path: PurePosixPath) -> LeaveOutRule | None:
        """Return the rule that leaves a payload file out, if any."""
        if self.placements is not None:
            return NOT_PLACED if self.placement(path) is None else None
        return next((rule for rule in self.leave_out if rule.is_for(path)), None)

    def placement(self, path: PurePosixPath) -> Placement | None:
        """Return the exact placement of a payload file, if the recipe has one."""
        return next((placement for placement in self.placements or () if placement.source == path), None)

    def mode(self, file: PayloadFile) -> int:
        """Return the mode of a payload file in the wheel."""
        placement = self.placement(file.path)
        return mode_of(file.kind) if placement is None else placement.mode


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelMember:
    """A payload file in the wheel: its path in the import package, and its mode."""

    path: PurePosixPath
    file: PayloadFile
    mode: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A payload file that is not in the wheel, and why."""

    file: PayloadFile
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelLayout:
    """Where each file of a payload goes: members are sorted by their path in the wheel's package."""

    payload: Payload
    members: tuple[WheelMember, ...]
    left_out: tuple[LeftOut, ...]


def our_recipe(platform: Platform, *, template: Template) -> Recipe:
    """Return the recipe of our wheel for a platform."""
    return Recipe(
        platform=platform,
        template=template,
        backend=Backend(version=BACKEND_VERSION, lock=lock_for(BACKEND_VERSION).sha256),
        container=Container(),
        moves=LEGACY_MOVES,
        leave_out=rules_for(platform),
        has_sbom=True,
    )


def lay_out(recipe: Recipe, payload: Payload) -> WheelLayout:
    """Decide which payload files go into the wheel, with which paths and modes.

    Raises:
        IntegrityError: The payload lacks a file that every wheel needs, or a file cannot have its path.
    """
    members: list[WheelMember] = []
    left_out: list[LeftOut] = []
    for file in payload.files:
        rule = recipe.rule_against(file.path)
        if rule is not None:
            left_out.append(LeftOut(file=file, reason=rule.reason))
        else:
            place = recipe.moved(file.path)
            members.append(WheelMember(path=place, file=file, mode=recipe.mode(file)))
    _require_placeable(recipe, members)
    if recipe.placements is None:
        _require_complete(recipe, payload)
    return WheelLayout(
        payload=payload,
        members=tuple(sorted(members, key=lambda member: member.path)),
        left_out=tuple(left_out),
    )


def mode_of(kind: FileKind) -> int:
    """Return the mode for a kind of file; the modes in the archives vary from release to release."""
    return 0o755 if kind.is_executable_image or kind is FileKind.SCRIPT else 0o644


def _require_placeable(recipe: Recipe, members: list[WheelMember]) -> None:
    """Refuse paths that an installer would overwrite, or that the backend would leave out."""
    taken = Counter(str(member.path).casefold() for member in members)
    taken.update(
        str(file.path.relative_to(SOURCE_DIRECTORY)).casefold()
        for file in recipe.template.files
        if file.path.is_relative_to(SOURCE_DIRECTORY)
    )
    for member in members:
        if taken[str(member.path).casefold()] > 1:
            raise _unplaceable(member, f"the wheel has another {member.path}")
        if _is_excluded(member.path):
            raise _unplaceable(member, "the build backend excludes files with that name")


def _unplaceable(member: WheelMember, reason: str) -> IntegrityError:
    return IntegrityError(
        f"cannot place {member.file.path} of the release package: {reason}",
        hint="Inspect the release package: this release may need another payload rule.",
    )


def _is_excluded(path: PurePosixPath) -> bool:
    """Return whether hatchling always excludes a path (its constants.py, and compiled Python)."""
    names = {".DS_Store", ".git", ".hg", ".hatch", ".venv", ".tox", ".pixi", "__pycache__"}
    caches = {".mypy_cache", ".pytest_cache", ".ruff_cache"}
    return not (names | caches).isdisjoint(path.parts) or path.suffix in {".pyc", ".pyo", ".pyd"}


def _require_complete(recipe: Recipe, payload: Payload) -> None:
    """Refuse an incomplete package; a lone executable is complete, as in the first releases of upstream."""
    present = {str(recipe.moved(file.path)) for file in payload.files}
    suffix = payload.target.executable_suffix
    needed = [f"bin/codex{suffix}"]
    if len(payload.files) > 1:
        needed.append(f"codex-path/rg{suffix}")
        if not any(file.path.parts[0] == "codex" for file in payload.files):
            needed.append("codex-package.json")
    for path in needed:
        if path not in present:
            raise IntegrityError(
                f"the release package of {payload.target} has no {path}",
                hint="Give the whole release package of that target, or its codex executable alone.",
            )


def _canonical(recipe: Recipe) -> dict[str, object]:
    """Return everything that decides a byte; the reason of a rule does not."""
    container = recipe.container
    exact = {} if recipe.placements is None else {"placements": _canonical_placements(recipe.placements)}
    return {
        **exact,
        **({"sbom": SBOM_FORM} if recipe.has_sbom else {}),
        "platform": recipe.platform.tag,
        "target": recipe.platform.target.value,
        "template": [
            [str(file.path), file.mode, hashlib.sha256(file.content).hexdigest()]
            for file in recipe.template.files
        ],
        "backend": [recipe.backend.requirement, str(recipe.backend.lock)],
        "time": container.time,
        "create_system": container.create_system,
        "deflate": [container.deflate_level, str(container.deflate_answer)],
        "moves": [[str(rule.source), str(rule.becomes)] for rule in recipe.moves],
        "leave_out": [rule.pattern for rule in recipe.leave_out],
    }


def _canonical_placements(placements: tuple[Placement, ...]) -> list[list[object]]:
    return [[str(placement.source), str(placement.becomes), placement.mode] for placement in placements]
