"""Checks of a directory against the manifest in it: exactly the wheels that were recorded."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from factory.core.digests import Sha256
from factory.core.model import Severity
from factory.verify.checks.check import Check, Fault

_STANDARD = "docs/manifest.schema.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a manifest promises, and what lies beside it.

    Attributes:
        promised: The SHA-256 of each wheel by its name, as the manifest has it.
        found: The same of the wheels that are there; None of those that could not be read.
    """

    promised: Mapping[str, Sha256]
    found: Mapping[str, Sha256 | None]


def _find_missing(listing: Listing) -> Iterator[Fault]:
    for name in sorted(listing.promised.keys() - listing.found.keys()):
        yield Fault(place=name, evidence="the manifest lists it, and it is not there")


def _find_other_bytes(listing: Listing) -> Iterator[Fault]:
    for name, promised in sorted(listing.promised.items()):
        found = listing.found.get(name)
        if found is not None and found != promised:
            yield Fault(place=name, evidence=f"its SHA-256 is {found}, the manifest says {promised}")


def _find_unlisted(listing: Listing) -> Iterator[Fault]:
    for name in sorted(listing.found.keys() - listing.promised.keys()):
        yield Fault(place=name, evidence="it lies beside the manifest, which does not list it")


CHECKS: tuple[Check[Listing], ...] = (
    Check(
        id="manifest-missing",
        title="Every wheel that the manifest lists is there",
        severity=Severity.ERROR,
        protects="Users of that platform: nothing to install.",
        standard=_STANDARD,
        remedy="Run 'factory wheels' again: it makes what is missing.",
        find=_find_missing,
    ),
    Check(
        id="manifest-digest",
        title="Every wheel has the bytes that the manifest records",
        severity=Severity.ERROR,
        protects="Whoever pins by the manifest: the wheel is not the one that was verified.",
        standard=_STANDARD,
        remedy="Do not use the wheel; run 'factory wheels' again: it makes what is damaged.",
        find=_find_other_bytes,
    ),
    Check(
        id="manifest-unlisted",
        title="There is no wheel that the manifest does not list",
        severity=Severity.ERROR,
        protects="Users: an upload of the directory would publish a wheel that nobody vouches for.",
        standard=_STANDARD,
        remedy="Move the wheel elsewhere.",
        find=_find_unlisted,
    ),
)
