"""The audit of one release of Codex from top to bottom: read, infer, rebuild, compare, decide.

Each step takes the value of the step before and returns the next. A step that fails for one wheel
returns `NotRebuilt` with the reason; the other wheels go on.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from factory.audit.audited import AuditedWheel, Failure, NotRebuilt
from factory.audit.codex.comparer import Comparer
from factory.audit.codex.packages import read_packages
from factory.audit.codex.rebuild import RebuiltWheel, rebuild_wheels
from factory.audit.codex.recipes import infer_recipes
from factory.audit.codex.releases import release_of
from factory.audit.codex.review import Reviewer
from factory.audit.context import AuditContext
from factory.audit.decide import verdict_on
from factory.audit.projects.mapping import ProjectMapping
from factory.audit.provenance import look_up
from factory.audit.verdict import Verdict
from factory.audit.wheel_file import WheelFiles
from factory.core.tags import CodexTag
from factory.system.parallel import in_parallel


@dataclass(frozen=True, slots=True, kw_only=True)
class CodexAuditor:
    """Audits wheels of Codex: rebuilt from the release, and compared with the reviewed baseline.

    Attributes:
        mapping: The mapping of Codex.
        context: The objects that every step uses.
    """

    mapping: ProjectMapping
    context: AuditContext

    def audit(self, wheels: Sequence[AuditedWheel], *, done: Callable[[Verdict], None]) -> Sequence[Verdict]:
        """Return one verdict for each wheel, in order."""
        version = wheels[0].wheel.version
        tag = release_of(version, self.mapping.rule)
        if tag is not None:
            return audit_release(tag, wheels, self.context, self.mapping, done=done)
        # No channel has packages for a version that is not a Codex release.
        failure = Failure(reason=f"its version {version} names no Codex release")
        verdicts = [
            replace(verdict_on(NotRebuilt(audited=wheel, failure=failure)), tag="") for wheel in wheels
        ]
        for verdict in verdicts:
            done(verdict)
        return verdicts


def audit_release(
    tag: CodexTag,
    wheels: Sequence[AuditedWheel],
    context: AuditContext,
    mapping: ProjectMapping,
    *,
    done: Callable[[Verdict], None],
) -> tuple[Verdict, ...]:
    """Audit some wheels of one release.

    Args:
        tag: The release.
        wheels: Its wheels.
        context: The objects that every step uses.
        mapping: The mapping of Codex.
        done: Receives each verdict as soon as there is one.

    Returns:
        One verdict for each wheel, in order.
    """
    packages = read_packages(tag, wheels, context, mapping)
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
                verdict = replace(verdict_on(comparer.compare(wheel), served), tag=str(tag))
            done(verdict)
            return verdict

        return in_parallel(
            conclude,
            rebuilt,
            jobs=context.tools.jobs,
            weight=lambda wheel: wheel.audited.weight,
            stop=context.tools.stop,
        )
