"""Audit the published wheels of one release: read little, infer, rebuild, compare.

Each step gives, for every wheel, either more of its rebuild or its verdict; what goes wrong
with one wheel is that wheel's reason, and the rest goes on.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from factory.audit.index import PublishedWheel
from factory.audit.infer import Inferred, infer, read_contents, target_of
from factory.audit.judge import Judged, judge, look_at
from factory.audit.project_file import NotInferable
from factory.audit.published import PublishedReader, UnreadableWheel
from factory.audit.remote_zip import Fetched
from factory.audit.verdict import Verdict
from factory.audit.wheel_file import WheelFiles
from factory.builders.assembler import AssemblingBuilder
from factory.builders.package import LaidOutWheel, Package
from factory.channels import Channel
from factory.deflate_store import DeflateStore
from factory.errors import FactoryError, IntegrityError, UpstreamError
from factory.model import Payload, ReleaseAsset, ReleaseAssets
from factory.parallel import Stopped, in_parallel
from factory.payload import PackageSource
from factory.payload_record import recall_payload, remember_payload
from factory.pipeline import Workshop, source_of
from factory.store import Cancelled, Namespace
from factory.tags import CodexTag
from factory.targets import Target
from factory.toolchain import lock_for
from factory.zlib_identity import deflate_identity, require_reference_deflate


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One wheel to be judged.

    Attributes:
        wheel: What is judged: a file of the index, or a local one.
        reference: What the recipe is inferred from: the same, or the index's file of that name
            where a local one is judged.
    """

    wheel: PublishedWheel
    reference: PublishedWheel


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditWorkshop:
    """What an audit works with.

    Attributes:
        tools: What a run of the factory works with; the same ``f`` makes both's wheels.
        channel: Where the payload comes from.
        scratch: An existing directory for rebuilt wheels; each release's are removed at its end.
    """

    tools: Workshop
    channel: Channel
    scratch: Path


@dataclass(slots=True, kw_only=True)
class _Case:
    """One subject on its way to its verdict; a reason ends the way.

    Attributes:
        is_legible: Whether the wheel could be read as one.
        is_in_the_wheel: Whether the reason is in the wheel itself, so that reading it whole tells more.
    """

    subject: Subject
    fetched: Fetched = field(default_factory=Fetched)
    target: Target | None = None
    source: "_Source | None" = None
    inferred: Inferred | None = None
    rebuilt: LaidOutWheel | None = None
    reason: str = ""
    is_legible: bool = True
    is_in_the_wheel: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """A target's release package, read."""

    asset: ReleaseAsset
    package: PackageSource
    size_bytes: int
    payload: Payload


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
    cases = [_Case(subject=subject) for subject in subjects]
    sources: dict[Target, _Source] = {}
    _ask_channel(tag, cases, sources, workshop)
    with TemporaryDirectory(prefix="audit-", dir=workshop.scratch) as directory:
        scratch = Path(directory)
        files = WheelFiles(tools=workshop.tools, scratch=scratch / "published")
        _each(cases, lambda case: _read_and_infer(case, files), workshop)
        _rebuild(tag, cases, workshop, scratch)

        def conclude(case: _Case) -> Verdict:
            verdict = _conclude(case, tuple(sources.values()), files, scratch)
            done(verdict)
            return verdict

        return in_parallel(
            conclude, cases, jobs=workshop.tools.jobs, weight=_weight, stop=workshop.tools.stop
        )


def _weight(case: _Case) -> int:
    return case.subject.wheel.size_bytes or 0


def _each(cases: Iterable[_Case], action: Callable[[_Case], None], workshop: AuditWorkshop) -> None:
    """Do a step for every case that is still on its way."""

    def attempt(case: _Case) -> None:
        with _reasoned([case]):
            action(case)

    going = [case for case in cases if not case.reason]
    in_parallel(attempt, going, jobs=max(workshop.tools.jobs, 4), weight=_weight, stop=workshop.tools.stop)


@contextmanager
def _reasoned(cases: Iterable[_Case]) -> Iterator[None]:
    """Turn what cannot be done into the reason of the cases it concerns; an interrupted run stays one."""
    try:
        yield
    except (Stopped, Cancelled):
        raise
    except (FactoryError, NotInferable) as error:
        for case in cases:
            case.reason = str(error)
            case.is_legible = not isinstance(error, UnreadableWheel)
            case.is_in_the_wheel = isinstance(error, NotInferable | UnreadableWheel)


