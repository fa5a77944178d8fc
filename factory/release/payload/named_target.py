"""Find the target of a release package that is given without one: the package itself names it."""

import json
from contextlib import closing
from pathlib import Path
from typing import Final

from factory.core.errors import UsageError
from factory.core.targets import Target
from factory.release.archives import Guard, PackageEntry
from factory.release.payload.source import PackageSource

_DESCRIPTION: Final = "codex-package.json"
_MAX_DESCRIPTION_BYTES: Final = 1 << 16


def named_target(path: Path) -> Target:
    """Return the one target that a package names.

    An npm tarball names it in its paths, a package of the newer layout in its codex-package.json, and
    other packages in their file name only.

    Raises:
        UsageError: The path is not a package, or it names no target or several.
        IntegrityError: The package is damaged, unsafe or too large.
    """
    named = (_named_by_directory(path) if path.is_dir() else _named_by_entries(path)) or _named_in(path.name)
    targets = [target for target in Target if target.value in named]
    if len(targets) != 1:
        several = ", ".join(target.value for target in targets)
        problem = f"is for several targets: {several}" if targets else "does not name its target"
        raise UsageError(
            f"{path.name} {problem}",
            hint="Give --platform; 'factory show platforms' lists the platforms.",
        )
    return targets[0]


def _named_by_directory(path: Path) -> frozenset[str]:
    vendors = [vendor for vendor in (path / "package" / "vendor", path / "vendor") if vendor.is_dir()]
    if vendors:
        return frozenset(entry.name for entry in vendors[0].iterdir() if entry.is_dir())
    description = path / _DESCRIPTION
    if not description.is_file() or description.stat().st_size > _MAX_DESCRIPTION_BYTES:
        return frozenset()
    return _named_by_description(description.read_bytes())


def _named_by_entries(path: Path) -> frozenset[str]:
    source = PackageSource.at(path)
    guard = Guard(source.name, source.limits)
    any_target = next(iter(Target))  # an archive has the same entries for every target
    named: frozenset[str] = frozenset()
    with closing(source.entries(any_target, guard)) as entries:
        for entry in entries:
            named |= _named_by_entry(entry)
            entry.finish()
    return named


def _named_by_entry(entry: PackageEntry) -> frozenset[str]:
    match entry.path.parts:
        case ("package", "vendor", target, *_):
            return frozenset((target,))
        case (name,) if name == _DESCRIPTION and entry.size_bytes <= _MAX_DESCRIPTION_BYTES:
            return _named_by_description(b"".join(entry.chunks()))
        case _:
            return frozenset()


def _named_by_description(content: bytes) -> frozenset[str]:
    try:
        fields = json.loads(content)
    except (ValueError, RecursionError):
        return frozenset()
    target = fields.get("target") if isinstance(fields, dict) else None
    return frozenset((target,)) if isinstance(target, str) else frozenset()


def _named_in(file_name: str) -> frozenset[str]:
    return frozenset(target.value for target in Target if target.value in file_name)
