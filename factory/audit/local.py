"""Audit local files against the wheels that the index lists under their names."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from packaging.utils import canonicalize_name

from factory.audit.audited import AuditedWheel
from factory.audit.context import AuditContext
from factory.audit.index import Listing, PublishedWheel, local_wheel, project_of
from factory.audit.run import Auditor
from factory.audit.verdict import AuditReport, UnexpectedFile, Verdict
from factory.core.errors import UsageError


def audit_local(
    paths: Sequence[Path],
    listing: Listing,
    auditor: Auditor,
    context: AuditContext,
    *,
    done: Callable[[Verdict], None],
) -> AuditReport:
    """Audit local files.

    If the index has a wheel of the same name, the recipe is inferred from that one, so that every
    difference from the published wheel is found. Otherwise it is inferred from the file, and the
    file's own metadata becomes part of the trust base.

    Raises:
        UsageError: A file cannot be read.
    """
    verdicts: list[Verdict] = []
    unexpected: list[UnexpectedFile] = []
    for path in paths:
        wheel = _local(path)
        if isinstance(wheel, PublishedWheel):
            wheel = _as_listed(wheel, listing)
        if isinstance(wheel, UnexpectedFile):
            unexpected.append(wheel)
        else:
            verdicts += auditor.audit([_with_reference(wheel, listing)], done=done)
    return AuditReport(
        project=listing.project,
        channel=context.channel.name.value,
        index=None if listing.asked is None else listing.asked.address,
        asked_at=None if listing.asked is None else listing.asked.asked_at,
        verdicts=tuple(verdicts),
        unexpected=tuple(unexpected),
    )


def _local(path: Path) -> PublishedWheel | UnexpectedFile:
    try:
        return local_wheel(path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(
            f"cannot read {path}: {reason}", hint="Name a wheel that exists and that you may read."
        ) from error


def _as_listed(wheel: PublishedWheel, listing: Listing) -> PublishedWheel | UnexpectedFile:
    """Return a local wheel with what the index says of its digest, or why the index says nothing clear."""
    project = project_of(wheel.name)
    if project != canonicalize_name(listing.project):
        reason = f"it is a wheel of {project}, and this audit is about {listing.project}; see --project"
        return UnexpectedFile(name=wheel.name, reason=reason)
    for file in listing.unexpected:
        if file.name == wheel.name:
            return file
    listed = listing.wheel(wheel.name)
    if listed is None or listed.sha256 != wheel.sha256:
        return wheel
    return replace(
        wheel, origin=listed.origin, provenance=listed.provenance, no_provenance=listed.no_provenance
    )


def _with_reference(wheel: PublishedWheel, listing: Listing) -> AuditedWheel:
    return AuditedWheel(wheel=wheel, reference=_reference(wheel, listing.wheel(wheel.name)))


def _reference(wheel: PublishedWheel, listed: PublishedWheel | None) -> PublishedWheel:
    """Return the wheel from which the recipe is inferred: the listed one if its bytes differ."""
    return wheel if listed is None or listed.sha256 == wheel.sha256 else listed
