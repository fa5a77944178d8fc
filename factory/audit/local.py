"""Judge local files, against what the index lists under their names."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from factory.audit.cases import AuditWorkshop, Subject
from factory.audit.index import Listing, PublishedWheel, local_wheel
from factory.audit.run import audit_release
from factory.audit.verdict import AuditReport, UnexpectedFile, Verdict
from factory.core.errors import UsageError


class UnreadableFile(UsageError):
    """A file that should be audited cannot be read."""

    hint = "Name a wheel that exists and that you may read."

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"cannot read {path}: {reason}")


def audit_local(
    paths: Sequence[Path],
    listing: Listing,
    workshop: AuditWorkshop,
    *,
    done: Callable[[Verdict], None],
) -> AuditReport:
    """Judge local files.

    Where the index has a wheel of the name, the recipe is inferred from that one, so that every
    difference of the file from what is published shows. Elsewhere the file has to
    speak for itself: what it says of its own metadata is then part of the trust base.

    Raises:
        UnreadableFile: A file cannot be read.
    """
    verdicts: list[Verdict] = []
    unexpected: list[UnexpectedFile] = []
    for path in paths:
        wheel = _local(path)
        if isinstance(wheel, UnexpectedFile):
            unexpected.append(wheel)
            continue
        tag = wheel.tag
        if tag is None:
            reason = f"its version {wheel.version} names no Codex release"
            unexpected.append(UnexpectedFile(name=wheel.name, reason=reason))
            continue
        listed = listing.wheel(wheel.name)
        if listed is not None:
            wheel = replace(wheel, provenance=listed.provenance, no_provenance=listed.no_provenance)
        subject = Subject(wheel=wheel, reference=_nearer(wheel, listed))
        verdicts += audit_release(tag, [subject], workshop, done=done)
    return AuditReport(
        project=listing.project,
        channel=workshop.channel.name.value,
        verdicts=tuple(verdicts),
        unexpected=tuple(unexpected),
        absent=tuple(file.name for file in unexpected),
    )


def _nearer(wheel: PublishedWheel, listed: PublishedWheel | None) -> PublishedWheel:
    """Return what the recipe is read from: the listed wheel, if there is one and it is another."""
    return wheel if listed is None or listed.sha256 == wheel.sha256 else listed


def _local(path: Path) -> PublishedWheel | UnexpectedFile:
    try:
        return local_wheel(path)
    except OSError as error:
        raise UnreadableFile(path, error.strerror or str(error)) from error
