"""Checks of members' types and permission bits, as installers take them from the external attributes.

pip and installer make a file executable only when it is a regular file by its
type bits and has an execute bit; they look at nothing else of the mode.
"""

import re
import stat
from collections.abc import Iterator

from factory.core.model import FileKind, Severity
from factory.core.targets import OperatingSystem
from factory.verify.checks.check import Checks, Fault
from factory.verify.reading.contents import Member, WheelContents

_LIBRARY = re.compile(r"\.(?:so(?:\.\d+)*|dylib|dll|pyd|node)\Z", re.IGNORECASE)
_PROGRAM_MODE = 0o100755
_DATA_MODES = frozenset({0o100644, 0o644})
_EXECUTE = 0o111
_SPECIAL_BITS = stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH
_STANDARD = "pip._internal.operations.install.wheel; installer.utils"


check = Checks[WheelContents](standard="CWE-732")


def is_program(member: Member) -> bool:
    """Whether it is an executable image to be started, by its content, and no library by its name."""
    return member.kind.is_executable_image and not _LIBRARY.search(member.name)


@check(
    "member-special-file",
    Severity.ERROR,
    title="Every member is a regular file",
    protects="Users: a link installed by one tool is a text file for the next, or leads outside.",
    standard="CWE-59; packaging.python.org: binary distribution format",
    remedy="Put the file itself into the wheel.",
)
def _find_special_files(wheel: WheelContents) -> Iterator[Fault]:
    for member in wheel.members:
        kind = stat.S_IFMT(member.mode)
        if kind in {0, stat.S_IFREG} or (kind == stat.S_IFDIR and member.is_directory):
            continue
        what = "a symbolic link" if kind == stat.S_IFLNK else "a special file"
        yield Fault(member.name, f"{what} by its mode {member.mode:#o}")


def _files(wheel: WheelContents) -> Iterator[Member]:
    """Yield what is installed as a file; a link's or a directory's bits mean something else."""
    for member in wheel.members:
        if stat.S_IFMT(member.mode) in {0, stat.S_IFREG} and not member.is_directory:
            yield member


@check(
    "member-setuid",
    Severity.ERROR,
    title="No member has setuid, setgid or sticky bits",
    protects="Users: a program that runs with somebody else's rights.",
    remedy="Build the wheel with modes 0755 and 0644.",
)
def _find_special_bits(wheel: WheelContents) -> Iterator[Fault]:
    for member in wheel.members:
        if member.mode & _SPECIAL_BITS:
            yield Fault(member.name, f"its mode is {member.mode:#o}")


@check(
    "member-writable",
    Severity.ERROR,
    title="Nobody but the owner may write to a member",
    protects="Users of shared machines: others could replace the executable.",
    remedy="Build the wheel with modes 0755 and 0644.",
)
def _find_writable(wheel: WheelContents) -> Iterator[Fault]:
    for member in _files(wheel):
        if member.mode & _OTHERS_MAY_WRITE:
            yield Fault(member.name, f"its mode {member.mode:#o} lets others write to it")


@check(
    "member-not-executable",
    Severity.ERROR,
    title="Every program is executable once installed",
    protects="Users: starting it fails with 'permission denied'.",
    standard=_STANDARD,
    remedy="Give it mode 0755 with the type bits of a regular file (external attributes 0o100755 << 16).",
)
def _find_lost_execute_bits(wheel: WheelContents) -> Iterator[Fault]:
    for member in _files(wheel):
        if _has_lost_execute_bit(member, wheel.operating_system):
            yield Fault(member.name, f"its mode {member.mode:#o} installs as a file that is not executable")


def _has_lost_execute_bit(member: Member, system: OperatingSystem | None) -> bool:
    """Whether a program would not start for its mode alone; Windows looks at no mode."""
    is_executable = stat.S_ISREG(member.mode) and member.mode & _EXECUTE
    return is_program(member) and not is_executable and system is not OperatingSystem.WINDOWS


@check(
    "member-executable-data",
    Severity.WARNING,
    title="Data is not executable",
    protects="Users: a text file that a shell would try to run.",
    standard=_STANDARD,
    remedy="Give it mode 0644.",
)
def _find_executable_data(wheel: WheelContents) -> Iterator[Fault]:
    for member in _files(wheel):
        if member.kind is FileKind.DATA and member.mode & _EXECUTE:
            yield Fault(member.name, f"its mode is {member.mode:#o}, its content is no program's")


@check(
    "member-mode",
    Severity.WARNING,
    title="Programs have mode 0755, data has mode 0644",
    protects="Whoever rebuilds the wheel: other modes come from a machine's umask.",
    standard="factory.build.recipe",
    remedy="Build the wheel with modes 0755 and 0644.",
)
def _find_odd_modes(wheel: WheelContents) -> Iterator[Fault]:
    for member in _files(wheel):
        if _is_judged_otherwise(member, wheel.operating_system):
            continue
        allowed = {_PROGRAM_MODE, *_DATA_MODES}
        if is_program(member):
            allowed = {_PROGRAM_MODE}
        elif member.kind is FileKind.DATA:
            allowed = set(_DATA_MODES)
        if member.mode not in allowed:
            wanted = " or ".join(f"{mode:#o}" for mode in sorted(allowed))
            yield Fault(member.name, f"its mode is {member.mode:#o} and not {wanted}")


def _is_judged_otherwise(member: Member, system: OperatingSystem | None) -> bool:
    """Whether another check of this module has a finding about the mode already."""
    is_executable_data = member.kind is FileKind.DATA and bool(member.mode & _EXECUTE)
    is_unsafe = bool(member.mode & (_SPECIAL_BITS | _OTHERS_MAY_WRITE))
    return is_unsafe or is_executable_data or _has_lost_execute_bit(member, system)


@check(
    "member-directory",
    Severity.NOTE,
    title="Members are files only",
    protects="Whoever rebuilds the wheel: backends differ in whether they write directories.",
    standard="packaging.python.org: binary distribution format",
    remedy="Build the wheel with a backend that writes none, as hatchling does.",
)
def _find_directories(wheel: WheelContents) -> Iterator[Fault]:
    for member in wheel.members:
        if member.is_directory:
            evidence = (
                "a directory" if not member.size_bytes else f"a directory with {member.size_bytes} bytes"
            )
            yield Fault(member.name, evidence)


CHECKS = check.registered()
