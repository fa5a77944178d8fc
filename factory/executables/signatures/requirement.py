"""The platforms of ``--require-authorship``."""

from dataclasses import dataclass

from factory.core.errors import UsageError
from factory.core.model import FileKind
from factory.core.platform_tags import operating_system_of, platform_of_tag
from factory.core.targets import OperatingSystem, UnknownPlatform

_SYSTEMS = {
    "linux": OperatingSystem.LINUX,
    "macos": OperatingSystem.MACOS,
    "windows": OperatingSystem.WINDOWS,
}
_SYSTEM_OF_KIND = {
    FileKind.ELF: OperatingSystem.LINUX,
    FileKind.MACHO: OperatingSystem.MACOS,
    FileKind.PE: OperatingSystem.WINDOWS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """The platforms for which the author of every executable must be verified."""

    systems: frozenset[OperatingSystem] = frozenset()
    platforms: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, text: str) -> "Requirement":
        """Parse a comma-separated list, which may be empty.

        Raises:
            UsageError: A name is not a platform.
        """
        names = [name for part in text.split(",") if (name := part.strip())]
        systems = {_SYSTEMS[name] for name in names if name in _SYSTEMS}
        if "all" in names:
            systems = set(OperatingSystem)
        tags = [name for name in names if name not in {*_SYSTEMS, "all"}]
        for tag in tags:
            try:
                platform_of_tag(tag)
            except UnknownPlatform as error:
                raise UsageError(
                    f"--require-authorship: {tag!r} is not a platform",
                    hint="Name platform tags, 'linux', 'macos', 'windows' or 'all', separated by commas.",
                ) from error
        return cls(systems=frozenset(systems), platforms=frozenset(tags))

    def covers(self, platforms: tuple[str, ...]) -> bool:
        """Whether authorship is required for a wheel with these platform tags."""
        return any(tag in self.platforms or operating_system_of(tag) in self.systems for tag in platforms)

    def covers_kind(self, kind: FileKind) -> bool:
        """Whether authorship is required for an executable of this format, by its operating system."""
        return _SYSTEM_OF_KIND.get(kind) in self.systems
