"""The digest of everything that decides whether a wheel is accepted.

A result that was kept is used again only under the same digest, so no earlier yes survives a stricter
rule. It covers the source of the checks and of the readers, and the reviewed baseline, not their names
or a version number: a check that changes without a new name changes the digest, too.
"""

import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from factory.core.digests import Sha256

ROOMS = ("core", "executables", "verify")
"""The rooms whose code decides about a wheel by itself; the audit adds its own room."""

ACCEPTANCE_ROOMS = ("core", "sdk")
"""The rooms whose code decides whether a wheel serves an SDK."""


@cache
def rules_digest(rooms: tuple[str, ...] = ROOMS) -> Sha256:
    """Return the SHA-256 of the code and the data in some rooms of the factory.

    Args:
        rooms: Directories of the package ``factory``.
    """
    hasher = hashlib.sha256()
    for room in rooms:
        for name, entry in sorted(_sources(files("factory").joinpath(room), room), key=lambda item: item[0]):
            content = entry.read_bytes()
            hasher.update(f"{name} {len(content)}\n".encode())
            hasher.update(content)
    return Sha256(hasher.hexdigest())


def _sources(directory: Traversable, place: str) -> Iterator[tuple[str, Traversable]]:
    for entry in directory.iterdir():
        name = f"{place}/{entry.name}"
        if entry.is_dir():
            yield from _sources(entry, name)
        elif entry.name.endswith((".py", ".json", ".toml", ".txt")):
            yield name, entry
