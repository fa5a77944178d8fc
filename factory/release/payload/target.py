"""Which of a release package's files belong to a target."""

import json
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from factory.core.errors import UpstreamError
from factory.core.targets import Target
from factory.release.archives import Guard, PackageEntry

_MAX_JSON_BYTES: Final = 1 << 16


class TargetNotInPackage(UpstreamError):
    """A release package holds nothing for a target."""

    def __init__(self, package: str, target: Target, *, found: str = "") -> None:
        what = f"is for {found}, not {target}" if found else f"holds nothing for {target}"
        super().__init__(
            f"{package} {what}",
            hint="Check that the package is of this release and target; 'factory targets' lists them.",
        )


def entries_of(entries: Iterator[PackageEntry], target: Target, guard: Guard) -> Iterator[PackageEntry]:
    """Yield a target's files under their paths below its root; all others are only checked."""
    is_npm: bool | None = None
    is_empty = True
    for entry in entries:
        parts = entry.path.parts
        if is_npm not in {None, parts[0] == "package"}:
            raise guard.unsafe(str(entry.path), "lies beside an npm package in one archive")
        is_npm = parts[0] == "package"
        if is_npm and parts[1:3] != ("vendor", target.value):
            continue
        below = PurePosixPath(*parts[3:]) if is_npm else entry.path
        if below == PurePosixPath():
            raise guard.unsafe(str(entry.path), "is a file where a target's directory should be")
        is_empty = False
        yield _agreeing(entry.at(below), target, guard)
    if is_empty:
        raise TargetNotInPackage(guard.package, target)


def _agreeing(entry: PackageEntry, target: Target, guard: Guard) -> PackageEntry:
    """Let a file pass; the package's own description must not name another target."""
    if entry.path != PurePosixPath("codex-package.json"):
        return entry
    if entry.size_bytes > _MAX_JSON_BYTES:
        raise guard.damaged("has a codex-package.json of a size that none needs")
    content = b"".join(entry.chunks())
    try:
        fields = json.loads(content)
    except (ValueError, RecursionError):
        fields = None  # whether the description is right in itself is for the checks of the wheel
    named = fields.get("target") if isinstance(fields, dict) else None
    if isinstance(named, str) and named != target.value:
        raise TargetNotInPackage(guard.package, target, found=named)
    return PackageEntry(
        path=entry.path,
        mode=entry.mode,
        size_bytes=entry.size_bytes,
        pieces=iter((content,) if content else ()),
    )


def root_below(directory: Path, target: Target) -> Path:
    """Return a target's root: the directory itself, or below it if it is an unpacked npm tarball."""
    for vendor in (directory / "package" / "vendor", directory / "vendor"):
        if vendor.is_dir() and not vendor.is_symlink() and not vendor.parent.is_symlink():
            if not (vendor / target).is_dir():
                raise TargetNotInPackage(directory.name, target)
            return vendor / target
    return directory
