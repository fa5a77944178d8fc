"""Read and write the index of known executables: one file a line, so that a diff shows what was added."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path, PurePosixPath

from factory.core.digests import MalformedDigest, Sha256
from factory.core.errors import HostError, IntegrityError
from factory.core.json_reader import JsonObject, MalformedJson
from factory.core.tags import CodexTag, MalformedTag
from factory.core.targets import Target
from factory.verify.baseline.executables import KnownExecutables, PackageExecutables

EXECUTABLES_PATH = Path(__file__).with_name("known_executables.json")
SCHEMA_VERSION = 1


@cache
def bundled_executables() -> KnownExecutables:
    """Read the index that belongs to this factory, once per process.

    Raises:
        HostError: The file cannot be read.
        IntegrityError: It is damaged, or of another version.
    """
    return read_executables(EXECUTABLES_PATH)


def read_executables(path: Path) -> KnownExecutables:
    """Read an index from a file.

    Raises:
        HostError: The file cannot be read.
        IntegrityError: It is damaged, or of another version.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise HostError(
            f"cannot read {path}: {error.strerror or error}",
            hint="Install the factory again, or run it from a complete checkout.",
        ) from error
    return parse_executables(content, where=str(path))


def parse_executables(content: bytes, *, where: str) -> KnownExecutables:
    """Parse the text of an index.

    Raises:
        IntegrityError: It is damaged, or of another version.
    """
    try:
        document = JsonObject.parse(content, where=where)
        version = document.integer("schema_version")
        if version == SCHEMA_VERSION:
            return KnownExecutables(_packages(document.child("releases")))
    except (MalformedJson, MalformedDigest, MalformedTag) as error:
        raise IntegrityError(
            f"the index of known executables is damaged: {error}",
            hint="Restore the file from version control, or install the factory again.",
        ) from error
    raise IntegrityError(
        f"{where} has version {version}; this factory reads version {SCHEMA_VERSION}",
        hint="Use the index of executables and the factory of one version.",
    )


def render_executables(known: KnownExecutables) -> str:
    """Return the text of an index's file; equal indexes give equal texts."""
    releases: dict[str, dict[str, dict[str, str]]] = {}
    for package in known.packages:
        files = {str(path): package.digests[path].hex for path in sorted(package.digests)}
        releases.setdefault(package.release.pep440, {})[package.target.value] = files
    return json.dumps({"schema_version": SCHEMA_VERSION, "releases": releases}, indent=1) + "\n"


def _packages(releases: JsonObject) -> Iterator[PackageExecutables]:
    for release in releases.members:
        targets = releases.child(release)
        for target in targets.members:
            if target not in set(Target):
                raise MalformedJson(targets.where, f"{target!r} is not a target")
            files = targets.child(target).text_members()
            yield PackageExecutables(
                release=CodexTag.parse(release),
                target=Target(target),
                digests={PurePosixPath(path): Sha256(sha256) for path, sha256 in files.items()},
            )
