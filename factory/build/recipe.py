"""The recipe: everything that decides a wheel's bytes besides the payload.

A wheel is ``f(recipe, payload)``. The factory uses `our_recipe`; an audit infers
one from a published wheel and runs the same functions on it. Nothing here touches
a payload's bytes, only paths, kinds and sizes.
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
from factory.core.targets import Platform, Target

BACKEND_VERSION = "1.33.0"
"""The hatchling of our recipe; the template's build-system table names it too."""


SBOM_FORM = "cyclonedx-1.6 form 1"
"""Rises with every change of what `sbom.py` writes, so that no two recipes of one identity differ."""


class IncompletePayload(IntegrityError):
    """A release package lacks something that every wheel needs."""

    hint = "Give the whole release package of that target, or its codex executable alone."

    def __init__(self, target: Target, missing: str) -> None:
        super().__init__(f"the release package of {target} has no {missing}")


class UnplaceableFile(IntegrityError):
    """A payload file cannot go into a wheel where the recipe puts it."""

    hint = "Look into the release package: the factory's payload rules may need a new one for this release."

    def __init__(self, path: PurePosixPath, reason: str) -> None:
        super().__init__(f"cannot place {path} of the release package: {reason}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """The build backend: it decides member order, metadata and the generator's line.

    Attributes:
        version: Of hatchling.
        lock: The digest of the toolchain's lock, which fixes the backend's own dependencies.
    """

    version: str
    lock: Sha256

    @property
    def requirement(self) -> str:
        """The exact requirement, as the template's build-system table has it."""
        return f"hatchling=={self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """What the zip around the members has.

    Attributes:
        time: Every member's time; this is hatchling's default without ``SOURCE_DATE_EPOCH``.
        create_system: The host that zip says it was made on; 3 is Unix, 0 Windows (APPNOTE 4.4.2).
        deflate_level: zlib's level.
        deflate_answer: The encoder, by its answer to `factory.build.deflate_check`.
    """

    time: tuple[int, int, int, int, int, int] = (2020, 2, 2, 0, 0, 0)
    create_system: int = 3
    deflate_level: int = 6
    deflate_answer: Sha256 = REFERENCE_ANSWER


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Everything that decides a byte besides the payload and the release's version.

    Line ends are no field: the template's bytes have them.

    Attributes:
        has_sbom: Whether the wheel carries a bill of materials, made from its payload.
        placements: Exactly what of the payload goes where; where they are given, as an audit
            does, no rule and no policy of ours has a say. None for our own recipe.
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
        """The digest of the whole recipe: equal recipes and payloads make equal wheels."""
        return Sha256.of([json.dumps(_canonical(self), sort_keys=True, separators=(",", ":")).encode()])

    def place(self, path: PurePosixPath) -> PurePosixPath | None:
        """Return where a payload file goes in the wheel's package, or None where it is left out."""
        return None if self.rule_against(path) is not None else self.moved(path)

    def moved(self, path: PurePosixPath) -> PurePosixPath:
        """Return where a payload file goes, or would go if no rule left it out."""
        placement = self.placement(path)
        if placement is not None:
            return placement.becomes
        moved = (rule.move(path) for rule in self.moves)
        return next((place for place in moved if place is not None), path)

    def rule_against(self, path: PurePosixPath) -> LeaveOutRule | None:
        """Return the rule that leaves a payload file out, if there is one."""
        if self.placements is not None:
            return NOT_PLACED if self.placement(path) is None else None
        return next((rule for rule in self.leave_out if rule.is_for(path)), None)

    def placement(self, path: PurePosixPath) -> Placement | None:
        """Return a payload file's exact placement, if the recipe has such."""
        return next((placement for placement in self.placements or () if placement.source == path), None)

    def mode(self, file: PayloadFile) -> int:
        """Return a payload file's mode in the wheel."""
        placement = self.placement(file.path)
        return mode_of(file.kind) if placement is None else placement.mode


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelMember:
    """A payload file in the wheel: its path below the import package, and its mode there."""

    path: PurePosixPath
    file: PayloadFile
    mode: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A payload file that the wheel does not have, and why."""

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
    """Decide of each payload file whether, where and with which mode it goes into the wheel.

    Raises:
        IncompletePayload: Without it the wheel would not work: the executable, say.
        UnplaceableFile: Two files would go to one place, or a place is taken or impossible.
    """
    members: list[WheelMember] = []
    left_out: list[LeftOut] = []
    for file in payload.files:
        place = recipe.place(file.path)
        rule = recipe.rule_against(file.path)
        if rule is not None:
            left_out.append(LeftOut(file=file, reason=rule.reason))
        elif place is not None:
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
    """Return a payload file's mode in the wheel: by its content, since archives' modes vary by release."""
    return 0o755 if kind.is_executable_image or kind is FileKind.SCRIPT else 0o644


def _require_placeable(recipe: Recipe, members: list[WheelMember]) -> None:
    """Refuse what an installer or the backend would silently turn into something else."""
    taken = Counter(str(member.path).casefold() for member in members)
    taken.update(
        str(file.path.relative_to(SOURCE_DIRECTORY)).casefold()
        for file in recipe.template.files
        if file.path.is_relative_to(SOURCE_DIRECTORY)
    )
    for member in members:
        if taken[str(member.path).casefold()] > 1:
            raise UnplaceableFile(member.file.path, f"the wheel has another {member.path}")
        if _is_passed_over(member.path):
            raise UnplaceableFile(member.file.path, "the build backend passes over files of that name")


def _is_passed_over(path: PurePosixPath) -> bool:
    """Whether hatchling's fixed exclusions (constants.py, and compiled Python) match a path."""
    names = {".DS_Store", ".git", ".hg", ".hatch", ".venv", ".tox", ".pixi", "__pycache__"}
    caches = {".mypy_cache", ".pytest_cache", ".ruff_cache"}
    return not (names | caches).isdisjoint(path.parts) or path.suffix in {".pyc", ".pyo", ".pyd"}


def _require_complete(recipe: Recipe, payload: Payload) -> None:
    """Refuse a package that lacks a part; an executable alone is one, as upstream's first staging took it."""
    present = {str(recipe.moved(file.path)) for file in payload.files}
    suffix = payload.target.executable_suffix
    needed = [f"bin/codex{suffix}"]
    if len(payload.files) > 1:
        needed.append(f"codex-path/rg{suffix}")
        if not any(file.path.parts[0] == "codex" for file in payload.files):
            needed.append("codex-package.json")
    for path in needed:
        if path not in present:
            raise IncompletePayload(payload.target, path)


def _canonical(recipe: Recipe) -> dict[str, object]:
    """Spell out what decides a byte; a rule's reason is for people and decides none."""
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
