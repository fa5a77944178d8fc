"""Audit the published wheels of one release: read little, infer, rebuild, compare.

Each step gives, for every wheel, either more of its rebuild or its verdict; what goes wrong
with one wheel is that wheel's reason, and the rest goes on.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from factory.audit.cases import (
    AuditWorkshop,
    Case,
    Source,
    Subject,
    ask_channel,
    each_case,
    read_and_infer,
    reasoned,
    weight_of,
)
from factory.audit.index import PublishedWheel
from factory.audit.judge import Judged, judge, look_at
from factory.audit.provenance import look_up, provenance_causes
from factory.audit.verdict import Verdict
from factory.audit.wheel_file import WheelFiles
from factory.build.assembler.assembler import AssemblingBuilder
from factory.build.builder import LaidOutWheel, Package
from factory.build.deflate_cache import DeflateStore
from factory.build.deflate_check import deflate_identity, require_reference_deflate
from factory.build.toolchain import lock_for
from factory.core.errors import FactoryError, IntegrityError, UpstreamError
from factory.core.tags import CodexTag
from factory.core.targets import Target
from factory.system.cache import Cancelled, Namespace
from factory.system.parallel import Stopped, in_parallel


def audit_release(
    tag: CodexTag,
    subjects: Sequence[Subject],
    workshop: AuditWorkshop,
    *,
    done: Callable[[Verdict], None],
) -> tuple[Verdict, ...]:
    """Judge some wheels of one release.

    Args:
        tag: The release.
        subjects: Its wheels.
        workshop: What to work with.
        done: Is told of each verdict as soon as there is one.

    Returns:
        One verdict a subject, in order. What could not be looked at says so in its verdict.
    """
    cases = [Case(subject=subject) for subject in subjects]
    sources: dict[Target, Source] = {}
    ask_channel(tag, cases, sources, workshop)
    with TemporaryDirectory(prefix="audit-", dir=workshop.scratch) as directory:
        scratch = Path(directory)
        files = WheelFiles(tools=workshop.tools, scratch=scratch / "published")
        each_case(cases, lambda case: read_and_infer(case, files), workshop)
        _rebuild(tag, cases, workshop, scratch)

        def conclude(case: Case) -> Verdict:
            verdict = _conclude(case, tuple(sources.values()), files, scratch)
            verdict = _with_provenance(verdict, case.subject.wheel, workshop)
            done(verdict)
            return verdict

        return in_parallel(
            conclude, cases, jobs=workshop.tools.jobs, weight=weight_of, stop=workshop.tools.stop
        )


def _rebuild(tag: CodexTag, cases: Sequence[Case], workshop: AuditWorkshop, scratch: Path) -> None:
    """Build all inferred recipes, those of one backend version together."""
    versions = sorted({case.inferred.recipe.backend.version for case in cases if case.inferred is not None})
    for version in versions:
        group = [
            case
            for case in cases
            if case.inferred is not None and case.inferred.recipe.backend.version == version
        ]
        with reasoned(group):
            builder = _builder(version, workshop)
            _build_group(tag, group, builder, scratch / version)


def _builder(version: str, workshop: AuditWorkshop) -> AssemblingBuilder:
    tools = workshop.tools
    require_reference_deflate(deflate_identity())
    toolchain = tools.toolchain_for(lock_for(version))
    require_reference_deflate(toolchain.interpreter.deflate)
    return AssemblingBuilder(
        toolchain=toolchain,
        runner=tools.runner,
        progress=tools.progress,
        host_env=tools.host_env,
        jobs=tools.jobs,
        store=DeflateStore(
            root=tools.cache.root / Namespace.DEFLATE, encoder=toolchain.interpreter.deflate.answer
        ),
        stop=tools.stop,
    )


def _build_group(tag: CodexTag, group: Sequence[Case], builder: AssemblingBuilder, scratch: Path) -> None:
    """Build a group at once; if that fails, target by target: one package spoils no other's wheels."""
    try:
        _build_cases(tag, group, builder, scratch / "all")
    except (Stopped, Cancelled):
        raise
    except FactoryError:
        for target in sorted({case.target for case in group if case.target is not None}):
            concerned = [case for case in group if case.target is target]
            with reasoned(concerned):
                _build_cases(tag, concerned, builder, scratch / target)


def _build_cases(tag: CodexTag, cases: Sequence[Case], builder: AssemblingBuilder, scratch: Path) -> None:
    by_target: dict[Target, list[Case]] = {}
    for case in cases:
        if case.target is not None:
            by_target.setdefault(case.target, []).append(case)
    packages = [_package(fed) for fed in by_target.values()]
    built = builder.build(packages, tag=tag, scratch=scratch)
    for fed, package in zip(by_target.values(), built, strict=True):
        for case, wheel in zip(fed, package.wheels, strict=True):
            case.rebuilt = wheel


def _package(fed: Sequence[Case]) -> Package:
    sources = [case.source for case in fed if case.source is not None]
    return Package(
        asset=sources[0].asset,
        source=sources[0].package,
        size_bytes=sources[0].size_bytes,
        payload=sources[0].payload,
        recipes=tuple(case.inferred.recipe for case in fed if case.inferred is not None),
    )


def _conclude(case: Case, sources: Sequence[Source], files: WheelFiles, scratch: Path) -> Verdict:
    """Give a case its verdict; what goes wrong even now is its reason."""
    judged = Judged(
        wheel=case.subject.wheel,
        tag=str(case.subject.wheel.tag or ""),
        inferred=case.inferred,
        rebuilt=case.rebuilt,
        origins=tuple((source.asset, source.payload) for source in sources),
        fetched=case.fetched,
        is_legible=case.is_legible,
    )
    if not case.reason:
        with reasoned([case]), _dropped(case.rebuilt):
            return judge(judged, files, scratch)
    if case.is_in_the_wheel and case.source is not None:
        with suppress(UpstreamError, IntegrityError):
            return look_at(judged, case.reason, files, scratch)
    return judged.not_rebuilt(case.reason)


def _with_provenance(verdict: Verdict, wheel: PublishedWheel, workshop: AuditWorkshop) -> Verdict:
    """Add what the index serves about who published the wheel; it changes no outcome."""
    served = look_up(wheel, workshop.tools.downloader.client)
    causes = (*verdict.causes, *provenance_causes(wheel.name, served))
    return replace(verdict, provenance=served, causes=causes)


@contextmanager
def _dropped(rebuilt: LaidOutWheel | None) -> Iterator[None]:
    """Remove a rebuilt wheel once it is judged: a release's wheels are a gigabyte together."""
    yield
    if rebuilt is not None:
        rebuilt.wheel.path.unlink(missing_ok=True)
