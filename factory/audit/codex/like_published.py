"""Plan the wheels of an index for the factory's own pipeline, with the recipes inferred from them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from factory.audit.audited import AuditedWheel, NotRebuilt
from factory.audit.codex.packages import read_packages
from factory.audit.codex.recipes import InferredWheel, infer_recipes
from factory.audit.context import AuditContext
from factory.audit.index import Listing, PublishedWheel
from factory.audit.projects.mapping import ProjectMapping
from factory.audit.selection import Selection
from factory.audit.wheel_file import WheelFiles
from factory.build.builder import PlannedWheel
from factory.core.errors import UpstreamError, UsageError
from factory.core.tags import CodexTag
from factory.manifest.dist import Dist
from factory.wheels.plan import WheelsPlan, WheelsRequest


def plan_like_published(
    request: WheelsRequest,
    listing: Listing,
    context: AuditContext,
    mapping: ProjectMapping,
    *,
    platforms: Sequence[str],
) -> WheelsPlan:
    """Infer the recipes of a release's published wheels, and plan to build the same bytes.

    The wheels go to their own directory: a manifest never mixes our recipes with upstream's.

    Args:
        request: What to build; its platforms are ignored, since published platform tags may differ from ours.
        listing: The wheels of the index.
        context: The objects that the steps of an audit use.
        mapping: The mapping of Codex.
        platforms: Published platform tags; all if empty.

    Raises:
        UpstreamError: The index has no such wheel, or a recipe cannot be inferred.
        UsageError: Several versions of the backend built the wheels.
        FactoryError: The channel or the index does not answer.
    """
    wheels = [
        AuditedWheel(wheel=wheel, reference=wheel) for wheel in _chosen(request.tag, listing, platforms)
    ]
    released = context.channel.assets(request.tag)
    packages = read_packages(request.tag, wheels, context, mapping)
    with TemporaryDirectory(prefix="like-", dir=context.scratch) as directory:
        files = WheelFiles(tools=context.tools, scratch=Path(directory))
        planned = tuple(
            _planned(request.tag, wheel) for wheel in infer_recipes(wheels, packages, files, context)
        )
    _require_one_backend(request.tag, planned)
    return WheelsPlan(
        request=replace(request, platforms=None),
        released=released,
        wheels=planned,
        not_released=(),
        dist=Dist(directory=request.out / f"{request.tag.pep440}-as-published"),
    )


def _chosen(tag: CodexTag, listing: Listing, platforms: Sequence[str]) -> list[PublishedWheel]:
    of_release = [wheel for wheel in listing.wheels if wheel.version == tag.pep440]
    listed = {wheel.platform for wheel in of_release}
    for file in Selection(tags=(tag,), platforms=tuple(platforms) or None).unexpected_of(listing):
        raise UpstreamError(
            f"{file.name} cannot be rebuilt: {file.reason}",
            hint="Name other platforms with --platform, or ask another index with --index-url.",
        )
    missing = [platform for platform in platforms if platform not in listed]
    if missing or not of_release:
        raise UpstreamError(
            f"the index has no wheel of {tag}" + (f" for {', '.join(missing)}" if missing else ""),
            hint="See what 'factory audit CODEX_TAG' lists, or build without --like-published.",
        )
    return [wheel for wheel in of_release if not platforms or wheel.platform in platforms]


def _planned(tag: CodexTag, wheel: InferredWheel | NotRebuilt) -> PlannedWheel:
    published = wheel.audited.wheel
    if isinstance(wheel, NotRebuilt):
        raise UpstreamError(
            f"{published.name} cannot be rebuilt: {wheel.failure.reason}",
            hint="Leave its platform out; 'factory audit' says what its contents prove.",
        )
    return PlannedWheel(
        tag=tag,
        asset=wheel.package.asset,
        recipe=wheel.inferred.recipe,
        promised=published.sha256,
    )


def _require_one_backend(tag: CodexTag, wheels: Sequence[PlannedWheel]) -> None:
    """Refuse wheels of several backends, since one run has one toolchain."""
    by_backend: dict[str, list[str]] = {}
    for wheel in wheels:
        by_backend.setdefault(wheel.recipe.backend.requirement, []).append(wheel.recipe.platform.tag)
    if len(by_backend) > 1:
        listed = "; ".join(f"{backend}: {', '.join(tags)}" for backend, tags in sorted(by_backend.items()))
        raise UsageError(
            f"several backends built the published wheels of {tag}: {listed}",
            hint="Name the platforms of one backend with --platform, and run once for each backend.",
        )
