"""The audit of a project: the selected wheels of an index, version by version, and the report.

What is done with the wheels of one version is up to the auditor: `CodexAuditor` rebuilds them by an inferred
recipe, `MappedAuditor` compares them with the npm packages of their mapping.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from factory.audit.audited import AuditedWheel
from factory.audit.context import AuditContext
from factory.audit.index import Listing, PublishedWheel
from factory.audit.results import Results
from factory.audit.selection import Selection
from factory.audit.verdict import AuditReport, Verdict
from factory.system.cache_entries import Namespace


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditProgress:
    """Callbacks for the progress of an audit.

    Attributes:
        verdict: Receives each verdict as soon as there is one, also those of an earlier run.
        release: Receives the version of the next release, how many are done, and how many there are.
    """

    verdict: Callable[[Verdict], None]
    release: Callable[[str, int, int], None]


class Auditor(Protocol):
    """Audits wheels of one version of a project."""

    def audit(self, wheels: Sequence[AuditedWheel], *, done: Callable[[Verdict], None]) -> Sequence[Verdict]:
        """Return one verdict for each wheel, in order, and pass each one on as soon as there is one."""


def audit_listing(
    listing: Listing,
    selection: Selection,
    auditor: Auditor,
    context: AuditContext,
    *,
    results: Results,
    progress: AuditProgress,
) -> AuditReport:
    """Audit the selected wheels of a project, the oldest release first.

    Each verdict is saved at once, and a conclusive one on the same bytes is not decided again. After
    each release the cache is pruned to its limit.
    """
    selected = selection.wheels_of(listing)
    versions = list(dict.fromkeys(wheel.version for wheel in selected))
    verdicts: list[Verdict] = []
    for index, version in enumerate(versions):
        progress.release(version, index, len(versions))
        wheels = [wheel for wheel in selected if wheel.version == version]
        verdicts += _audit_version(wheels, auditor, results, progress)
        for namespace in (Namespace.ASSETS, Namespace.DEFLATE):
            context.tools.cache.trim(namespace, max_bytes=context.cache_limit_bytes)
    return AuditReport(
        project=listing.project,
        channel=context.channel.name.value,
        index=None if listing.asked is None else listing.asked.address,
        asked_at=None if listing.asked is None else listing.asked.asked_at,
        verdicts=tuple(verdicts),
        unexpected=selection.unexpected_of(listing),
        absent=selection.missing_from(listing),
    )


def _audit_version(
    wheels: Sequence[PublishedWheel], auditor: Auditor, results: Results, progress: AuditProgress
) -> tuple[Verdict, ...]:
    """Audit the wheels of one version, except those with a conclusive verdict from an earlier run."""
    recalled = {wheel: results.recall(wheel.name, wheel.sha256) for wheel in wheels}
    # The index can have yanked a wheel since its verdict was kept.
    verdicts = {
        wheel: replace(verdict, origin=wheel.origin)
        for wheel, verdict in recalled.items()
        if verdict is not None
    }
    for verdict in verdicts.values():
        progress.verdict(verdict)
    new = [wheel for wheel in wheels if wheel not in verdicts]

    def done(verdict: Verdict) -> None:
        results.keep(verdict)
        progress.verdict(verdict)

    audited = [AuditedWheel(wheel=wheel, reference=wheel) for wheel in new]
    verdicts |= zip(new, auditor.audit(audited, done=done) if audited else (), strict=True)
    return tuple(verdicts[wheel] for wheel in wheels)
