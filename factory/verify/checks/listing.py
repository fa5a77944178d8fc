"""Checks of a directory against the manifest in it: it has exactly the recorded wheels."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from factory.core.digests import Sha256
from factory.core.model import Severity
from factory.verify.checks.check import Checks, Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestDirectory:
    """The wheels that a manifest lists, and those beside it.

    Attributes:
        promised: SHA-256 by wheel name, from the manifest.
        found: SHA-256 by wheel name, of the files; None for a file that could not be read.
    """

    promised: Mapping[str, Sha256]
    found: Mapping[str, Sha256 | None]


check = Checks[ManifestDirectory](standard="docs/manifest.schema.json")


@check(
    "manifest-missing",
    Severity.ERROR,
    title="Every wheel that the manifest lists exists",
    protects="Users of that platform: there is no wheel to install.",
    remedy="Run 'factory wheels' again: it builds missing wheels.",
)
def _find_missing(directory: ManifestDirectory) -> Iterator[Fault]:
    for name in sorted(directory.promised.keys() - directory.found.keys()):
        yield Fault(name, "the manifest lists it, but the file does not exist")


@check(
    "manifest-digest",
    Severity.ERROR,
    title="Every wheel has the bytes that the manifest records",
    protects="Anyone who pins by the manifest: the wheel is not the one that was verified.",
    remedy="Do not use the wheel; run 'factory wheels' again: it rebuilds damaged wheels.",
)
def _find_other_bytes(directory: ManifestDirectory) -> Iterator[Fault]:
    for name, promised in sorted(directory.promised.items()):
        found = directory.found.get(name)
        if found is not None and found != promised:
            yield Fault(name, f"SHA-256 is {found}; the manifest has {promised}")


@check(
    "manifest-unlisted",
    Severity.ERROR,
    title="The manifest lists every wheel in the directory",
    protects="Users: an upload of the directory would publish an unverified wheel.",
    remedy="Move the wheel elsewhere.",
)
def _find_unlisted(directory: ManifestDirectory) -> Iterator[Fault]:
    for name in sorted(directory.found.keys() - directory.promised.keys()):
        yield Fault(name, "the file is beside the manifest, which does not list it")


CHECKS = check.registered()
