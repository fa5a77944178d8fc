"""The properties of this machine that decide which executables it can start."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from factory.core.targets import Architecture, OperatingSystem


class Libc(StrEnum):
    """The C library of a Linux system."""

    GLIBC = "glibc"
    MUSL = "musl"


@dataclass(frozen=True, slots=True, kw_only=True)
class MuslRoot:
    """The root directory of a musl system, and the program that enters it: ``chroot``."""

    path: Path
    chroot: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """What this machine can start; the command line detects it.

    Attributes:
        operating_system: None if no wheel is for it; so is `architecture`.
        libc: The C library, on Linux.
        python: An interpreter with `venv` and pip.
        emulators: User-mode emulators, such as ``qemu-aarch64-static``.
        musl_root: A musl system of the same architecture, for a host that is not musl.
        env: Variables that every program needs: SYSTEMROOT on Windows.
    """

    operating_system: OperatingSystem | None
    architecture: Architecture | None
    python: Path
    libc: Libc | None = None
    emulators: Mapping[Architecture, Path]
    musl_root: MuslRoot | None = None
    env: Mapping[str, str]
