"""The platform tags of wheels that the factory understands, and what they say (PEP 425, 600, 656).

A tag that is not understood has no operating system and no architecture here, so nothing can be
checked for it. `why_not_understood` gives the reason, and `factory verify` reports it as an error.
"""

import re

from factory.core.targets import PLATFORMS, Architecture, OperatingSystem, Platform, Target, UnknownPlatform

Version = tuple[int, int]

OLDEST_GLIBC = {Architecture.X86_64: (2, 5), Architecture.AARCH64: (2, 17)}
"""The oldest glibc of a manylinux tag that installers accept, as in `packaging.tags`."""

NEWEST_GLIBC = (2, 41)
"""The newest glibc that auditwheel has a policy for; what a newer one offers is not known."""

MUSL_VERSIONS = ((1, 1), (1, 2))
"""The musl versions that auditwheel has a policy for."""

OLDEST_MACOS = {Architecture.X86_64: (10, 4), Architecture.AARCH64: (11, 0)}
"""The first macOS for each architecture."""

NEWEST_MACOS = (26, 0)
"""The newest macOS that is known."""

_LAST_MACOS_10 = 16
"""macOS 11 calls itself 10.16 where an old SDK asks, so there are tags ``macosx_10_16``."""

_FIRST_MACOS_WITHOUT_MINOR = 11
"""From macOS 11 on, installers accept a tag only with minor version 0."""

_LEGACY_MANYLINUX = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17)}
_NUMBER = r"(0|[1-9]\d{0,3})"
_VERSIONED = re.compile(rf"(manylinux|musllinux|macosx)_{_NUMBER}_{_NUMBER}_(\w+)")
_LEGACY = re.compile(r"(manylinux1|manylinux2010|manylinux2014)_(\w+)")
_SYSTEMS = {
    "manylinux": OperatingSystem.LINUX,
    "musllinux": OperatingSystem.LINUX,
    "macosx": OperatingSystem.MACOS,
}
_WINDOWS = {"win_amd64": Architecture.X86_64, "win_arm64": Architecture.AARCH64}
_LINUX_ARCHITECTURES = {one.value: one for one in Architecture}
_MACOS_ARCHITECTURES = {"x86_64": Architecture.X86_64, "arm64": Architecture.AARCH64}
_UNIVERSAL2 = "universal2"


def why_not_understood(platform_tag: str) -> str | None:
    """Return why nothing can be checked for a platform tag; None if the tag is understood."""
    if platform_tag in _WINDOWS:
        return None
    if platform_tag == "any":
        return "it names no platform, and executables run on one platform only"
    if platform_tag.startswith("linux_"):
        return "it does not name a libc; package indexes refuse it"
    parts = _parts(platform_tag)
    if parts is None:
        return "it is not a platform tag that the checks know"
    family, version, architecture = parts
    known = _architectures(family)
    if architecture not in known and not (family == "macosx" and architecture == _UNIVERSAL2):
        return f"the architecture is {architecture}; the checks know {', '.join(known)}"
    return _why_no_such_version(family, version, known.get(architecture, Architecture.X86_64))


def _parts(platform_tag: str) -> tuple[str, Version, str] | None:
    """Split a tag into family, version and architecture; None if it has another form."""
    if match := _VERSIONED.fullmatch(platform_tag):
        return match[1], (int(match[2]), int(match[3])), match[4]
    if match := _LEGACY.fullmatch(platform_tag):
        return "manylinux", _LEGACY_MANYLINUX[match[1]], match[2]
    return None


def _architectures(family: str) -> dict[str, Architecture]:
    return _MACOS_ARCHITECTURES if family == "macosx" else _LINUX_ARCHITECTURES


def _why_no_such_version(family: str, version: Version, architecture: Architecture) -> str | None:
    match family:
        case "manylinux":
            return _outside("glibc", version, OLDEST_GLIBC[architecture], NEWEST_GLIBC)
        case "musllinux":
            known = ", ".join(f"{major}.{minor}" for major, minor in MUSL_VERSIONS)
            return None if version in MUSL_VERSIONS else f"the musl version is not one of {known}"
        case _:
            return _outside("macOS", version, OLDEST_MACOS[architecture], NEWEST_MACOS) or _bad_minor(version)


def _outside(name: str, version: Version, oldest: Version, newest: Version) -> str | None:
    if oldest <= version <= newest:
        return None
    (low, low_minor), (high, high_minor) = oldest, newest
    return f"the {name} version is not between {low}.{low_minor} and {high}.{high_minor}"


def _bad_minor(version: Version) -> str | None:
    major, minor = version
    if major >= _FIRST_MACOS_WITHOUT_MINOR:
        return "from macOS 11 on, installers accept only the minor version 0" if minor else None
    return f"there is no macOS 10.{minor}" if minor > _LAST_MACOS_10 else None


def operating_system_of(platform_tag: str) -> OperatingSystem | None:
    """Return the operating system of a platform tag; None if the tag is not understood."""
    if why_not_understood(platform_tag) is not None:
        return None
    parts = _parts(platform_tag)
    return _SYSTEMS[parts[0]] if parts else OperatingSystem.WINDOWS


def architecture_of(platform_tag: str) -> Architecture | None:
    """Return the architecture of a platform tag; None for two, or if the tag is not understood."""
    if why_not_understood(platform_tag) is not None:
        return None
    parts = _parts(platform_tag)
    return _architectures(parts[0]).get(parts[2]) if parts else _WINDOWS[platform_tag]


def glibc_of_tag(platform_tag: str) -> Version | None:
    """Return the oldest glibc that a manylinux tag promises to run with; None for any other tag."""
    parts = _parts(platform_tag)
    return parts[1] if parts and parts[0] == "manylinux" else None


def platform_of_tag(text: str) -> Platform:
    """Return the platform with any tag, including tags that only published wheels have.

    Raises:
        UnknownPlatform: Codex is not released for its system and architecture.
    """
    for platform in PLATFORMS:
        if platform.tag == text:
            return platform
    system, architecture = operating_system_of(text), architecture_of(text)
    for target in Target:
        if (system, architecture) == (target.operating_system, target.architecture):
            return Platform(tag=text, target=target, reason="published wheels have it")
    raise UnknownPlatform(text)
