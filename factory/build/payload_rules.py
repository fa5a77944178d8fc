"""Which payload files stay out of our wheels, and which move: declared rules, each with its reason."""

import fnmatch
from dataclasses import dataclass
from pathlib import PurePosixPath

from factory.core.targets import OperatingSystem, Platform


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveOutRule:
    """Payload files that stay out of a wheel, and why.

    Attributes:
        pattern: A shell pattern for paths inside the release package; ``*`` also matches ``/``.
        reason: What about the files forbids them, for the manifest's reader.
    """

    pattern: str
    reason: str

    def is_for(self, path: PurePosixPath) -> bool:
        """Whether the rule concerns a payload file."""
        return fnmatch.fnmatchcase(str(path), self.pattern)


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveRule:
    """A file or directory of the release package that has another path in the wheel's package."""

    source: PurePosixPath
    becomes: PurePosixPath

    def move(self, path: PurePosixPath) -> PurePosixPath | None:
        """Return the new path, or None where the rule does not concern it."""
        if not path.is_relative_to(self.source):
            return None
        return self.becomes / path.relative_to(self.source)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """One payload file's exact place and mode in a wheel, as a published wheel has it."""

    source: PurePosixPath
    becomes: PurePosixPath
    mode: int


NOT_PLACED = LeaveOutRule(pattern="*", reason="the published wheel does not have it")
"""What leaves a payload file out of a wheel whose every placement is known."""


# Legacy packages, before 0.133.0, kept the executable and its helpers in one directory, ripgrep in another.
LEGACY_MOVES = (
    MoveRule(source=PurePosixPath("codex"), becomes=PurePosixPath("bin")),
    MoveRule(source=PurePosixPath("path"), becomes=PurePosixPath("codex-path")),
)

_VOICE = "codex-resources/voice/*"
_ZSH = "codex-resources/zsh/*"
_LINUX = (
    LeaveOutRule(
        pattern=_VOICE,
        reason="the voice host and its libraries need a glibc newer than 2.17: they run neither on musl"
        " nor on every system that manylinux_2_17 promises",
    ),
    LeaveOutRule(
        pattern=_ZSH,
        reason="the patched zsh of releases such as 0.147.0 needs glibc 2.38: it runs neither on musl"
        " nor on every system that manylinux_2_17 promises; only features that are off and under"
        " development use it",
    ),
)
_MACOS = (
    LeaveOutRule(
        pattern=_VOICE,
        reason="the voice host and its libraries need macOS 14, newer than the platform tag says",
    ),
    LeaveOutRule(
        pattern=_ZSH,
        reason="the patched zsh of releases such as 0.147.0 needs macOS 15, newer than the platform tag says;"
        " only features that are off and under development use it",
    ),
)
_WINDOWS = (
    LeaveOutRule(
        pattern=_VOICE,
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
    """Return what stays out of a platform's wheel."""
    match platform.target.operating_system:
        case OperatingSystem.LINUX if platform.tag == "musllinux_1_1_aarch64":
            return (*_LINUX, *_GLIBC_RIPGREP)
        case OperatingSystem.LINUX:
            return _LINUX
        case OperatingSystem.MACOS:
            return _MACOS
        case OperatingSystem.WINDOWS:
            return _WINDOWS
