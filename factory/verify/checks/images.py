"""Checks that hold for executable images of every format, and how the others find theirs.

What a file is comes from its content. An image that cannot be read is one finding
here; the checks of its format then pass it over.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from factory.core.model import FileKind, Severity
from factory.core.targets import OperatingSystem
from factory.executables.elf import read_elf
from factory.executables.image_bytes import MalformedImage
from factory.executables.macho import read_macho
from factory.executables.pe import read_pe
from factory.verify.checks.check import Checks, Fault
from factory.verify.reading.contents import Member, WheelContents

FactsT = TypeVar("FactsT")


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
    contents: WheelContents, kind: FileKind, read: Callable[[Path], FactsT]
) -> Iterator[tuple[Member, FactsT]]:
    """Yield the images of one format with their facts, when it is the format of the wheel's platform.

    Malformed images are passed over, `image-unreadable` reports them; so are
    images in a wheel for another system, which `image-foreign` reports.
    """
    system = contents.operating_system
    if system is None or native_kind(system) is not kind:
        return
    for member in contents.images:
        if member.kind is kind and member.extracted is not None:
            try:
                yield member, read(member.extracted)
            except MalformedImage:
                continue


def is_readable(member: Member) -> bool:
    """Whether an image keeps to its format, as far as its loader looks."""
    try:
        if member.extracted is not None:
            _read(member.kind, member.extracted)
    except MalformedImage:
        return False
    return True


def _read(kind: FileKind, path: Path) -> None:
    match kind:
        case FileKind.ELF:
            read_elf(path)
        case FileKind.MACHO:
            read_macho(path)
        case FileKind.PE:
            read_pe(path)
        case FileKind.SCRIPT | FileKind.DATA:
            return


@check(
    "image-unreadable",
    Severity.ERROR,
    title="Every executable image keeps to its format",
    protects="Whoever runs it: a loader refuses a damaged program, or runs what no tool could see.",
    standard="System V gABI; Apple mach-o/loader.h; Microsoft PE Format",
    remedy="Take the file from the release package again and compare its SHA-256.",
)
def _find_unreadable(contents: WheelContents) -> Iterator[Fault]:
    for member in contents.images:
        if member.extracted is None:
            continue
        try:
            _read(member.kind, member.extracted)
        except MalformedImage as error:
            yield Fault(member.name, f"as {member.kind.value}: {error.reason}")


@check(
    "image-foreign",
    Severity.ERROR,
    title="Every executable image is of the format of the wheel's platform",
    protects="Whoever installs it: the program is there and cannot start.",
    standard="Platform compatibility tags, PEP 425",
    remedy="Build the wheel from the release package of its own target.",
)
def _find_foreign(contents: WheelContents) -> Iterator[Fault]:
    system = contents.operating_system
    if system is None:
        return
    kind = native_kind(system)
    for member in contents.images:
        if member.kind is not kind:
            yield Fault(
                member.name,
                f"is {member.kind.value}, not {kind.value} as {'.'.join(contents.platforms)} needs",
            )


CHECKS = check.registered()
