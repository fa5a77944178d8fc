"""Select the files of a release package that belong to a target."""

import json
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from factory.core.errors import UpstreamError
from factory.core.targets import Target
from factory.release.archives import Guard, PackageEntry

_MAX_JSON_BYTES: Final = 1 << 16


def entries_of(entries: Iterator[PackageEntry], target: Target, guard: Guard) -> Iterator[PackageEntry]:
    """Yield a target's files with their paths below its root; the other files are only checked."""
    is_npm: bool | None = None
    is_empty = True
    for entry in entries:
        parts = entry.path.parts
        if is_npm not in {None, parts[0] == "package"}:
            raise guard.unsafe(str(entry.path), "is outside the npm package in the same archive")
        is_npm = parts[0] == "package"
        if is_npm and parts[1:3] != ("vendor", target.value):
            continue
        below = PurePosixPath(*parts[3:]) if is_npm else entry.path
        if below == PurePosixPath():
            raise guard.unsafe(str(entry.path), "is a file in place of the target's directory")
        is_empty = False
        yield _checked(entry.at(below), target, guard)
    if is_empty:
        raise _wrong_target(guard.package, f"has no files for {target}")


def _checked(entry: PackageEntry, target: Target, guard: Guard) -> PackageEntry:
    """Return a file; codex-package.json must not name another target."""
    if entry.path != PurePosixPath("codex-package.json"):
        return entry
    if entry.size_bytes > _MAX_JSON_BYTES:
        raise guard.damaged("has an oversized codex-package.json")
    content = b"".join(entry.chunks())
    try:
        fields = json.loads(content)
    except (ValueError, RecursionError):
        fields = None  # the checks of the wheel report a malformed description
    named = fields.get("target") if isinstance(fields, dict) else None
    if isinstance(named, str) and named != target.value:
        raise _wrong_target(guard.package, f"is for {named}, not {target}")
    return PackageEntry(
        path=entry.path,
        mode=entry.mode,
        size_bytes=entry.size_bytes,
        pieces=iter((content,) if content else ()),
    )


def _wrong_target(package: str, problem: str) -> UpstreamError:
    return UpstreamError(
        f"{package} {problem}",
        hint="Check that the package is for this release and target; 'factory show platforms' lists them.",
    )


def root_below(directory: Path, target: Target) -> Path:
    """Return a target's root: the directory itself, or one in it if it is an unpacked npm tarball."""
    for vendor in (directory / "package" / "vendor", directory / "vendor"):
        if vendor.is_dir() and not vendor.is_symlink() and not vendor.parent.is_symlink():
            if not (vendor / target).is_dir():
                raise _wrong_target(directory.name, f"has no files for {target}")
            return vendor / target
    return directory
