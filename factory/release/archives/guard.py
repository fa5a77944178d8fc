"""What every member of a package must pass, in whichever container it comes."""

import unicodedata
from pathlib import PurePosixPath
from typing import Final

from factory.core.errors import IntegrityError
from factory.release.archives.entries import DEFAULT_LIMITS, ArchiveLimits

_MAX_NAME_CHARACTERS: Final = 1024
_DEVICES: Final = frozenset(
    {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10))}
)


class UnsafePackage(IntegrityError):
    """A package has a member that could write, or point, outside its place."""

    hint = "Do not use it. An honest release package has no such member: compare with another channel."

    def __init__(self, package: str, *, member: str, reason: str) -> None:
        super().__init__(f"{package} is unsafe: its member {member!r} {reason}")


class DamagedPackage(IntegrityError):
    """A package's container does not hold together: cut off, altered, or with bytes of no member."""

    hint = "Fetch it again; if it is damaged again, compare with another channel."

    def __init__(self, package: str, reason: str) -> None:
        super().__init__(f"{package} is damaged: it {reason}")


class OversizedPackage(IntegrityError):
    """A package would take more room than any release package does."""

    hint = "Do not use it: it is made to fill a disk, or it is no Codex release package."

    def __init__(self, package: str, reason: str) -> None:
        super().__init__(f"{package} is too large: it {reason}")


class Guard:
    """Admits the members of one package, and words the refusals.

    Args:
        package: What to call the package.
        limits: How much it may hold.
    """

    def __init__(self, package: str, limits: ArchiveLimits = DEFAULT_LIMITS) -> None:
        self.package = package
        self.limits = limits
        self._members = 0
        self._total_bytes = 0
        self._claims: dict[str, tuple[PurePosixPath, bool]] = {}

    def admit_file(self, name: str, *, size_bytes: int) -> PurePosixPath:
        """Return a file's path if it may lie below any directory of any operating system.

        Raises:
            UnsafePackage: Its name leads elsewhere, or another member has it.
            OversizedPackage: With it the package holds too much.
        """
        self._count(size_bytes)
        path = self._path(name)
        self._claim_parents(path, member=name)
        self._claim(path, is_directory=False, member=name)
        return path

    def admit_directory(self, name: str) -> None:
        """Let a directory pass; the package's own root is one, which some archivers list as ``./``.

        Raises:
            UnsafePackage: Its name leads elsewhere, or a file has it.
            OversizedPackage: With it the package holds too much.
        """
        self._count(0)
        bare = name.removesuffix("/")
        if bare != ".":
            path = self._path(bare)
            self._claim_parents(path, member=name)
            self._claim(path, is_directory=True, member=name)

    def check_inflation(self, *, packed_bytes: int, unpacked_bytes: int) -> None:
        """Stop a stream that unpacks to much more than was put in.

        Raises:
            OversizedPackage: It does.
        """
        limits = self.limits
        if unpacked_bytes > limits.max_total_bytes:
            raise OversizedPackage(self.package, f"unpacks to more than {limits.max_total_bytes} bytes")
        if unpacked_bytes > max(limits.ratio_floor_bytes, packed_bytes * limits.max_ratio):
            raise OversizedPackage(self.package, f"unpacks to more than {limits.max_ratio} times its size")

    def unsafe(self, member: str, reason: str) -> UnsafePackage:
        """Word what is wrong with a member."""
        return UnsafePackage(self.package, member=member, reason=reason)

    def damaged(self, reason: str) -> DamagedPackage:
        """Word what is wrong with the container."""
        return DamagedPackage(self.package, reason)

    def _count(self, size_bytes: int) -> None:
        self._members += 1
        self._total_bytes += size_bytes
        if self._members > self.limits.max_files:
            raise OversizedPackage(self.package, f"has more than {self.limits.max_files} members")
        if self._total_bytes > self.limits.max_total_bytes:
            raise OversizedPackage(self.package, f"holds more than {self.limits.max_total_bytes} bytes")

    def _path(self, name: str) -> PurePosixPath:
        if not name:
            raise self.unsafe(name, "has no name")
        if len(name) > _MAX_NAME_CHARACTERS:
            raise self.unsafe(f"{name[:40]}...", "has an overlong name")
        if not name.isprintable():
            raise self.unsafe(name, "has characters in its name that cannot be shown")
        if "\\" in name or ":" in name:
            raise self.unsafe(name, "has a backslash or colon in its name, which Windows takes for more")
        if name.startswith("/"):
            raise self.unsafe(name, "has an absolute path")
        parts = name.removeprefix("./").split("/")
        for part in parts:
            if reason := _fault(part):
                raise self.unsafe(name, reason)
        return PurePosixPath(*parts)

    def _claim_parents(self, path: PurePosixPath, *, member: str) -> None:
        for parent in reversed(path.parents[:-1]):
            self._claim(parent, is_directory=True, member=member)

    def _claim(self, path: PurePosixPath, *, is_directory: bool, member: str) -> None:
        """Take a path for one member; directories may be named again, as the same."""
        folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", str(path)).casefold())
        earlier = self._claims.get(folded)
        self._claims[folded] = (path, is_directory)
        if earlier is None:
            return
        taken, was_directory = earlier
        if taken != path:
            raise self.unsafe(
                member, f"differs from {str(taken)!r} only in case or in how accents are encoded"
            )
        if was_directory != is_directory:
            raise self.unsafe(member, f"makes {str(path)!r} both a file and a directory")
        if not is_directory:
            raise self.unsafe(member, "is there twice")


def _fault(part: str) -> str:
    """Say what makes a path's part lead elsewhere on some operating system; nothing if it is fine."""
    if part in {"", ".", ".."}:
        return "has an empty, '.' or '..' part in its path"
    if part.endswith((".", " ")):
        return "has a part in its path that ends with a dot or a space, which Windows drops"
    if part.partition(".")[0].rstrip().lower() in _DEVICES:
        return "is named as a device of Windows"
    return ""