def _ask_channel(
    tag: CodexTag, cases: Sequence[_Case], sources: dict[Target, _Source], workshop: AuditWorkshop
) -> None:
    """Bring every release package that some wheel needs, and read what is in it."""
    for case in cases:
        with _reasoned([case]):
            case.target = target_of(case.subject.wheel)
    going = [case for case in cases if not case.reason]
    if not going:
        return
    with _reasoned(going):
        released = workshop.channel.assets(tag)

        def bring(target: Target) -> None:
            concerned = [case for case in going if case.target is target]
            with _reasoned(concerned):
                sources[target] = _source(released, target, workshop)
                for case in concerned:
                    case.source = sources[target]

        targets = sorted({case.target for case in going if case.target is not None})
        in_parallel(bring, targets, jobs=workshop.tools.jobs, weight=lambda _: 1, stop=workshop.tools.stop)


def _source(released: ReleaseAssets, target: Target, workshop: AuditWorkshop) -> _Source:
    asset = released.for_target(target)
    if asset is None:
        raise NotInferable(f"channel {released.channel} has no package of {released.tag} for {target}")
    tools = workshop.tools
    path = tools.downloader.fetch(asset, stop=tools.stop)
    package = source_of(asset, path, tools.store)
    payload = recall_payload(tools.store, asset.digest, target)
    if payload is None:
        with tools.progress.task(f"read {target}"):
            payload = package.scan(target)
        remember_payload(tools.store, asset.digest, payload)
    return _Source(asset=asset, package=package, size_bytes=path.stat().st_size, payload=payload)


def _read_and_infer(case: _Case, files: WheelFiles) -> None:
    if case.source is None:
        return
    reference = case.subject.reference
    with files.open(reference, case.fetched) as (file, size_bytes):
        reader = PublishedReader(file, size_bytes=size_bytes, name=reference.name)
        contents = read_contents(reader, name=reference.name, payload=case.source.payload)
    case.inferred = infer(reference, contents, case.source.payload, case.source.asset)


def _rebuild(tag: CodexTag, cases: Sequence[_Case], workshop: AuditWorkshop, scratch: Path) -> None:
    """Build all inferred recipes, those of one backend version together."""
    versions = sorted({case.inferred.recipe.backend.version for case in cases if case.inferred is not None})
    for version in versions:
        group = [
            case
            for case in cases
            if case.inferred is not None and case.inferred.recipe.backend.version == version
        ]
        with _reasoned(group):
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
            root=tools.store.root / Namespace.DEFLATE, encoder=toolchain.interpreter.deflate.answer
        ),
        stop=tools.stop,
    )


def _build_group(tag: CodexTag, group: Sequence[_Case], builder: AssemblingBuilder, scratch: Path) -> None:
    """Build a group at once; if that fails, target by target: one package spoils no other's wheels."""
    try:
        _build_cases(tag, group, builder, scratch / "all")
    except (Stopped, Cancelled):
        raise
    except FactoryError:
        for target in sorted({case.target for case in group if case.target is not None}):
            concerned = [case for case in group if case.target is target]
            with _reasoned(concerned):
                _build_cases(tag, concerned, builder, scratch / target)


def _build_cases(tag: CodexTag, cases: Sequence[_Case], builder: AssemblingBuilder, scratch: Path) -> None:
    by_target: dict[Target, list[_Case]] = {}
    for case in cases:
        if case.target is not None:
            by_target.setdefault(case.target, []).append(case)
    packages = [_package(fed) for fed in by_target.values()]
    built = builder.build(packages, tag=tag, scratch=scratch)
    for fed, package in zip(by_target.values(), built, strict=True):
        for case, wheel in zip(fed, package.wheels, strict=True):
            case.rebuilt = wheel


def _package(fed: Sequence[_Case]) -> Package:
    sources = [case.source for case in fed if case.source is not None]
    return Package(
        asset=sources[0].asset,
        source=sources[0].package,
        size_bytes=sources[0].size_bytes,
        payload=sources[0].payload,
        recipes=tuple(case.inferred.recipe for case in fed if case.inferred is not None),
    )


def _conclude(case: _Case, sources: Sequence[_Source], files: WheelFiles, scratch: Path) -> Verdict:
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
        with _reasoned([case]), _dropped(case.rebuilt):
            return judge(judged, files, scratch)
    if case.is_in_the_wheel and case.source is not None:
        with suppress(UpstreamError, IntegrityError):
            return look_at(judged, case.reason, files, scratch)
    return judged.not_rebuilt(case.reason)


@contextmanager
def _dropped(rebuilt: LaidOutWheel | None) -> Iterator[None]:
    """Remove a rebuilt wheel once it is judged: a release's wheels are a gigabyte together."""
    yield
    if rebuilt is not None:
        rebuilt.wheel.path.unlink(missing_ok=True)
