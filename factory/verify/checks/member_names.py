"""Checks of member names: each is a plain relative path on every system, and names one file."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator

from factory.core.counted import counted
from factory.core.member_path import LONGEST_PART_BYTES, why_outside
from factory.core.model import Severity
from factory.core.printable import CONTROL_CATEGORIES
from factory.core.targets import OperatingSystem
from factory.verify.checks.check import Checks, Fault
from factory.verify.reading.contents import Member, WheelContents

_DRIVE = re.compile(r"\A[A-Za-z]:")
_RESERVED_ON_WINDOWS = re.compile(
    r"\A(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3]) *(?:[.:]|\Z)", re.IGNORECASE
)
_LONGEST_WINDOWS_PATH = 200
_MOST_PARTS = 64
_WHEEL = "packaging.python.org: binary distribution format"
_WINDOWS = "learn.microsoft.com: naming files, paths, and namespaces"

check = Checks[WheelContents]()


@check(
    "member-path",
    Severity.ERROR,
    title="Every member name is a relative path inside the installation",
    protects="Users: a file could be written outside site-packages.",
    standard="CWE-22; PKWARE APPNOTE 6.3.10, 4.4.17",
    remedy="Do not install the wheel; build it again from clean paths.",
)
def _find_unsafe_paths(wheel: WheelContents) -> Iterator[Fault]:
    for member in wheel.members:
        if reason := _unsafe(member):
            yield Fault(member.name, reason)


def _unsafe(member: Member) -> str:
    """Return why a path leads outside, or is read differently on another system; empty for a safe one."""
    reason = why_outside(member.name)
    if not reason and b"\\" in member.central.name:
        return "the name has a backslash, which is a separator on Windows only"
    return reason


@check(
    "member-name-length",
    Severity.ERROR,
    title="No part of a member name is longer than a file system allows, and there are not too many parts",
    protects="Users: the installation fails half-way.",
    standard="POSIX limits.h, NAME_MAX",
    remedy="Shorten the name.",
)
def _find_long_names(wheel: WheelContents) -> Iterator[Fault]:
    for member in wheel.members:
        if (parts := member.name.count("/")) >= _MOST_PARTS:
            yield Fault(member.name, f"not judged: the name has {parts + 1} parts, not at most {_MOST_PARTS}")
        longest = max(len(part.encode("utf-8", "replace")) for part in member.name.split("/"))
        if longest > LONGEST_PART_BYTES:
            yield Fault(
                member.name,
                f"a part of the name has {counted(longest, 'byte')}, not at most {LONGEST_PART_BYTES}",
            )


@check(
    "member-windows-path",
    Severity.WARNING,
    title="All names are short enough for Windows",
    protects="Users of Windows without long paths: the installation fails (pip issue 10142).",
    standard=_WINDOWS,
    remedy="Shorten the path.",
)
def _find_long_paths(wheel: WheelContents) -> Iterator[Fault]:
    if wheel.operating_system not in {None, OperatingSystem.WINDOWS}:
        return
    for member in wheel.members:
        if (length := len(member.name)) > _LONGEST_WINDOWS_PATH:
            yield Fault(
                member.name, f"the path has {counted(length, 'character')}; Windows allows 260 in all"
            )


@check(
    "member-control-character",
    Severity.ERROR,
    title="No member name has control or formatting characters",
    protects="Anyone who reads a listing: such a name looks like another one, or is cut at a NUL.",
    standard="CWE-150; unicode.org: UTR 36",
    remedy="Rename the file and build the wheel again.",
)
def _find_control_characters(wheel: WheelContents) -> Iterator[Fault]:
    for member in wheel.members:
        found = {char for char in member.name if unicodedata.category(char) in CONTROL_CATEGORIES}
        if found:
            codes = ", ".join(sorted(f"U+{ord(char):04X}" for char in found))
            yield Fault(member.name, f"the name has control characters: {codes}")


@check(
    "member-encoding",
    Severity.ERROR,
    title="Every member name is ASCII, or UTF-8 with the UTF-8 flag",
    protects="Users: installers differ in the name that they give the file.",
    standard=f"{_WHEEL}; PKWARE APPNOTE 6.3.10, appendix D",
    remedy="Build the wheel with a backend that writes UTF-8 names.",
)
def _find_undecodable(wheel: WheelContents) -> Iterator[Fault]:
    for member in wheel.members:
        raw = member.central.name
        if raw.isascii():
            continue
        if not member.central.flags & 0x800:
            evidence = f"{raw!r} is not ASCII and has no UTF-8 flag, so readers decode it differently"
            yield Fault(member.name, evidence)
        elif not _is_utf8(raw):
            yield Fault(member.name, f"{raw!r} has the UTF-8 flag but is not valid UTF-8")


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


@check(
    "member-duplicate",
    Severity.ERROR,
    title="No two members have the same name",
    protects="Users: installers differ in which one they install.",
    standard="PyPI's upload checks; CPython's zipfile warns",
    remedy="Build the wheel again; it was edited.",
)
def _find_duplicates(wheel: WheelContents) -> Iterator[Fault]:
    for name, count in Counter(member.name for member in wheel.members).items():
        if count > 1:
            yield Fault(name, f"{counted(count, 'member has', 'members have')} this name")


@check(
    "member-case-collision",
    Severity.ERROR,
    title="Names differ even when case is ignored",
    protects="Users of Windows and macOS: one file overwrites the other.",
    standard=_WINDOWS,
    remedy="Rename one of the files.",
)
def _find_case_collisions(wheel: WheelContents) -> Iterator[Fault]:
    """Find names that a file system treats as one: Windows ignores case, macOS also the normal form."""
    spellings: dict[str, set[str]] = defaultdict(set)
    for name in wheel.by_name:
        for prefix in _prefixes(name):
            spellings[unicodedata.normalize("NFC", prefix.casefold())].add(prefix)
    for names in spellings.values():
        if len(names) > 1:
            first, *others = sorted(names)
            yield Fault(first, f"the same file as {', '.join(others)} where case is ignored")


def _prefixes(name: str) -> Iterator[str]:
    """Yield each directory above a path and the path itself, without final slashes."""
    parts = name.removesuffix("/").split("/")[:_MOST_PARTS]
    for count in range(1, len(parts) + 1):
        yield "/".join(parts[:count])


@check(
    "member-file-and-directory",
    Severity.ERROR,
    title="No name is both a file and a directory",
    protects="Users: the installation fails half-way.",
    standard=_WHEEL,
    remedy="Rename one of them.",
)
def _find_file_and_directory(wheel: WheelContents) -> Iterator[Fault]:
    for name in wheel.by_name:
        if not name.endswith("/") and wheel.has_directory(name):
            yield Fault(name, "it is both a file and a directory")


@check(
    "member-windows-name",
    Severity.WARNING,
    title="All names are valid on Windows",
    protects="Users of Windows: the installation fails, or writes to a device or a stream.",
    standard=_WINDOWS,
    remedy="Rename the file.",
)
def _find_windows_names(wheel: WheelContents) -> Iterator[Fault]:
    for member in wheel.members:
        if _DRIVE.match(member.name):
            continue  # member-path reports it
        for part in member.name.removesuffix("/").split("/"):
            is_reserved = _RESERVED_ON_WINDOWS.match(part) or part.endswith((" ", "."))
            # member-path reports "." and "..", too.
            if part not in {".", ".."} and (is_reserved or re.search(r'[<>:"|?*]', part)):
                yield Fault(member.name, f"Windows does not allow a file named {part!r}")


CHECKS = check.registered()
