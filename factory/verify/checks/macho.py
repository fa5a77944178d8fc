"""Checks of Mach-O files: each file of a macOS wheel keeps what the platform tag promises.

delocate compares only the newest requirement of all files with the tag, and accepts wrong
architectures beside right ones and files without a minimum version; these checks look at
every file.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping

from factory.core.model import Severity
from factory.executables.macho import MachoFacts, MachoSlice, MachoType
from factory.verify.checks.check import Checks, Fault
from factory.verify.checks.images import KNOWN_MACHO_TYPES, dotted, readable
from factory.verify.checks.system_names import is_known_macos_library
from factory.verify.reading.contents import Member, WheelContents

_TAG = re.compile(r"macosx_(\d+)_(\d+)_(\w+)")
_TAG_ARCHITECTURES = {"universal2": ("x86_64", "arm64"), "intel": ("i386", "x86_64")}
_FIRST_ARM64_MACOS = (11, 0)
_SYSTEM_DIRECTORIES = ("/usr/lib/", "/System/Library/")
_RELATIVE = ("@loader_path", "@executable_path", "@rpath")
_LOADER_RELATIVE = ("@loader_path", "@executable_path")
_FAMILIES = {"x86_64h": "x86_64", "arm64e": "arm64"}
_LIBRARIES = "/usr/lib/"
_LIBSYSTEM_PARTS = "/usr/lib/system/"
_NOT_MEANT = re.compile(r"\.o\Z|\.dSYM/")
_NOT_LOADED = KNOWN_MACHO_TYPES - set(MachoType)

check = Checks[WheelContents]()


def promised_macos(platform_tags: tuple[str, ...]) -> Mapping[str, tuple[int, int]]:
    """Return the oldest macOS that some platform tags promise to run on, by architecture.

    macOS runs on arm64 since 11.0, so a lower promise for arm64 means 11.0.
    """
    promised: dict[str, tuple[int, int]] = {}
    for match in filter(None, map(_TAG.fullmatch, platform_tags)):
        for architecture in _TAG_ARCHITECTURES.get(match[3], (match[3],)):
            version = (int(match[1]), int(match[2]))
            if architecture == "arm64":
                version = max(version, _FIRST_ARM64_MACOS)
            promised[architecture] = min(version, promised.get(architecture, version))
    return promised


def _files(wheel: WheelContents) -> Iterator[tuple[Member, tuple[MachoSlice, ...]]]:
    return ((member, facts.slices) for member, facts in readable(wheel, MachoFacts))


def _slices(wheel: WheelContents) -> Iterator[tuple[Member, MachoSlice]]:
    return ((member, part) for member, parts in _files(wheel) for part in parts)


@check(
    "macho-architecture",
    Severity.ERROR,
    title="Every Mach-O file has code for each architecture of the tag",
    protects="Users: 'bad CPU type'. delocate accepts it as long as one file is right.",
    standard="Platform compatibility tags, PEP 425; Apple mach/machine.h",
    remedy="Build the wheel from the release package of its own target.",
)
def _find_architecture(wheel: WheelContents) -> Iterator[Fault]:
    promised = promised_macos(wheel.platforms)
    for member, parts in _files(wheel):
        present = [part.architecture for part in parts]
        missing = [architecture for architecture in promised if architecture not in present]
        if missing:
            yield Fault(member.name, f"has code for {', '.join(present)}, not for {', '.join(missing)}")


@check(
    "macho-minimum-macos",
    Severity.ERROR,
    title="No Mach-O file needs a newer macOS than the tag promises",
    protects="Users of the oldest macOS that the tag allows: pip installs it, but dyld refuses it.",
    standard="Platform compatibility tags, macosx_X_Y; Apple mach-o/loader.h, LC_BUILD_VERSION",
    remedy="Give the wheel the tag of its newest requirement, or leave the file out.",
)
def _find_minimum(wheel: WheelContents) -> Iterator[Fault]:
    promised = promised_macos(wheel.platforms)
    for member, part in _slices(wheel):
        family = _FAMILIES.get(part.architecture, part.architecture)
        floor, tag = part.minimum_macos, promised.get(family)
        if floor is not None and tag is not None and floor > tag:
            needed = f"{part.architecture} code needs macOS {dotted(floor)}"
            yield Fault(member.name, f"{needed}; the tag promises {dotted(tag)}")


@check(
    "macho-no-minimum",
    Severity.WARNING,
    title="Every Mach-O file states the macOS that it was built for",
    protects="Anyone who trusts the tag: the file does not support it, and delocate skips the file.",
    standard="Apple mach-o/loader.h, LC_BUILD_VERSION and LC_VERSION_MIN_MACOSX",
    remedy="Link it with a deployment target, MACOSX_DEPLOYMENT_TARGET.",
)
def _find_no_minimum(wheel: WheelContents) -> Iterator[Fault]:
    for member, part in _slices(wheel):
        if part.minimum_macos is None and part.is_for_macos:
            yield Fault(member.name, "LC_BUILD_VERSION and LC_VERSION_MIN_MACOSX are both missing")


@check(
    "macho-platform",
    Severity.ERROR,
    title="Every Mach-O file was built for macOS",
    protects="Users: code for iOS or its simulator does not start on a Mac.",
    standard="Apple mach-o/loader.h, LC_BUILD_VERSION platforms",
    remedy="Build the wheel from the release package of its own target.",
)
def _find_platform(wheel: WheelContents) -> Iterator[Fault]:
    for member, part in _slices(wheel):
        if not part.is_for_macos:
            numbers = ", ".join(map(str, part.platforms))
            yield Fault(member.name, f"the platform is {numbers}; macOS is 1")


@check(
    "macho-type",
    Severity.WARNING,
    title="Every Mach-O file is a program, a library or a bundle",
    protects="Readers of the wheel: object files and debug symbols cannot run.",
    standard="Apple mach-o/loader.h, filetype",
    remedy="Leave the file out.",
)
def _find_type(wheel: WheelContents) -> Iterator[Fault]:
    return _find_not_loaded(wheel, is_program=False)


@check(
    "macho-type-program",
    Severity.ERROR,
    title="No object file, core dump or other file that dyld does not load is marked as a program",
    protects="Users: 'exec format error'.",
    standard="Apple mach-o/loader.h, filetype",
    remedy="Put the linked program into the wheel.",
)
def _find_type_of_program(wheel: WheelContents) -> Iterator[Fault]:
    return _find_not_loaded(wheel, is_program=True)


def _find_not_loaded(wheel: WheelContents, *, is_program: bool) -> Iterator[Fault]:
    """Find files that dyld never loads: those that are meant as programs, or all others."""
    for member, part in _slices(wheel):
        is_meant = bool(member.mode & 0o111) and not _NOT_MEANT.search(member.name)
        if part.type in _NOT_LOADED and is_meant is is_program:
            yield Fault(member.name, f"file type is {part.type}; dyld loads 2, 6 and 8")


@check(
    "macho-dependency",
    Severity.ERROR,
    title="Every needed library is part of macOS or in the wheel",
    protects="Users of a Mac without the library, which Homebrew may have installed: 'Library not loaded'.",
    standard="dyld(1); delocate's rule of what the system provides",
    remedy="Link the library statically or put it in the wheel, at the path that the file names.",
)
def _find_dependency(wheel: WheelContents) -> Iterator[Fault]:
    for member, part in _slices(wheel):
        missing = [name for name in part.dylibs if not _is_present(name, part, member, wheel)]
        if missing:
            yield Fault(member.name, f"needs {', '.join(missing)}: neither part of macOS nor in the wheel")


def _is_present(name: str, part: MachoSlice, member: Member, wheel: WheelContents) -> bool:
    """Whether dyld can find a library: at the path of its name or, by @rpath, at that of any image.

    The search paths of the program that loads a library count too, so for @rpath and
    @executable_path the file name alone decides.
    """
    if not name.startswith(_RELATIVE):
        return name.startswith(_SYSTEM_DIRECTORIES) and posixpath.normpath(name) == name
    anchor, _, rest = name.partition("/")
    if anchor == "@loader_path":
        return wheel.member(_from(member, rest)) is not None
    if any(f"{path}/{rest}".startswith(_SYSTEM_DIRECTORIES) for path in part.rpaths):
        return True
    return posixpath.basename(rest) in wheel.image_names


@check(
    "macho-system-library",
    Severity.WARNING,
    title="Every needed library of /usr/lib is one that macOS is known to have",
    protects="Users: dyld does not start a program that needs a library which does not exist.",
    standard="The macOS 11.3 SDK, /usr/lib; no complete list of the dyld shared cache is published",
    remedy="Check the name against the SDK of the deployment target.",
)
def _find_unknown_library(wheel: WheelContents) -> Iterator[Fault]:
    for member, part in _slices(wheel):
        unknown = [
            name
            for name in part.dylibs
            if name.startswith(_LIBRARIES)
            and posixpath.normpath(name) == name
            and not name.startswith(_LIBSYSTEM_PARTS)
            and not is_known_macos_library(name)
        ]
        if unknown:
            yield Fault(
                member.name, f"not judged: {', '.join(unknown)}: not in the list of libraries of macOS"
            )


@check(
    "macho-search-path",
    Severity.WARNING,
    title="Library search paths are existing directories of the wheel or of macOS",
    protects="Users: anyone who can write to such a directory decides which code is loaded.",
    standard="Apple mach-o/loader.h, LC_RPATH",
    remedy="Remove the entry when linking, before the file is signed.",
)
def _find_search_path(wheel: WheelContents) -> Iterator[Fault]:
    for member, part in _slices(wheel):
        stray = [path for path in dict.fromkeys(part.rpaths) if not _is_inside(path, member, wheel)]
        if stray:
            yield Fault(member.name, f"searches {', '.join(stray)}: not a directory of the wheel")


def _is_inside(path: str, member: Member, wheel: WheelContents) -> bool:
    if f"{path}/".startswith(_SYSTEM_DIRECTORIES):
        return True
    anchor, _, rest = path.partition("/")
    if anchor not in _LOADER_RELATIVE:
        return False
    return wheel.has_directory(_from(member, rest))


def _from(member: Member, rest: str) -> str:
    return posixpath.normpath(f"{posixpath.dirname(member.name)}/{rest}")


@check(
    "macho-signature",
    Severity.ERROR,
    title="Every arm64 Mach-O file has a code signature",
    protects="Users of Apple silicon: the kernel kills unsigned code at once.",
    standard="Apple, macOS 11 release notes: arm64 code must have a valid signature",
    remedy="Use the signed file of the release; do not edit a signed file.",
)
def _find_unsigned_arm64(wheel: WheelContents) -> Iterator[Fault]:
    return _find_unsigned(wheel, is_arm64=True)


@check(
    "macho-signature-x86-64",
    Severity.NOTE,
    title="x86-64 Mach-O files have a code signature",
    protects="Users whose policy allows only signed programs; macOS itself starts unsigned x86-64 code.",
    standard="Apple, Gatekeeper and notarization",
    remedy="Use the signed file of the release.",
)
def _find_unsigned_x86_64(wheel: WheelContents) -> Iterator[Fault]:
    return _find_unsigned(wheel, is_arm64=False)


def _find_unsigned(wheel: WheelContents, *, is_arm64: bool) -> Iterator[Fault]:
    for member, part in _slices(wheel):
        if not part.is_signed and part.architecture.startswith("arm64") is is_arm64:
            yield Fault(member.name, f"the {part.architecture} code has no LC_CODE_SIGNATURE")


CHECKS = check.registered()
