"""Published wheels on their way to a recipe: which package feeds them, and what can be inferred.

Each step is done for every wheel; what goes wrong with one is that wheel's reason, and the
rest goes on.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from factory.audit.index import PublishedWheel
from factory.audit.infer import Inferred, infer, read_contents, target_of
from factory.audit.project_file import NotInferable
from factory.audit.published import PublishedReader, UnreadableWheel
from factory.audit.remote_zip import Fetched
from factory.audit.wheel_file import WheelFiles
from factory.build.builder import LaidOutWheel
from factory.core.errors import FactoryError
from factory.core.model import Payload, ReleaseAsset, ReleaseAssets
from factory.core.tags import CodexTag
from factory.core.targets import Target
from factory.release.channels import Channel
from factory.release.payload import PackageSource
from factory.release.payload_cache import load_payload, save_payload
from factory.system.cache import Cancelled
from factory.system.parallel import Stopped, in_parallel
from factory.wheels.context import RunContext
from factory.wheels.run import source_of

CACHE_LIMIT_BYTES = 8_000_000_000
"""A release has 1 GB of packages; a history has 25."""


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
        cache_limit_bytes: How much of the packages, and of their deflated contents, stays after each release.
    """

    tools: RunContext
    channel: Channel
    scratch: Path
    cache_limit_bytes: int = CACHE_LIMIT_BYTES


@dataclass(slots=True, kw_only=True)
class Case:
    """One subject on its way to its verdict; a reason ends the way.

    Attributes:
        is_legible: Whether the wheel could be read as one.
        is_in_the_wheel: Whether the reason is in the wheel itself, so that reading it whole tells more.
    """

    subject: Subject
    fetched: Fetched = field(default_factory=Fetched)
    target: Target | None = None
    source: "Source | None" = None
    inferred: Inferred | None = None
    rebuilt: LaidOutWheel | None = None
    reason: str = ""
    is_legible: bool = True
    is_in_the_wheel: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A target's release package, read."""

    asset: ReleaseAsset
    package: PackageSource
    size_bytes: int
    payload: Payload


def weight_of(case: Case) -> int:
    """Return how much work a case is, so that the largest begins first."""
    return case.subject.wheel.size_bytes or 0


def each_case(cases: Iterable[Case], action: Callable[[Case], None], workshop: AuditWorkshop) -> None:
    """Do a step for every case that is still on its way."""

    def attempt(case: Case) -> None:
        with reasoned([case]):
            action(case)

    going = [case for case in cases if not case.reason]
    in_parallel(attempt, going, jobs=max(workshop.tools.jobs, 4), weight=weight_of, stop=workshop.tools.stop)


@contextmanager
def reasoned(cases: Iterable[Case]) -> Iterator[None]:
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


def ask_channel(
    tag: CodexTag, cases: Sequence[Case], sources: dict[Target, Source], workshop: AuditWorkshop
) -> None:
    """Bring every release package that some wheel needs, and read what is in it."""
    for case in cases:
        with reasoned([case]):
            case.target = target_of(case.subject.wheel)
    going = [case for case in cases if not case.reason]
    if not going:
        return
    with reasoned(going):
        released = workshop.channel.assets(tag)

        def bring(target: Target) -> None:
            concerned = [case for case in going if case.target is target]
            with reasoned(concerned):
                sources[target] = _read_package(released, target, workshop)
                for case in concerned:
                    case.source = sources[target]

        targets = sorted({case.target for case in going if case.target is not None})
        in_parallel(bring, targets, jobs=workshop.tools.jobs, weight=lambda _: 1, stop=workshop.tools.stop)


def _read_package(released: ReleaseAssets, target: Target, workshop: AuditWorkshop) -> Source:
    asset = released.for_target(target)
    if asset is None:
        raise NotInferable(f"channel {released.channel} has no package of {released.tag} for {target}")
    tools = workshop.tools
    path = tools.downloader.fetch(asset, stop=tools.stop)
    package = source_of(asset, path, tools.cache)
    payload = load_payload(tools.cache, asset.digest, target)
    if payload is None:
        with tools.progress.task(f"read {target}"):
            payload = package.scan(target)
        save_payload(tools.cache, asset.digest, payload)
    return Source(asset=asset, package=package, size_bytes=path.stat().st_size, payload=payload)


def read_and_infer(case: Case, files: WheelFiles) -> None:
    """Read little of a published wheel, and infer its recipe from that.

    Raises:
        NotInferable: Something cannot be told from the wheel.
        FactoryError: It cannot be had or read.
    """
    if case.source is None:
        return
    reference = case.subject.reference
    with files.open(reference, case.fetched) as (file, size_bytes):
        reader = PublishedReader(file, size_bytes=size_bytes, name=reference.name)
        contents = read_contents(reader, name=reference.name, payload=case.source.payload)
    case.inferred = infer(reference, contents, case.source.payload, case.source.asset)
