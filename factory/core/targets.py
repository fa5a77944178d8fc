"""The table of targets and platforms.

A *target* is upstream's triple; a *platform* is a wheel's platform tag. The release package of
a Linux target goes into the wheels of two platforms, because the codex executable is static and
runs with glibc and musl.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from factory.core.errors import UsageError


class OperatingSystem(StrEnum):
    """An operating system, as npm names it."""

    LINUX = "linux"
    MACOS = "darwin"
    WINDOWS = "win32"


class Architecture(StrEnum):
    """A processor architecture, as upstream's triples name it."""

    X86_64 = "x86_64"
    AARCH64 = "aarch64"


class UnknownPlatform(UsageError):
    """A text is not a wheel platform that the factory builds."""

    def __init__(self, text: str) -> None:
        super().__init__(
            f"{text!r} is not a platform that the factory builds",
            hint=f"Platforms are {', '.join(platform.tag for platform in PLATFORMS)};"
            " see 'factory show platforms'.",
        )


class Target(StrEnum):
    """A target triple for which Codex is released."""

    LINUX_X86_64 = "x86_64-unknown-linux-musl"
    LINUX_AARCH64 = "aarch64-unknown-linux-musl"
    MACOS_X86_64 = "x86_64-apple-darwin"
    MACOS_AARCH64 = "aarch64-apple-darwin"
    WINDOWS_X86_64 = "x86_64-pc-windows-msvc"
    WINDOWS_AARCH64 = "aarch64-pc-windows-msvc"

    @property
    def architecture(self) -> Architecture:
        """The processor architecture of its executables."""
        return Architecture(self.value.partition("-")[0])

    @property
    def operating_system(self) -> OperatingSystem:
        """The operating system of its executables."""
        match self:
            case Target.LINUX_X86_64 | Target.LINUX_AARCH64:
                return OperatingSystem.LINUX
            case Target.MACOS_X86_64 | Target.MACOS_AARCH64:
                return OperatingSystem.MACOS
            case Target.WINDOWS_X86_64 | Target.WINDOWS_AARCH64:
                return OperatingSystem.WINDOWS

    @property
    def executable_suffix(self) -> str:
        """``.exe`` for Windows, otherwise empty."""
        return ".exe" if self.operating_system is OperatingSystem.WINDOWS else ""

    @property
    def npm_suffix(self) -> str:
        """The suffix of the npm version with this target's package, ``linux-x64``."""
        cpu = {Architecture.X86_64: "x64", Architecture.AARCH64: "arm64"}[self.architecture]
        return f"{self.operating_system.value}-{cpu}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """A wheel platform.

    Attributes:
        tag: The platform tag, as in the wheel's file name.
        target: The target whose release package goes into the wheel.
        reason: Why the payload runs wherever the tag lets it be installed.
    """

    tag: str
    target: Target
    reason: str

    @classmethod
    def parse(cls, text: str) -> "Platform":
        """Return the platform with a tag.

        Raises:
            UnknownPlatform: The factory does not build wheels with this tag.
        """
        for platform in PLATFORMS:
            if platform.tag == text:
                return platform
        raise UnknownPlatform(text)

    @property
    def wheel_tag(self) -> str:
        """The wheel tag, ``py3-none-<platform>``: the Python code depends on no version or ABI."""
        return f"py3-none-{self.tag}"

    def __str__(self) -> str:
        return self.tag


_STATIC = "the executables are static: they need no interpreter, shared library or libc version"

PLATFORMS: tuple[Platform, ...] = (
    Platform(tag="manylinux_2_17_x86_64", target=Target.LINUX_X86_64, reason=_STATIC),
    Platform(
        tag="manylinux_2_17_aarch64",
        target=Target.LINUX_AARCH64,
        reason="ripgrep is linked to glibc and needs symbols of 2.17, and some of 2.18 that the"
        " manylinux_2_17 policy allows on aarch64 (its distributions backported them);"
        " the other executables are static",
    ),
    Platform(tag="musllinux_1_1_x86_64", target=Target.LINUX_X86_64, reason=_STATIC),
    Platform(
        tag="musllinux_1_1_aarch64",
        target=Target.LINUX_AARCH64,
        reason=f"without ripgrep, which is linked to glibc, {_STATIC}",
    ),
    Platform(
        tag="macosx_11_0_arm64",
        target=Target.MACOS_AARCH64,
        reason="the executables' deployment target is macOS 11.0, the first version for arm64",
    ),
    Platform(
        tag="macosx_10_12_x86_64",
        target=Target.MACOS_X86_64,
        reason="the executables' deployment target is macOS 10.12; upstream's tag macosx_10_9 is too low",
    ),
    Platform(
        tag="win_amd64",
        target=Target.WINDOWS_X86_64,
        reason="x86-64 PE executables that need only system libraries"
        " (before 0.133.0 also the Visual C++ runtime)",
    ),
    Platform(
        tag="win_arm64",
        target=Target.WINDOWS_AARCH64,
        reason="ARM64 PE executables that need only system libraries;"
        " ripgrep also needs the Visual C++ runtime",
    ),
)


def targets_of(platforms: Iterable[Platform]) -> tuple[Target, ...]:
    """Return the targets of some platforms, without duplicates, in table order."""
    needed = {platform.target for platform in platforms}
    return tuple(target for target in Target if target in needed)


def platforms_of_target(target: Target) -> tuple[Platform, ...]:
    """Return the platforms that a target feeds, in table order: one, or two for Linux."""
    return tuple(platform for platform in PLATFORMS if platform.target is target)
