"""The rules for payload files that our wheels leave out or move, with the reasons."""

import fnmatch
from dataclasses import dataclass
from pathlib import PurePosixPath

from factory.core.targets import OperatingSystem, Platform


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveOutRule:
    """Payload files that a wheel leaves out.

    Attributes:
        pattern: A shell pattern for paths in the release package; ``*`` also matches ``/``.
        reason: Goes into the manifest.
    """

    pattern: str
    reason: str

    def is_for(self, path: PurePosixPath) -> bool:
        """Return whether the rule applies to a payload file."""
        return fnmatch.fnmatchcase(str(path), self.pattern)


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveRule:
    """A file or directory of the release package that gets another path in the wheel's package."""

    source: PurePosixPath
    becomes: PurePosixPath

    def move(self, path: PurePosixPath) -> PurePosixPath | None:
        """Return the new path; None if the rule does not apply."""
        if not path.is_relative_to(self.source):
            return None
        return self.becomes / path.relative_to(self.source)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """The path and mode of a payload file in a published wheel."""

    source: PurePosixPath
    becomes: PurePosixPath
    mode: int


NOT_PLACED = LeaveOutRule(pattern="*", reason="the published wheel does not have it")
"""The rule for every payload file that a recipe with exact placements does not place."""


# Packages before 0.133.0 have the executable and its helpers in one directory, and ripgrep in another.
LEGACY_MOVES = (
    MoveRule(source=PurePosixPath("codex"), becomes=PurePosixPath("bin")),
    MoveRule(source=PurePosixPath("path"), becomes=PurePosixPath("codex-path")),
)

VOICE = "codex-resources/voice/*"
ZSH = "codex-resources/zsh/*"
_LINUX = (
    LeaveOutRule(
        pattern=VOICE,
        reason="the voice host and its libraries need a glibc newer than 2.17: they run neither on musl"
        " nor on every system that manylinux_2_17 promises",
    ),
    LeaveOutRule(
        pattern=ZSH,
        reason="the patched zsh of releases such as 0.147.0 needs glibc 2.38: it runs neither on musl"
        " nor on every system that manylinux_2_17 promises; only features that are off and under"
        " development use it",
    ),
)
_MACOS = (
    LeaveOutRule(
        pattern=VOICE,
        reason="the voice host and its libraries need macOS 14, newer than the platform tag says",
    ),
    LeaveOutRule(
        pattern=ZSH,
        reason="the patched zsh of releases such as 0.147.0 needs macOS 15, newer than the platform tag says;"
        " only features that are off and under development use it",
    ),
)
_WINDOWS = (
    LeaveOutRule(
        pattern=VOICE,
        reason="the voice host and its libraries need the Visual C++ runtime, which a bare Windows lacks",
    ),
)
_GLIBC_RIPGREP = tuple(
    LeaveOutRule(
        pattern=pattern,
        reason="for aarch64 upstream bundles a ripgrep that is linked to glibc, which musl systems"
        " do not have; codex uses the system's own rg instead where there is one",
    )
    for pattern in ("codex-path/rg", "path/rg")
)


def rules_for(platform: Platform) -> tuple[LeaveOutRule, ...]:
    """Return the rules for the files that a platform's wheel leaves out."""
    match platform.target.operating_system:
        case OperatingSystem.LINUX if platform.tag == "musllinux_1_1_aarch64":
            return (*_LINUX, *_GLIBC_RIPGREP)
        case OperatingSystem.LINUX:
            return _LINUX
        case OperatingSystem.MACOS:
            return _MACOS
        case OperatingSystem.WINDOWS:
            return _WINDOWS
