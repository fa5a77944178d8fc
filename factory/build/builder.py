"""What a builder is given and what it gives back, whichever engine does the work."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from factory.build.recipe import Recipe, WheelLayout
from factory.core.model import BuiltWheel, Payload, ReleaseAsset
from factory.core.tags import CodexTag
from factory.core.targets import Target
from factory.release.payload import PackageSource


class BuilderName(StrEnum):
    """Where the backend runs, as ``--builder`` and the manifest spell it."""

    AUTO = "auto"
    NATIVE = "native"
    DOCKER = "docker"
    CIBUILDWHEEL = "cibuildwheel"


class Engine(StrEnum):
    """What lays a wheel out: the fast path, or the backend itself that it is held to."""

    ASSEMBLER = "assembler"
    BACKEND = "backend"


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A release package on this machine, and the recipes of the wheels that it feeds.

    Attributes:
        asset: What the channel promises of it.
        source: Its bytes.
        size_bytes: Its size, packed.
        payload: What an earlier run read in the very same bytes, if any.
        recipes: One a wheel.
    """

    asset: ReleaseAsset
    source: PackageSource
    size_bytes: int
    payload: Payload | None
    recipes: tuple[Recipe, ...]

    @property
    def target(self) -> Target:
        """Whose payload is wanted of it."""
        return self.asset.target


@dataclass(frozen=True, slots=True, kw_only=True)
class LaidOutWheel:
    """A built wheel with the recipe and layout that made it."""

    wheel: BuiltWheel
    recipe: Recipe
    layout: WheelLayout


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltPackage:
    """All wheels that one release package fed."""

    payload: Payload
    wheels: tuple[LaidOutWheel, ...]


class Builder(Protocol):
    """What makes wheels of release packages."""

    def build(self, packages: Sequence[Package], *, tag: CodexTag, scratch: Path) -> tuple[BuiltPackage, ...]:
        """Build every wheel of every package into ``scratch``; the order of packages is kept."""
