"""Checks of a directory against the manifest in it: exactly the wheels that were recorded."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from factory.core.digests import Sha256
from factory.core.model import Severity
from factory.verify.checks.check import Checks, Fault

_STANDARD = "docs/manifest.schema.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestDirectory:
    """What a manifest promises, and what lies beside it.

    Attributes:
        promised: The SHA-256 of each wheel by its name, as the manifest has it.
        found: The same of the wheels that are there; None of those that could not be read.
    """

    promised: Mapping[str, Sha256]
    found: Mapping[str, Sha256 | None]


check = Checks[ManifestDirectory](standard=_STANDARD)


@check(
    "manifest-missing",
    Severity.ERROR,
    title="Every wheel that the manifest lists is there",
    protects="Users of that platform: nothing to install.",
    remedy="Run 'factory wheels' again: it makes what is missing.",
)
def _find_missing(directory: ManifestDirectory) -> Iterator[Fault]:
    for name in sorted(directory.promised.keys() - directory.found.keys()):
        yield Fault(name, "the manifest lists it, and it is not there")


@check(
    "manifest-digest",
    Severity.ERROR,
    title="Every wheel has the bytes that the manifest records",
    protects="Whoever pins by the manifest: the wheel is not the one that was verified.",
    remedy="Do not use the wheel; run 'factory wheels' again: it makes what is damaged.",
)
def _find_other_bytes(directory: ManifestDirectory) -> Iterator[Fault]:
    for name, promised in sorted(directory.promised.items()):
        found = directory.found.get(name)
        if found is not None and found != promised:
            yield Fault(name, f"its SHA-256 is {found}, the manifest says {promised}")


@check(
    "manifest-unlisted",
    Severity.ERROR,
    title="There is no wheel that the manifest does not list",
    protects="Users: an upload of the directory would publish a wheel that nobody vouches for.",
    remedy="Move the wheel elsewhere.",
)
def _find_unlisted(directory: ManifestDirectory) -> Iterator[Fault]:
    for name in sorted(directory.found.keys() - directory.promised.keys()):
        yield Fault(name, "it lies beside the manifest, which does not list it")


CHECKS = check.registered()
