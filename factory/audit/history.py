"""Audit many releases, one after the other, and go on where an earlier run stopped."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from packaging.version import Version

from factory.audit.cases import AuditWorkshop, Subject
from factory.audit.index import Listing, PublishedWheel
from factory.audit.results import Results
from factory.audit.run import audit_release
from factory.audit.verdict import AuditReport, Outcome, Verdict
from factory.core.errors import UsageError
from factory.core.tags import CodexTag
from factory.system.cache import Namespace


class NothingNamed(UsageError):
    """Nothing says what to audit."""

    hint = "Name releases (rust-v0.163.0 ...), or give --all or --wheel FILE."

    def __init__(self) -> None:
        super().__init__("nothing says what to audit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which wheels of a project are audited.

    Attributes:
        tags: These releases; None for all.
        since: None of before this release.
        platforms: Only wheels of these platform tags; None for all.
    """

    tags: tuple[CodexTag, ...] | None
    since: CodexTag | None = None
    platforms: tuple[str, ...] | None = None

    def takes(self, wheel: PublishedWheel) -> bool:
        """Whether a wheel is one of them."""
        tag = wheel.tag
        if self.tags is not None and tag not in self.tags:
            return False
        if self.since is not None and Version(wheel.version) < Version(self.since.pep440):
            return False
        return self.platforms is None or bool(set(self.platforms) & set(wheel.platforms))


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """Who is told how the audit goes on: of each verdict, and of each release before it begins.

    Attributes:
        verdict: Called with each verdict, also those recalled.
        release: Called with a release, how many releases are done, and how many there are.
    """

    verdict: Callable[[Verdict], None]
    release: Callable[[str, int, int], None]


def audit_listing(
    listing: Listing,
    selection: Selection,
    workshop: AuditWorkshop,
    *,
    results: Results,
    steps: Steps,
) -> AuditReport:
    """Audit the selected wheels of a project, the oldest release first.

    A verdict is kept as soon as there is one; a conclusive one on the same bytes is not made again.
    After each release the cache is brought back to its limit: a history of packages is 25 GB.
    """
    chosen = sorted((wheel for wheel in listing.wheels if selection.takes(wheel)), key=_order)
    verdicts: list[Verdict] = []
    versions = list(dict.fromkeys(wheel.version for wheel in chosen))
    for index, version in enumerate(versions):
        steps.release(version, index, len(versions))
        wheels = [wheel for wheel in chosen if wheel.version == version]
        verdicts += _audit_version(wheels, workshop, results, steps)
        for namespace in (Namespace.ASSETS, Namespace.DEFLATE):
            workshop.tools.cache.trim(namespace, max_bytes=workshop.cache_limit_bytes)
    return AuditReport(
        project=listing.project,
        channel=workshop.channel.name.value,
        verdicts=tuple(verdicts),
        unexpected=listing.unexpected,
        absent=_absent(selection, chosen),
    )


def _audit_version(
    wheels: Sequence[PublishedWheel], workshop: AuditWorkshop, results: Results, steps: Steps
) -> Iterable[Verdict]:
    known = {wheel.name: results.recall(wheel.name, wheel.sha256) for wheel in wheels}
    new = [Subject(wheel=wheel, reference=wheel) for wheel in wheels if known[wheel.name] is None]

    def done(verdict: Verdict) -> None:
        results.keep(verdict)
        steps.verdict(verdict)

    for verdict in known.values():
        if verdict is not None:
            steps.verdict(verdict)
    made = {verdict.name: verdict for verdict in _audit_new(new, workshop, done)}
    for wheel in wheels:
        verdict = known[wheel.name] or made[wheel.name]
        yield verdict


def _audit_new(
    subjects: Sequence[Subject], workshop: AuditWorkshop, done: Callable[[Verdict], None]
) -> Sequence[Verdict]:
    """Audit one version's wheels; a version that is no Codex release has no payload anywhere."""
    if not subjects:
        return ()
    tag = subjects[0].wheel.tag
    if tag is not None:
        return audit_release(tag, subjects, workshop, done=done)
    verdicts = [
        Verdict(
            name=subject.wheel.name,
            tag="",
            platform=subject.wheel.platform,
            size_bytes=subject.wheel.size_bytes,
            sha256=subject.wheel.sha256,
            yanked=subject.wheel.yanked,
            outcome=Outcome.NOT_REBUILT,
            reason=f"its version {subject.wheel.version} names no Codex release",
        )
        for subject in subjects
    ]
    for verdict in verdicts:
        done(verdict)
    return verdicts


def _absent(selection: Selection, chosen: Sequence[PublishedWheel]) -> tuple[str, ...]:
    """Return what was asked for by name and is not listed."""
    tags = {wheel.tag for wheel in chosen}
    platforms = {platform for wheel in chosen for platform in wheel.platforms}
    return (
        *(str(tag) for tag in selection.tags or () if tag not in tags),
        *(platform for platform in selection.platforms or () if platform not in platforms),
    )


def _order(wheel: PublishedWheel) -> tuple[Version, str]:
    return Version(wheel.version), wheel.name
