"""Check the members of a package, in any archive format, against rules and limits."""

import unicodedata
from pathlib import PurePosixPath
from typing import Final

from factory.core.counted import counted
from factory.core.errors import IntegrityError
from factory.core.member_path import LONGEST_PART_BYTES
from factory.release.archives.entries import DEFAULT_LIMITS, ArchiveLimits

_MAX_NAME_CHARACTERS: Final = 1024
_RESERVED: Final = '<>"|?*'
_DEVICES: Final = frozenset(
    {
        *("con", "prn", "aux", "nul", "conin$", "conout$"),
        *(f"{port}{number}" for port in ("com", "lpt") for number in "0123456789\u00b9\u00b2\u00b3"),
    }
)
"""The names that Windows reserves, with any extension (Microsoft: naming files, paths, and namespaces)."""


class Guard:
    """Checks the members of one package, and creates the errors about it.

    Args:
        package: The package's name in error messages.
        limits: The limits that it must keep.
    """

    def __init__(self, package: str, limits: ArchiveLimits = DEFAULT_LIMITS) -> None:
        self.package = package
        self.limits = limits
        self._members = 0
        self._total_bytes = 0
        self._claims: dict[str, tuple[PurePosixPath, bool]] = {}

    def admit_file(self, name: str, *, size_bytes: int) -> PurePosixPath:
        """Return a file's path if it is safe below any directory on any operating system.

        Raises:
            IntegrityError: The name is unsafe or taken by another member, or a limit is exceeded.
        """
        self._count(size_bytes)
        path = self._path(name)
        self._claim_parents(path, member=name)
        self._claim(path, is_directory=False, member=name)
        return path

    def admit_directory(self, name: str) -> None:
        """Check a directory; some archivers list the package's root as ``./``.

        Raises:
            IntegrityError: The name is unsafe or taken by a file, or a limit is exceeded.
        """
        self._count(0)
        bare = name.removesuffix("/")
        if bare != ".":
            path = self._path(bare)
            self._claim_parents(path, member=name)
            self._claim(path, is_directory=True, member=name)

    def check_inflation(self, *, packed_bytes: int, unpacked_bytes: int) -> None:
        """Check the unpacked size, and its ratio to the packed size.

        Raises:
            IntegrityError: A limit is exceeded.
        """
        limits = self.limits
        if unpacked_bytes > limits.max_total_bytes:
            raise self._oversized(f"unpacks to more than {limits.max_total_bytes} bytes")
        if unpacked_bytes > max(limits.ratio_floor_bytes, packed_bytes * limits.max_ratio):
            raise self._oversized(f"unpacks to more than {limits.max_ratio} times its size")

    def unsafe(self, member: str, reason: str) -> IntegrityError:
        """Return the error for a member that could write, or point, outside the package."""
        return IntegrityError(
            f"{self.package} is unsafe: its member {member!r} {reason}",
            hint="Do not use it. No genuine release package has such a member: compare with another channel.",
        )

    def damaged(self, reason: str) -> IntegrityError:
        """Return the error for an archive that is truncated, altered or inconsistent."""
        return IntegrityError(
            f"{self.package} is damaged: it {reason}",
            hint="Download it again; if it is damaged again, compare with another channel.",
        )

    def _oversized(self, reason: str) -> IntegrityError:
        return IntegrityError(
            f"{self.package} is too large: it {reason}",
            hint="Do not use it: it is a decompression bomb, or not a Codex release package.",
        )

    def _count(self, size_bytes: int) -> None:
        self._members += 1
        self._total_bytes += size_bytes
        if self._members > self.limits.max_files:
            raise self._oversized(f"has more than {self.limits.max_files} members")
        if self._total_bytes > self.limits.max_total_bytes:
            raise self._oversized(f"holds more than {self.limits.max_total_bytes} bytes")

    def _path(self, name: str) -> PurePosixPath:
        if not name:
            raise self.unsafe(name, "has no name")
        if len(name) > _MAX_NAME_CHARACTERS:
            raise self.unsafe(f"{name[:40]}...", "has an overlong name")
        if not name.isprintable():
            raise self.unsafe(name, "has unprintable characters in its name")
        if "\\" in name or ":" in name:
            raise self.unsafe(name, "has a backslash or colon in its name, which are special on Windows")
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
        """Reserve a path for one member; a directory may be listed several times."""
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
            raise self.unsafe(member, "occurs twice")


def _fault(part: str) -> str:
    """Return why a part of a path is unsafe on some operating system, or an empty string."""
    if part in {"", ".", ".."}:
        return "has an empty, '.' or '..' part in its path"
    if len(part.encode("utf-8", "replace")) > LONGEST_PART_BYTES:
        return f"has a part in its path that is longer than {counted(LONGEST_PART_BYTES, 'byte')}"
    if not set(part).isdisjoint(_RESERVED):
        return f"has one of {_RESERVED} in its name, which Windows does not allow"
    if part.endswith((".", " ")):
        return "has a part in its path that ends with a dot or a space, which Windows removes"
    if part.partition(".")[0].rstrip().lower() in _DEVICES:
        return "has the name of a Windows device"
    return ""
