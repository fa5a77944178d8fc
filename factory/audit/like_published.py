"""Plan published wheels anew: the factory's pipeline, with the recipes that an index's wheels show."""

from collections.abc import Sequence
from dataclasses import replace
from tempfile import TemporaryDirectory

from factory.audit.cases import AuditWorkshop, Case, Source, Subject, ask_channel, each_case, read_and_infer
from factory.audit.index import Listing, PublishedWheel
from factory.audit.wheel_file import WheelFiles
from factory.core.errors import UpstreamError, UsageError
from factory.core.tags import CodexTag
from factory.core.targets import Target
from factory.manifest.dist import Dist
from factory.wheels.plan import PlannedWheel, WheelsPlan, WheelsRequest


class NotPublished(UpstreamError):
    """The index has no wheel of what was asked for."""

    hint = "Look at what 'factory audit CODEX_TAG' lists; without --like-published any release can be built."

    def __init__(self, tag: CodexTag, platforms: Sequence[str]) -> None:
        asked = f" for {', '.join(platforms)}" if platforms else ""
        super().__init__(f"the index has no wheel of {tag}{asked}")


class NoRecipe(UpstreamError):
    """How a published wheel was made cannot be told, or its payload is not to be had."""

    hint = "Leave its platform out, or run 'factory audit' to see what is known of it."

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name} cannot be made again: {reason}")


class SeveralBackends(UsageError):
    """The wheels of a release were made by different backends, and a run has one toolchain."""

    hint = "Name platforms of one backend with --platform, once for each."

    def __init__(self, tag: CodexTag, made_by: dict[str, list[str]]) -> None:
        told = "; ".join(f"{backend}: {', '.join(names)}" for backend, names in sorted(made_by.items()))
        super().__init__(f"the published wheels of {tag} were made by several backends: {told}")


def plan_like_published(
    request: WheelsRequest, listing: Listing, workshop: AuditWorkshop, *, platforms: Sequence[str]
) -> WheelsPlan:
    """Infer the recipes of a release's published wheels and plan to make the very same bytes.

    They go to a directory of their own: a manifest never mixes our choices with upstream's.

    Args:
        request: What to make; its platforms are not looked at, since published tags may be other
            ones than ours.
        listing: What the index has.
        workshop: What an inference works with.
        platforms: Published platform tags; none for all.

    Raises:
        NotPublished: The index has no such wheel.
        NoRecipe: A recipe cannot be inferred.
        SeveralBackends: They were not made by one version of the backend.
        FactoryError: The channel or the index cannot be asked.
    """
    published = _chosen(request.tag, listing, platforms)
    released = workshop.channel.assets(request.tag)
    cases = [Case(subject=Subject(wheel=wheel, reference=wheel)) for wheel in published]
    sources: dict[Target, Source] = {}
    ask_channel(request.tag, cases, sources, workshop)
    with TemporaryDirectory(prefix="like-", dir=workshop.scratch) as directory:
        files = WheelFiles(tools=workshop.tools, scratch=workshop.scratch / directory)
        each_case(cases, lambda case: read_and_infer(case, files), workshop)
    wheels = tuple(_planned(case) for case in cases)
    _require_one_backend(request.tag, wheels)
    return WheelsPlan(
        request=replace(request, platforms=None),
        released=released,
        wheels=wheels,
        not_released=(),
        dist=Dist(directory=request.out / f"{request.tag.pep440}-as-published"),
    )


def _chosen(tag: CodexTag, listing: Listing, platforms: Sequence[str]) -> list[PublishedWheel]:
    of_release = [wheel for wheel in listing.wheels if wheel.tag == tag]
    there = {wheel.platform for wheel in of_release}
    absent = [platform for platform in platforms if platform not in there]
    if absent or not of_release:
        raise NotPublished(tag, absent)
    return [wheel for wheel in of_release if not platforms or wheel.platform in platforms]


def _planned(case: Case) -> PlannedWheel:
    wheel = case.subject.wheel
    if case.inferred is None or case.source is None:
        raise NoRecipe(wheel.name, case.reason)
    return PlannedWheel(asset=case.source.asset, recipe=case.inferred.recipe, promised=wheel.sha256)


def _require_one_backend(tag: CodexTag, wheels: Sequence[PlannedWheel]) -> None:
    made_by: dict[str, list[str]] = {}
    for wheel in wheels:
        made_by.setdefault(wheel.recipe.backend.requirement, []).append(wheel.recipe.platform.tag)
    if len(made_by) > 1:
        raise SeveralBackends(tag, made_by)
