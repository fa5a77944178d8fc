"""A synthetic release of a few megabytes, in the form that an npm registry serves."""

import base64
import hashlib
import json
import random
from dataclasses import dataclass
from pathlib import Path

from factory.core.targets import OperatingSystem, Target
from tests.images import filler
from tests.packages import TAG, npm_tarball, release_files

BASE = "ADDRESS-OF-THE-REGISTRY"
"""Stands in the document for the address of the server."""

_WORDS = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """The files of a registry.

    Attributes:
        document: The package document, with `BASE` in place of the server's address.
        tarballs: The packages by file name.
    """

    document: str
    tarballs: dict[str, bytes]


def make_release(directory: Path, *, size_bytes: int) -> Release:
    """Write the packages of all targets; those that are not for macOS have a large executable."""
    directory.mkdir(parents=True)
    versions: dict[str, object] = {TAG.semver: {"optionalDependencies": {}, "dist": {}}}
    tarballs = {}
    for target in Target:
        files = release_files(target)
        name = f"bin/codex{target.executable_suffix}"
        content, mode = files[name]
        if target.operating_system is not OperatingSystem.MACOS:  # a longer one would not be signed whole
            files[name] = (content + _text(size_bytes, seed=target.value), mode)
        version = f"{TAG.semver}-{target.npm_suffix}"
        path = npm_tarball(directory / f"codex-{version}.tgz", {target: files})
        tarballs[path.name] = path.read_bytes()
        digest = base64.b64encode(hashlib.sha512(tarballs[path.name]).digest()).decode()
        versions[version] = {
            "dist": {"integrity": f"sha512-{digest}", "tarball": f"{BASE}/@openai/codex/-/{path.name}"}
        }
    return Release(document=json.dumps({"versions": versions}), tarballs=tarballs)


def _text(size_bytes: int, *, seed: str) -> bytes:
    """Return bytes that compress about as well as programs."""
    choice = random.Random(seed)  # noqa: S311 - equal seeds give equal bytes
    words = [filler(64, seed=f"word {number}") for number in range(_WORDS)]
    count = size_bytes // 36
    return b"".join(words[choice.randrange(_WORDS)][: choice.randrange(8, 64)] for _ in range(count))
