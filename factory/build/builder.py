"""The input and output of a build, whichever engine and builder run it."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from factory.build.recipe import Recipe, WheelLayout
from factory.build.template import wheel_name
from factory.core.digests import Sha256
from factory.core.model import ArchiveFormat, Payload, ReleaseAsset
from factory.core.tags import CodexTag
from factory.core.targets import Platform, Target
from factory.release.payload import PackageSource


class BuilderName(StrEnum):
    """Where the backend runs: the values of ``--builder``, and of ``builder`` in the manifest."""

    AUTO = "auto"
    NATIVE = "native"
    DOCKER = "docker"
    CIBUILDWHEEL = "cibuildwheel"


class Engine(StrEnum):
    """What writes a wheel: the assembler, which is fast, or the backend itself, which is the reference."""

    ASSEMBLER = "assembler"
    BACKEND = "backend"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedWheel:
    """A wheel to build.

    Attributes:
        asset: The release asset that contains its payload.
        promised: The digest that it must have; only for a rebuild of a published wheel.
    """

    tag: CodexTag
    asset: ReleaseAsset
    recipe: Recipe
    promised: Sha256 | None = None

    @property
    def platform(self) -> Platform:
        """The platform of its recipe."""
        return self.recipe.platform

    @property
    def name(self) -> str:
        """Its file name."""
        return wheel_name(self.tag, self.platform)


_USUAL_RATIO = 2.6
"""The size of the unpacked packages of 0.163.0, compared with the packed ones."""
_GZIP_TRAILER_BYTES = 8
_GZIP_SIZE_BYTES = 4
"""The end of a gzip stream: the size of its content modulo 2**32 (RFC 1952, ISIZE)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedPackage:
    """A release package on this machine, and the wheels to build from it.

    Attributes:
        size_bytes: The size of the package file.
        payload: Its payload, if an earlier run read a package with the same digest.
    """

    asset: ReleaseAsset
    source: PackageSource
    size_bytes: int
    payload: Payload | None
    wheels: tuple[PlannedWheel, ...]

    @property
    def target(self) -> Target:
        """The target of the payload that the wheels contain."""
        return self.asset.target

    @property
    def content_bytes(self) -> int:
        """About the size of its payload, for progress only."""
        if self.payload is not None:
            return self.payload.size_bytes
        return self.unpacked_bytes or round(self.size_bytes * _USUAL_RATIO)

    @property
    def unpacked_bytes(self) -> int | None:
        """About the size of the unpacked package, for progress only; None if the package does not say."""
        if self.asset.format is not ArchiveFormat.TAR_GZ or self.size_bytes < _GZIP_TRAILER_BYTES:
            return None
        with self.source.path.open("rb") as file:
            file.seek(-_GZIP_SIZE_BYTES, os.SEEK_END)
            return int.from_bytes(file.read(_GZIP_SIZE_BYTES), "little") or None


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelFile:
    """A wheel file that an engine has just written."""

    path: Path
    size_bytes: int
    sha256: Sha256

    @property
    def name(self) -> str:
        """The file name."""
        return self.path.name


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltWheel:
    """A wheel that was built and is not verified yet."""

    planned: PlannedWheel
    layout: WheelLayout
    file: WheelFile


class Builder(Protocol):
    """An engine with everything that it needs."""

    def build(self, packages: Sequence[FetchedPackage], *, scratch: Path) -> tuple[BuiltWheel, ...]:
        """Build every wheel of every package below ``scratch``, and return them in that order."""
