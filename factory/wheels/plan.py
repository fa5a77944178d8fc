"""What a run will do, decided before anything is fetched or started."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from factory.build.builder import BuilderName, Engine
from factory.build.recipe import Recipe, our_recipe
from factory.build.template import bundled_template, wheel_name
from factory.core.digests import Sha256
from factory.core.errors import UpstreamError
from factory.core.model import ReleaseAsset, ReleaseAssets
from factory.core.tags import CodexTag
from factory.core.targets import PLATFORMS, Platform, targets_of
from factory.executables.signatures.requirement import Requirement
from factory.manifest.dist import Dist
from factory.release.channels import Channel

if TYPE_CHECKING:
    from factory.verify.waivers import Waiver


class TargetNotReleased(UpstreamError):
    """A release has no package for a platform that was asked for."""

    def __init__(self, tag: CodexTag, platform: Platform, released: ReleaseAssets) -> None:
        there = ", ".join(asset.target.value for asset in released.assets)
        super().__init__(
            f"channel {released.channel} has no package of {tag} for {platform.target}: none for {platform}",
            hint=f"It has {there}. Leave the platform out, or try another channel.",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelsRequest:
    """What a run shall make.

    Attributes:
        tag: The release.
        platforms: Which wheels; None for all that the release has packages for.
        out: Below it the release's directory is made.
        engine: What lays wheels out; None leaves it to the builder.
        builder: Where the backend runs.
        is_engine_checked: Build with the other engine as well and compare.
        is_fresh: Build again what is there, and compress everything anew.
        waivers: Findings that do not keep a wheel from being verified.
        required_authorship: Of which platforms every executable's author must be proved.
    """

    tag: CodexTag
    platforms: tuple[Platform, ...] | None
    out: Path
    engine: Engine | None = None
    builder: BuilderName = BuilderName.NATIVE
    is_engine_checked: bool = False
    is_fresh: bool = False
    waivers: "tuple[Waiver, ...]" = ()
    required_authorship: Requirement = field(default_factory=Requirement)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedWheel:
    """A wheel to be made.

    Attributes:
        asset: From which release asset.
        recipe: By which recipe.
        promised: The digest that must come out, where a published wheel is made again.
    """

    asset: ReleaseAsset
    recipe: Recipe
    promised: Sha256 | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelsPlan:
    """What a run will do, before anything is fetched or started.

    Attributes:
        request: What was asked for.
        released: What the channel has.
        wheels: What will be made.
        not_released: Platforms whose target the release has no package for.
        dist: Where the wheels go.
    """

    request: WheelsRequest
    released: ReleaseAssets
    wheels: tuple[PlannedWheel, ...]
    not_released: tuple[Platform, ...]
    dist: Dist

    @property
    def assets(self) -> tuple[ReleaseAsset, ...]:
        """The assets that are needed, one a target."""
        needed = targets_of(planned.recipe.platform for planned in self.wheels)
        return tuple(asset for asset in self.released.assets if asset.target in needed)

    def wheel_name(self, planned: PlannedWheel) -> str:
        """Return the file name that a planned wheel will have."""
        return wheel_name(self.request.tag, planned.recipe.platform)


def plan_wheels(request: WheelsRequest, channel: Channel) -> WheelsPlan:
    """Ask the channel what a release has and decide what to make of it.

    Raises:
        UnknownRelease: The channel does not have the release.
        TargetNotReleased: It has no package for a platform that was asked for by name.
    """
    released = channel.assets(request.tag)
    template = bundled_template()
    wheels: list[PlannedWheel] = []
    not_released: list[Platform] = []
    for platform in request.platforms or PLATFORMS:
        asset = released.for_target(platform.target)
        if asset is not None:
            wheels.append(PlannedWheel(asset=asset, recipe=our_recipe(platform, template=template)))
        elif request.platforms is not None:
            raise TargetNotReleased(request.tag, platform, released)
        else:
            not_released.append(platform)
    return WheelsPlan(
        request=request,
        released=released,
        wheels=tuple(wheels),
        not_released=tuple(not_released),
        dist=Dist(directory=request.out / request.tag.pep440),
    )
