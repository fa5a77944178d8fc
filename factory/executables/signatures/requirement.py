"""Of which platforms authorship is demanded, as ``--require-authorship`` names them."""

from dataclasses import dataclass

from factory.core.errors import UsageError
from factory.core.model import FileKind
from factory.core.targets import OperatingSystem, Platform, UnknownPlatform, operating_system_of

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


class UnknownRequirement(UsageError):
    """Authorship is demanded of something that is no platform."""

    hint = "Name platform tags or 'linux', 'macos', 'windows', 'all', with commas: --require-authorship macos"

    def __init__(self, text: str) -> None:
        super().__init__(f"{text!r} is no platform to require authorship of")


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """Of which platforms every executable's author must be proved.

    Attributes:
        systems: All platforms of these operating systems.
        platforms: These platform tags.
    """

    systems: frozenset[OperatingSystem] = frozenset()
    platforms: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, text: str) -> "Requirement":
        """Parse a list with commas; an empty one demands nothing.

        Raises:
            UnknownRequirement: A name in it is none.
        """
        names = [name for part in text.split(",") if (name := part.strip())]
        systems = {_SYSTEMS[name] for name in names if name in _SYSTEMS}
        if "all" in names:
            systems = set(OperatingSystem)
        tags = [name for name in names if name not in {*_SYSTEMS, "all"}]
        for tag in tags:
            try:
                Platform.of_tag(tag)
            except UnknownPlatform as error:
                raise UnknownRequirement(tag) from error
        return cls(systems=frozenset(systems), platforms=frozenset(tags))

    def covers(self, platforms: tuple[str, ...]) -> bool:
        """Whether a wheel of these platform tags is meant."""
        return any(tag in self.platforms or operating_system_of(tag) in self.systems for tag in platforms)

    def covers_kind(self, kind: FileKind) -> bool:
        """Whether a lone executable of a format is meant: its operating system must be named."""
        return _SYSTEM_OF_KIND.get(kind) in self.systems
