"""The audit from top to bottom: index, read, infer, rebuild, compare, decide, report.

Each step takes the value of the step before and returns the next. A step that fails for one wheel
returns `NotRebuilt` with the reason; the other wheels go on.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from factory.audit.audited import AuditedWheel, Failure, NotRebuilt
from factory.audit.compare import Comparer
from factory.audit.context import AuditContext
from factory.audit.decide import verdict_on
from factory.audit.index import Listing, PublishedWheel
from factory.audit.packages import read_packages
from factory.audit.provenance import look_up
from factory.audit.rebuild import RebuiltWheel, rebuild_wheels
from factory.audit.recipes import infer_recipes
from factory.audit.results import Results
from factory.audit.review import Reviewer
from factory.audit.selection import Selection
from factory.audit.verdict import AuditReport, Verdict
from factory.audit.wheel_file import WheelFiles
from factory.core.tags import CodexTag
from factory.system.cache_entries import Namespace
from factory.system.parallel import in_parallel


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


@dataclass(frozen=True, slots=True, kw_only=True)
class CodexAuditor:
    """Audits wheels of Codex: rebuilt from the release, and compared with the reviewed baseline."""

    context: AuditContext

    def audit(self, wheels: Sequence[AuditedWheel], *, done: Callable[[Verdict], None]) -> Sequence[Verdict]:
        """Return one verdict for each wheel, in order."""
        if wheels[0].wheel.tag is not None:
            return audit_release(wheels[0].wheel.tag, wheels, self.context, done=done)
        # No channel has packages for a version that is not a Codex release.
        failure = Failure(reason=f"its version {wheels[0].wheel.version} names no Codex release")
        verdicts = [verdict_on(NotRebuilt(audited=wheel, failure=failure)) for wheel in wheels]
        for verdict in verdicts:
            done(verdict)
        return verdicts


def audit_listing(
    listing: Listing,
    selection: Selection,
    context: AuditContext,
    *,
    results: Results,
    progress: AuditProgress,
    auditor: Auditor | None = None,
) -> AuditReport:
    """Audit the selected wheels of a project, the oldest release first; by default with `CodexAuditor`.

    Each verdict is saved at once, and a conclusive one on the same bytes is not decided again. After
    each release the cache is pruned to its limit.
    """
    selected = selection.wheels_of(listing)
    versions = list(dict.fromkeys(wheel.version for wheel in selected))
    verdicts: list[Verdict] = []
    for index, version in enumerate(versions):
        progress.release(version, index, len(versions))
        wheels = [wheel for wheel in selected if wheel.version == version]
        verdicts += _audit_version(wheels, auditor or CodexAuditor(context=context), results, progress)
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


def audit_release(
    tag: CodexTag,
    wheels: Sequence[AuditedWheel],
    context: AuditContext,
    *,
    done: Callable[[Verdict], None],
) -> tuple[Verdict, ...]:
    """Audit some wheels of one release.

    Args:
        tag: The release.
        wheels: Its wheels.
        context: The objects that every step uses.
        done: Receives each verdict as soon as there is one.

    Returns:
        One verdict for each wheel, in order.
    """
    packages = read_packages(tag, wheels, context)
    with TemporaryDirectory(prefix="audit-", dir=context.scratch) as directory:
        scratch = Path(directory)
        files = WheelFiles(tools=context.tools, scratch=scratch / "published")
        inferred = infer_recipes(wheels, packages, files, context)
        progress = context.tools.progress
        progress.plan({f"check {wheel.wheel.platform}": wheel.weight for wheel in wheels})
        rebuilt = rebuild_wheels(tag, inferred, context, scratch)

        reviewer = Reviewer(tag=tag, baseline=context.baseline, executables=context.executables)
        comparer = Comparer(packages=packages, reviewer=reviewer, files=files, scratch=scratch)

        def conclude(wheel: RebuiltWheel | NotRebuilt) -> Verdict:
            served = look_up(wheel.audited.wheel, context.tools.downloader.client)
            with progress.task(f"check {wheel.audited.wheel.platform}"):
                verdict = verdict_on(comparer.compare(wheel), served)
            done(verdict)
            return verdict

        return in_parallel(
            conclude,
            rebuilt,
            jobs=context.tools.jobs,
            weight=lambda wheel: wheel.audited.weight,
            stop=context.tools.stop,
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
