"""Checks of Mach-O files: what a macOS wheel's platform tag promises, file by file.

delocate compares the newest requirement of any file with the tag, and passes
wrong architectures beside right ones and files without a minimum version; these
checks judge every file.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping

from factory.core.model import FileKind, Severity
from factory.executables.macho import MachoSlice, MachoType, read_macho
from factory.verify.checks.check import Checks, Fault
from factory.verify.checks.images import readable
from factory.verify.reading.contents import Member, WheelContents

_TAG = re.compile(r"macosx_(\d+)_(\d+)_(\w+)")
_TAG_ARCHITECTURES = {"universal2": ("x86_64", "arm64"), "intel": ("i386", "x86_64")}
_FIRST_ARM64_MACOS = (11, 0)
_SYSTEM_DIRECTORIES = ("/usr/lib/", "/System/Library/")
_RELATIVE = ("@loader_path", "@executable_path", "@rpath")
_LOADER_RELATIVE = ("@loader_path", "@executable_path")


check = Checks[WheelContents]()


def promised_macos(platform_tags: tuple[str, ...]) -> Mapping[str, tuple[int, int]]:
    """Return the oldest macOS that some platform tags promise, by architecture.

    No macOS before 11.0 runs on arm64, so a lower promise for it means 11.0.
    """
    promised: dict[str, tuple[int, int]] = {}
    for match in filter(None, map(_TAG.fullmatch, platform_tags)):
        for architecture in _TAG_ARCHITECTURES.get(match[3], (match[3],)):
            version = (int(match[1]), int(match[2]))
            if architecture == "arm64":
                version = max(version, _FIRST_ARM64_MACOS)
            promised[architecture] = min(version, promised.get(architecture, version))
    return promised


def _files(contents: WheelContents) -> Iterator[tuple[Member, tuple[MachoSlice, ...]]]:
    return readable(contents, FileKind.MACHO, read_macho)


def _slices(contents: WheelContents) -> Iterator[tuple[Member, MachoSlice]]:
    return ((member, part) for member, parts in _files(contents) for part in parts)


@check(
    "macho-architecture",
    Severity.ERROR,
    title="Every Mach-O file has code for each architecture of the tag",
    protects="Whoever runs it: 'bad CPU type'. delocate passes it as long as one file is right.",
    standard="Platform compatibility tags, PEP 425; Apple mach/machine.h",
    remedy="Build the wheel from the release package of its own target.",
)
def _find_architecture(contents: WheelContents) -> Iterator[Fault]:
    promised = promised_macos(contents.platforms)
    for member, parts in _files(contents):
        present = [part.architecture for part in parts]
        missing = [architecture for architecture in promised if architecture not in present]
        if missing:
            yield Fault(member.name, f"has {', '.join(present)}, not {', '.join(missing)}")


@check(
    "macho-minimum-macos",
    Severity.ERROR,
    title="No Mach-O file asks for a newer macOS than the tag promises",
    protects="Users of the oldest macOS that the tag admits: pip installs it, and dyld refuses it.",
    standard="Platform compatibility tags, macosx_X_Y; Apple mach-o/loader.h, LC_BUILD_VERSION",
    remedy="Give the wheel the tag of its newest requirement, or leave the file out.",
)
def _find_minimum(contents: WheelContents) -> Iterator[Fault]:
    promised = promised_macos(contents.platforms)
    for member, part in _slices(contents):
        floor, tag = part.minimum_macos, promised.get(part.architecture)
        if floor is not None and tag is not None and floor > tag:
            yield Fault(
                member.name,
                f"{part.architecture} code for macOS {_dotted(floor)}, the tag says {_dotted(tag)}",
            )


@check(
    "macho-no-minimum",
    Severity.WARNING,
    title="Every Mach-O file says which macOS it was built for",
    protects="Whoever trusts the tag: nothing in the file supports it, and delocate passes it over.",
    standard="Apple mach-o/loader.h, LC_BUILD_VERSION and LC_VERSION_MIN_MACOSX",
    remedy="Link it with a deployment target, MACOSX_DEPLOYMENT_TARGET.",
)
def _find_no_minimum(contents: WheelContents) -> Iterator[Fault]:
    for member, part in _slices(contents):
        if part.minimum_macos is None and part.is_for_macos:
            yield Fault(member.name, "neither LC_BUILD_VERSION nor LC_VERSION_MIN_MACOSX is in it")


@check(
    "macho-platform",
    Severity.ERROR,
    title="Every Mach-O file was built for macOS",
    protects="Whoever runs it: code for iOS or its simulator does not start on a Mac.",
    standard="Apple mach-o/loader.h, LC_BUILD_VERSION platforms",
    remedy="Build the wheel from the release package of its own target.",
)
def _find_platform(contents: WheelContents) -> Iterator[Fault]:
    for member, part in _slices(contents):
        if not part.is_for_macos:
            numbers = ", ".join(map(str, part.platforms))
            yield Fault(member.name, f"built for platform {numbers}; macOS is 1")


@check(
    "macho-type",
    Severity.WARNING,
    title="Every Mach-O file is a program, a library or a bundle",
    protects="Readers of the wheel: nobody can run an object file or debug symbols in it.",
    standard="Apple mach-o/loader.h, filetype",
    remedy="Leave the file out.",
)
def _find_type(contents: WheelContents) -> Iterator[Fault]:
    for member, part in _slices(contents):
        if part.type not in set(MachoType):
            yield Fault(member.name, f"file type {part.type}")


@check(
    "macho-dependency",
    Severity.ERROR,
    title="Every needed library is macOS' own or in the wheel",
    protects="Whoever runs it on a Mac without, say, Homebrew: 'Library not loaded'.",
    standard="dyld(1); delocate's rule of what the system provides",
    remedy="Link the library statically or put it in the wheel, at the path that the file names.",
)
def _find_dependency(contents: WheelContents) -> Iterator[Fault]:
    for member, part in _slices(contents):
        missing = [name for name in part.dylibs if not _is_there(name, part, member, contents)]
        if missing:
            yield Fault(member.name, f"needs {', '.join(missing)}: neither macOS' own nor in the wheel")


def _is_there(name: str, part: MachoSlice, member: Member, contents: WheelContents) -> bool:
    """Whether dyld can find a library: where the name leads, or, by @rpath, where any image lies.

    The search paths of whichever program loads a library count too, so the name
    alone decides for @rpath and for @executable_path.
    """
    if not name.startswith(_RELATIVE):
        return name.startswith(_SYSTEM_DIRECTORIES) and posixpath.normpath(name) == name
    anchor, _, rest = name.partition("/")
    if anchor == "@loader_path":
        return contents.member(_from(member, rest)) is not None
    if any(f"{path}/{rest}".startswith(_SYSTEM_DIRECTORIES) for path in part.rpaths):
        return True
    return posixpath.basename(rest) in {posixpath.basename(image.name) for image in contents.images}


@check(
    "macho-search-path",
    Severity.WARNING,
    title="Library search paths stay inside the wheel and exist there",
    protects="Whoever runs it: somebody who can write to such a directory decides which code is loaded.",
    standard="Apple mach-o/loader.h, LC_RPATH",
    remedy="Remove the entry when linking, before the file is signed.",
)
def _find_search_path(contents: WheelContents) -> Iterator[Fault]:
    for member, part in _slices(contents):
        stray = [path for path in dict.fromkeys(part.rpaths) if not _is_inside(path, member, contents)]
        if stray:
            yield Fault(member.name, f"searches {', '.join(stray)}: no directory of the wheel")


def _is_inside(path: str, member: Member, contents: WheelContents) -> bool:
    if f"{path}/".startswith(_SYSTEM_DIRECTORIES):
        return True
    anchor, _, rest = path.partition("/")
    if anchor not in _LOADER_RELATIVE:
        return False
    directory = _from(member, rest) + "/"
    return any(other.name.startswith(directory) for other in contents.members)


def _from(member: Member, rest: str) -> str:
    return posixpath.normpath(f"{posixpath.dirname(member.name)}/{rest}")


@check(
    "macho-signature",
    Severity.ERROR,
    title="Every arm64 Mach-O file carries a code signature",
    protects="Users of Apple silicon, whose kernel kills unsigned code at once.",
    standard="Apple, macOS 11 release notes: arm64 code must have a valid signature",
    remedy="Use the release's signed file; a tool that edits a signed file must not be used.",
)
def _find_unsigned_arm64(contents: WheelContents) -> Iterator[Fault]:
    return (
        Fault(member.name, f"the {part.architecture} code has no LC_CODE_SIGNATURE")
        for member, part in _slices(contents)
        if not part.is_signed and part.architecture.startswith("arm64")
    )


@check(
    "macho-signature-x86-64",
    Severity.NOTE,
    title="x86-64 Mach-O files carry a code signature",
    protects="Users whose policy admits signed programs only; macOS itself starts unsigned x86-64 code.",
    standard="Apple, Gatekeeper and notarization",
    remedy="Use the release's signed file.",
)
def _find_unsigned_x86_64(contents: WheelContents) -> Iterator[Fault]:
    return (
        Fault(member.name, f"the {part.architecture} code has no LC_CODE_SIGNATURE")
        for member, part in _slices(contents)
        if not part.is_signed and not part.architecture.startswith("arm64")
    )


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


CHECKS = check.registered()
