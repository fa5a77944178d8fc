"""Checks of the members' types and permission bits, which installers take from the external attributes.

pip and installer make a file executable only if its type bits are those of a regular
file and it has an execute bit; they ignore the rest of the mode.
"""

import re
import stat
from collections.abc import Iterator

from factory.core.model import FileKind, Severity
from factory.core.targets import OperatingSystem
from factory.verify.checks.check import Checks, Fault
from factory.verify.reading.contents import Member, WheelContents

_LIBRARY = re.compile(r"\.(?:so(?:\.\d+)*|dylib|dll|pyd|node)\Z", re.IGNORECASE)
_LOADED = re.compile(r"\.(?:exe|sys|dll|pyd|node|dylib|so(?:\.\d+)*)\Z", re.IGNORECASE)
_PROGRAM_MODE = 0o100755
_DATA_MODES = frozenset({0o100644, 0o644})
_EXECUTE = 0o111
_SPECIAL_BITS = stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH
_INSTALLERS = "pip._internal.operations.install.wheel; installer.utils"
_WHEEL = "packaging.python.org: binary distribution format"

check = Checks[WheelContents]()


def is_program(member: Member) -> bool:
    """Whether it is an executable image by its content, and not a library by its name."""
    return member.kind.is_executable_image and not _LIBRARY.search(member.name)


def is_of_unknown_format(member: Member) -> bool:
    """Whether a loader would get it, by its name or its mode, though it has no format that is known here.

    A program without a suffix can be text that a shell runs; that is another matter.
    """
    if member.kind is not FileKind.DATA or member.is_directory or member.sha256 is None:
        return False
    if _LOADED.search(member.name):
        return True
    is_text = member.data is not None and b"\0" not in member.data
    return bool(member.mode & _EXECUTE) and "." not in member.name.rpartition("/")[2] and not is_text


@check(
    "member-special-file",
    Severity.ERROR,
    title="Every member is a regular file",
    protects="Users: some installers create symbolic links, even to outside; others write text files.",
    standard=f"CWE-59; {_WHEEL}",
    remedy="Put the file itself into the wheel.",
)
def _find_special_files(wheel: WheelContents) -> Iterator[Fault]:
    for member in wheel.members:
        kind = stat.S_IFMT(member.mode)
        if kind in {0, stat.S_IFREG} or (kind == stat.S_IFDIR and member.is_directory):
            continue
        what = "a symbolic link" if kind == stat.S_IFLNK else "a special file"
        yield Fault(member.name, f"mode {member.mode:#o} is that of {what}")


def _files(wheel: WheelContents) -> Iterator[Member]:
    """Yield what is installed as a file; the bits of a link or a directory mean something else."""
    for member in wheel.members:
        if stat.S_IFMT(member.mode) in {0, stat.S_IFREG} and not member.is_directory:
            yield member


@check(
    "member-setuid",
    Severity.ERROR,
    title="No member has setuid, setgid or sticky bits",
    protects="Users: the program would run with another user's rights.",
    standard="CWE-732",
    remedy="Build the wheel with modes 0755 and 0644.",
)
def _find_special_bits(wheel: WheelContents) -> Iterator[Fault]:
    for member in wheel.members:
        if member.mode & _SPECIAL_BITS:
            yield Fault(member.name, f"mode {member.mode:#o} has setuid, setgid or sticky bits")


@check(
    "member-writable",
    Severity.WARNING,
    title="Only the owner may write to a member",
    protects="Users of tools that unpack with these modes; pip, uv and installer ignore them."
    " On a shared machine other users could replace the executable.",
    standard="CWE-732",
    remedy="Build the wheel with modes 0755 and 0644.",
)
def _find_writable(wheel: WheelContents) -> Iterator[Fault]:
    for member in _files(wheel):
        if member.mode & _OTHERS_MAY_WRITE:
            yield Fault(member.name, f"mode {member.mode:#o} lets other users write to it")


@check(
    "member-not-executable",
    Severity.ERROR,
    title="Every program is executable after installation",
    protects="Users: starting it fails with 'permission denied'.",
    standard=_INSTALLERS,
    remedy="Give it mode 0755 with the type bits of a regular file (external attributes 0o100755 << 16).",
)
def _find_lost_execute_bits(wheel: WheelContents) -> Iterator[Fault]:
    for member in _files(wheel):
        if _has_lost_execute_bit(member, wheel.operating_system):
            yield Fault(member.name, f"with mode {member.mode:#o} it is installed as not executable")


def _has_lost_execute_bit(member: Member, system: OperatingSystem | None) -> bool:
    """Whether the mode keeps a program from starting; Windows ignores modes."""
    is_executable = stat.S_ISREG(member.mode) and member.mode & _EXECUTE
    return is_program(member) and not is_executable and system is not OperatingSystem.WINDOWS


@check(
    "member-executable-data",
    Severity.WARNING,
    title="Data files are not executable",
    protects="Users: a shell would try to run a text file.",
    standard=_INSTALLERS,
    remedy="Give it mode 0644.",
)
def _find_executable_data(wheel: WheelContents) -> Iterator[Fault]:
    for member in _files(wheel):
        is_data = member.kind is FileKind.DATA and not is_of_unknown_format(member)
        if is_data and member.mode & _EXECUTE:
            yield Fault(member.name, f"mode {member.mode:#o} is executable, but the content is not a program")


@check(
    "member-mode",
    Severity.WARNING,
    title="Programs have mode 0755, data files have mode 0644",
    protects="Anyone who rebuilds the wheel: other modes come from a machine's umask.",
    standard="factory.build.recipe",
    remedy="Build the wheel with modes 0755 and 0644.",
)
def _find_odd_modes(wheel: WheelContents) -> Iterator[Fault]:
    for member in _files(wheel):
        if _has_other_finding(member, wheel.operating_system):
            continue
        allowed = {_PROGRAM_MODE, *_DATA_MODES}
        if is_program(member):
            allowed = {_PROGRAM_MODE}
        elif member.kind is FileKind.DATA:
            allowed = set(_DATA_MODES)
        if member.mode not in allowed:
            wanted = " or ".join(f"{mode:#o}" for mode in sorted(allowed))
            yield Fault(member.name, f"mode is {member.mode:#o}, not {wanted}")


def _has_other_finding(member: Member, system: OperatingSystem | None) -> bool:
    """Whether another check of this module already has a finding about the mode."""
    is_executable_data = member.kind is FileKind.DATA and bool(member.mode & _EXECUTE)
    is_unsafe = bool(member.mode & (_SPECIAL_BITS | _OTHERS_MAY_WRITE))
    return is_unsafe or is_executable_data or _has_lost_execute_bit(member, system)


@check(
    "member-directory",
    Severity.NOTE,
    title="No member is a directory",
    protects="Anyone who rebuilds the wheel: backends differ in whether they write directories.",
    standard=_WHEEL,
    remedy="Build the wheel with a backend that writes no directories, such as hatchling.",
)
def _find_directories(wheel: WheelContents) -> Iterator[Fault]:
    for member in wheel.members:
        if member.is_empty_directory:  # archive-directory-member reports the others
            yield Fault(member.name, "a directory")


CHECKS = check.registered()
