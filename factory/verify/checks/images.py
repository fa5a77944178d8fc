"""Checks of executable images of every format, and the iteration that the other image checks use.

The content decides what a file is, not its name. An image that cannot be read is one
finding here; the checks of its format skip it.
"""

from collections.abc import Iterator
from typing import TypeVar

from factory.core.model import FileKind, Severity
from factory.core.targets import OperatingSystem
from factory.executables.elf import ElfFacts
from factory.executables.elf_frame import ElfType
from factory.executables.image_bytes import MalformedImage
from factory.executables.macho import MachoFacts
from factory.executables.pe import PeFacts
from factory.verify.checks.check import Checks, Fault
from factory.verify.checks.member_modes import is_of_unknown_format
from factory.verify.reading.contents import Member, WheelContents

FactsT = TypeVar("FactsT", ElfFacts, MachoFacts, PeFacts)

KNOWN_MACHO_TYPES = frozenset(range(1, 13))
"""From MH_OBJECT to MH_FILESET; `macho-type` judges those that dyld does not load."""

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


def readable(wheel: WheelContents, of: type[FactsT]) -> Iterator[tuple[Member, FactsT]]:
    """Yield the images of one format with their facts, if it is the format of the wheel's platform.

    Skipped are malformed images, which `image-unreadable` reports, and images in a
    wheel for another system, which `image-foreign` reports.
    """
    system = wheel.operating_system
    if system is None:
        return
    for member in wheel.images:
        facts = wheel.facts_of(member)
        if member.kind is native_kind(system) and isinstance(facts, of):
            yield member, facts


def dotted(version: tuple[int, int]) -> str:
    """Write a version of glibc or macOS as in ``2.17``."""
    return f"{version[0]}.{version[1]}"


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
        if isinstance(facts := wheel.facts_of(member), MalformedImage):
            yield Fault(member.name, f"not a valid {member.kind.value} file: {facts.reason}")


@check(
    "image-not-judged",
    Severity.ERROR,
    title="Every executable image is of a kind that the checks know",
    protects="Users: nothing is known about whether the file can start.",
    standard="System V gABI, e_type and EI_OSABI; Apple mach-o/loader.h; Microsoft PE Format",
    remedy="Build the wheel from the release package of its own target, or leave the file out.",
)
def _find_not_judged(wheel: WheelContents) -> Iterator[Fault]:
    for member, facts in readable(wheel, ElfFacts):
        if (reason := _why_not_judged(facts)) is not None:
            yield Fault(member.name, f"not judged: {reason}")
    for member, file in readable(wheel, MachoFacts):
        for part in file.slices:
            if part.type not in KNOWN_MACHO_TYPES:
                yield Fault(member.name, f"not judged: the Mach-O file type {part.type} is not known")


def _why_not_judged(facts: ElfFacts) -> str | None:
    if facts.type not in set(ElfType):
        return f"the ELF type {facts.type} is not known"
    if facts.os_abi not in _ELF_OS_ABIS:
        return f"the OS ABI {facts.os_abi} is not known; Linux has 0 and 3"
    if facts.abi_version:
        return f"the version {facts.abi_version} of the OS ABI is not known"
    return None


@check(
    "image-format",
    Severity.ERROR,
    title="Every program and library has a format that the checks know",
    protects="Users: nothing is known about whether the file can start.",
    standard="System V gABI; Apple mach-o/loader.h; Microsoft PE Format",
    remedy="Take the file from the release package again, or give it the name and the mode of a data file.",
)
def _find_unknown_formats(wheel: WheelContents) -> Iterator[Fault]:
    for member in wheel.members:
        if is_of_unknown_format(member):
            yield Fault(
                member.name, "not judged: it has the name or mode of a program or library, not a known format"
            )


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
