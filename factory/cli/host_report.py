"""Examine this machine for ``factory doctor``."""

import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path

from factory.build.deflate_check import OtherDeflate, deflate_identity
from factory.build.encoder import Encoder
from factory.build.exact_deflate import NotAvailable
from factory.core.errors import HostError
from factory.system.containers.engine import ContainerEngine, ContainerSetup
from factory.system.containers.images import require_image
from factory.system.files import CannotWrite, atomic_file

INTERPRETERS = ("python3.11", "python3.12", "python3.13", "python3.14")
RELEASE_BYTES = 4 * 10**9
"""Disk space for the first run of one release: packages, compressed files, wheels and scratch files."""


class Ability(StrEnum):
    """Whether the machine has something."""

    OK = "ok"
    ABSENT = "absent"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """One thing that was examined.

    Attributes:
        remedy: How to get it, and what for; empty if it is there.
        is_required: Whether ``factory wheels`` needs it.
    """

    subject: str
    ability: Ability
    detail: str
    remedy: str = ""
    is_required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A program that some commands use."""

    program: str
    remedy: str


TOOLS = (
    Tool(
        program="npm",
        remedy="optional: its configuration gives the registry's URL; or use --npm-registry",
    ),
    Tool(program="docker", remedy="needed by 'make image'; Debian: apt-get install docker.io"),
    Tool(
        program="qemu-aarch64-static",
        remedy="runs aarch64 executables on this host; Debian: apt-get install qemu-user-static",
    ),
    Tool(program="llvm-otool-14", remedy="lets delocate check macOS wheels; Debian: apt-get install llvm-14"),
)


def examine_host(*, search_path: str, cache_dir: Path) -> tuple[Examination, ...]:
    """Examine everything that the commands need, except containers.

    Args:
        search_path: Directories of programs, in the format of ``PATH``.
        cache_dir: Directory of the cache, which may not exist yet.
    """
    return (
        _examine_python(),
        _examine_venv(),
        _examine_interpreters(search_path),
        _examine_cache(cache_dir),
        _examine_disk(cache_dir),
        *(_examine_tool(tool, search_path) for tool in TOOLS),
    )


def examine_containers(containers: ContainerSetup) -> tuple[Examination, ...]:
    """Examine the container engine and the builder image; runs without them build on the host."""
    subject = "container engine"
    try:
        with containers.open_engine() as engine:
            identity = engine.identify()
            image = _examine_image(engine, containers.image)
    except HostError as error:
        return (
            Examination(
                subject=subject,
                ability=Ability.ABSENT,
                detail=str(error),
                remedy=f"--builder docker: {error.hint}",
            ),
        )
    detail = f"{identity.name}, {identity.architecture}"
    return Examination(subject=subject, ability=Ability.OK, detail=detail), image


def _examine_image(engine: ContainerEngine, reference: str) -> Examination:
    subject = "builder image"
    try:
        image = require_image(engine, reference)
    except HostError as error:
        return Examination(subject=subject, ability=Ability.ABSENT, detail=str(error), remedy=error.hint)
    return Examination(subject=subject, ability=Ability.OK, detail=f"{reference}, {image.id}")


def _examine_python() -> Examination:
    detail = f"{platform.python_implementation()} {platform.python_version()}, {sys.executable}"
    return Examination(subject="python", ability=Ability.OK, detail=detail, is_required=True)


def _examine_venv() -> Examination:
    """Examine what makes the toolchains' environments; Debian has it in a package of its own."""
    missing = [name for name in ("venv", "ensurepip") if find_spec(name) is None]
    if missing:
        return Examination(
            subject="venv",
            ability=Ability.ABSENT,
            detail=f"this Python has no module {' and no module '.join(missing)}",
            remedy="install it; Debian: apt-get install python3-venv",
            is_required=True,
        )
    return Examination(
        subject="venv", ability=Ability.OK, detail="venv and ensurepip are installed", is_required=True
    )


def _examine_interpreters(search_path: str) -> Examination:
    """Examine which other interpreters 'factory ci reproduce' would build with."""
    found = [found for name in INTERPRETERS if (found := shutil.which(name, path=search_path))]
    if found:
        return Examination(subject="interpreters", ability=Ability.OK, detail=", ".join(found))
    return Examination(
        subject="interpreters",
        ability=Ability.ABSENT,
        detail=f"none of {', '.join(INTERPRETERS)} is on PATH",
        remedy="optional: 'factory ci reproduce' also builds with other interpreters",
    )


def examine_deflate(open_encoder: Callable[[], Encoder]) -> tuple[Examination, ...]:
    """Examine the encoders: the faster one, and this Python's zlib, which is needed only without it."""
    try:
        detail = f"{open_encoder().label}, the same bytes as zlib"
    except NotAvailable as error:
        encoder = Examination(
            subject="encoder",
            ability=Ability.ABSENT,
            detail=f"zlib, because {error}",
            remedy=f"optional, twice as fast: {error.hint}",
        )
        return encoder, _examine_zlib(is_required=True)
    encoder = Examination(subject="encoder", ability=Ability.OK, detail=detail)
    return encoder, _examine_zlib(is_required=False)


def _examine_zlib(*, is_required: bool) -> Examination:
    identity = deflate_identity()
    detail = f"{identity.name} {identity.version}"
    if identity.is_reference:
        return Examination(
            subject="deflate",
            ability=Ability.OK,
            detail=f"{detail}, the reference encoder",
            is_required=is_required,
        )
    return Examination(
        subject="deflate",
        ability=Ability.BROKEN,
        detail=f"{detail}, not equivalent to stock zlib",
        remedy=OtherDeflate.hint,
        is_required=is_required,
    )


def _examine_cache(cache_dir: Path) -> Examination:
    try:
        with atomic_file(cache_dir / "doctor") as file:
            file.write(b"")
        (cache_dir / "doctor").unlink()
    except CannotWrite as error:
        return Examination(
            subject="cache", ability=Ability.BROKEN, detail=str(error), remedy=error.hint, is_required=True
        )
    return Examination(subject="cache", ability=Ability.OK, detail=str(cache_dir), is_required=True)


def _examine_disk(cache_dir: Path) -> Examination:
    place = next(path for path in (cache_dir, *cache_dir.absolute().parents) if path.exists())
    free = shutil.disk_usage(place).free
    detail = f"{free / 10**9:.1f} GB free at {place}"
    if free >= RELEASE_BYTES:
        return Examination(subject="disk", ability=Ability.OK, detail=detail)
    return Examination(
        subject="disk",
        ability=Ability.ABSENT,
        detail=detail,
        remedy=f"the first run of a release needs {RELEASE_BYTES / 10**9:.0f} GB; see 'factory cache prune'",
    )


def _examine_tool(tool: Tool, search_path: str) -> Examination:
    found = shutil.which(tool.program, path=search_path)
    if found is None:
        return Examination(
            subject=tool.program, ability=Ability.ABSENT, detail="not on PATH", remedy=tool.remedy
        )
    return Examination(subject=tool.program, ability=Ability.OK, detail=found)
