"""Checks of executable images of every format, and the iteration that the other image checks use.

The content decides what a file is, not its name. An image that cannot be read is one
finding here; the checks of its format skip it.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from factory.core.model import FileKind, Severity
from factory.core.targets import OperatingSystem
from factory.executables.elf import ElfFacts, read_elf
from factory.executables.elf_frame import ElfType
from factory.executables.image_bytes import MalformedImage
from factory.executables.macho import read_macho
from factory.executables.pe import read_pe
from factory.verify.checks.check import Checks, Fault
from factory.verify.reading.contents import Member, WheelContents

FactsT = TypeVar("FactsT")

_READERS: Mapping[FileKind, Callable[[Path], object]] = {
    FileKind.ELF: read_elf,
    FileKind.MACHO: read_macho,
    FileKind.PE: read_pe,
}
_ELF_OS_ABIS = {0, 3}  # System V and Linux

check = Checks[WheelContents]()


def native_kind(system: OperatingSystem) -> FileKind:
    """Return the format that an operating system's loader takes."""
    match system:
        case OperatingSystem.LINUX:
            return FileKind.ELF
        case OperatingSystem.MACOS:
            return FileKind.MACHO
        case OperatingSystem.WINDOWS:
            return FileKind.PE


def readable(
    wheel: WheelContents, kind: FileKind, read: Callable[[Path], FactsT]
) -> Iterator[tuple[Member, FactsT]]:
    """Yield the images of one format with their facts, if it is the format of the wheel's platform.

    Skipped are malformed images, which `image-unreadable` reports, and images in a
    wheel for another system, which `image-foreign` reports.
    """
    system = wheel.operating_system
    if system is None or native_kind(system) is not kind:
        return
    for member in wheel.images:
        if member.kind is kind and member.extracted is not None:
            try:
                yield member, read(member.extracted)
            except MalformedImage:
                continue


def dotted(version: tuple[int, int]) -> str:
    """Write a version of glibc or macOS as in ``2.17``."""
    return f"{version[0]}.{version[1]}"


def is_readable(member: Member) -> bool:
    """Whether an image is well-formed, in the parts that its loader reads."""
    return _malformed(member) is None


def _malformed(member: Member) -> str | None:
    """Return why an image cannot be read; None if it can be, or is not an image."""
    if member.extracted is None or member.kind not in _READERS:
        return None
    try:
        _READERS[member.kind](member.extracted)
    except MalformedImage as error:
        return error.reason
    return None


@check(
    "image-unreadable",
    Severity.ERROR,
    title="Every executable image is well-formed",
    protects="Users: a loader refuses a damaged program, or runs code that no tool could see.",
    standard="System V gABI; Apple mach-o/loader.h; Microsoft PE Format",
    remedy="Take the file from the release package again and compare its SHA-256.",
)
def _find_unreadable(wheel: WheelContents) -> Iterator[Fault]:
    for member in wheel.images:
        if (reason := _malformed(member)) is not None:
            yield Fault(member.name, f"not a valid {member.kind.value} file: {reason}")


@check(
    "image-not-judged",
    Severity.ERROR,
    title="Every executable image is of a kind that the checks know",
    protects="Users: nothing is known about whether the file can start.",
    standard="System V gABI, e_type and EI_OSABI; Apple mach-o/loader.h; Microsoft PE Format",
    remedy="Build the wheel from the release package of its own target, or leave the file out.",
)
def _find_not_judged(wheel: WheelContents) -> Iterator[Fault]:
    system = wheel.operating_system
    if system is None:
        return
    kind = native_kind(system)
    for member, facts in readable(wheel, kind, _READERS[kind]):
        if (reason := _why_not_judged(facts)) is not None:
            yield Fault(member.name, f"not judged: {reason}")


def _why_not_judged(facts: object) -> str | None:
    match facts:
        case ElfFacts(type=unknown) if unknown not in set(ElfType):
            return f"the ELF type {unknown} is not known"
        case ElfFacts(os_abi=unknown) if unknown not in _ELF_OS_ABIS:
            return f"the OS ABI {unknown} is not known; Linux has 0 and 3"
        case ElfFacts(abi_version=unknown) if unknown:
            return f"the version {unknown} of the OS ABI is not known"
        case _:
            return None


@check(
    "image-foreign",
    Severity.ERROR,
    title="Every executable image has the format of the wheel's platform",
    protects="Users: the program is installed but cannot start.",
    standard="Platform compatibility tags, PEP 425",
    remedy="Build the wheel from the release package of its own target.",
)
def _find_foreign(wheel: WheelContents) -> Iterator[Fault]:
    system = wheel.operating_system
    if system is None:
        return
    kind = native_kind(system)
    for member in wheel.images:
        if member.kind is not kind:
            platforms = ".".join(wheel.platforms)
            yield Fault(member.name, f"the format is {member.kind.value}; {platforms} needs {kind.value}")


CHECKS = check.registered()
