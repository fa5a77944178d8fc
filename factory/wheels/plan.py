"""What a run will do, decided before any download and any build."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from factory.build.builder import BuilderName, Engine, PlannedWheel
from factory.build.recipe import our_recipe
from factory.build.template import bundled_template
from factory.build.toolchain import Lock, lock_for
from factory.core.errors import UpstreamError
from factory.core.model import ReleaseAssets
from factory.core.tags import CodexTag
from factory.core.targets import PLATFORMS, Platform
from factory.executables.signatures.requirement import Requirement
from factory.manifest.dist import Dist
from factory.manifest.manifest import WheelRecord
from factory.release.channels import Channel

if TYPE_CHECKING:
    from factory.verify.waivers import Waiver


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelsRequest:
    """What the user asked for.

    Attributes:
        platforms: None for every platform that the release has a package for.
        out: The parent of the release's output directory.
        engine: None for the default engine of the builder.
        is_engine_checked: Build with the other engine, too, and compare the bytes.
        is_fresh: Build wheels that exist already, and compress every file again.
        required_authorship: The platforms for which the signer of every executable must be verified.
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
class WheelsPlan:
    """The wheels to build, and where they go.

    Attributes:
        not_released: The platforms whose target has no package in the release.
    """

    request: WheelsRequest
    released: ReleaseAssets
    wheels: tuple[PlannedWheel, ...]
    not_released: tuple[Platform, ...]
    dist: Dist

    @property
    def lock(self) -> Lock:
        """The lock of the build backend, which is the same for all wheels of a plan."""
        return lock_for(self.wheels[0].recipe.backend.version)

    def without(self, records: Iterable[WheelRecord]) -> tuple[PlannedWheel, ...]:
        """Return the planned wheels for platforms that have no record."""
        recorded = {record.platform for record in records}
        return tuple(wheel for wheel in self.wheels if wheel.platform.tag not in recorded)


def plan_wheels(request: WheelsRequest, channel: Channel) -> WheelsPlan:
    """Ask the channel for the packages of a release, and plan a wheel for each requested platform.

    Raises:
        UpstreamError: The channel does not have the release, or no package of it for a platform that
            was requested by name.
    """
    released = channel.assets(request.tag)
    template = bundled_template()
    wheels: list[PlannedWheel] = []
    not_released: list[Platform] = []
    for platform in request.platforms or PLATFORMS:
        asset = released.for_target(platform.target)
        if asset is not None:
            recipe = our_recipe(platform, template=template)
            wheels.append(PlannedWheel(tag=request.tag, asset=asset, recipe=recipe))
        elif request.platforms is not None:
            raise _target_not_released(platform, released)
        else:
            not_released.append(platform)
    return WheelsPlan(
        request=request,
        released=released,
        wheels=tuple(wheels),
        not_released=tuple(not_released),
        dist=Dist(directory=request.out / request.tag.pep440),
    )


def _target_not_released(platform: Platform, released: ReleaseAssets) -> UpstreamError:
    return UpstreamError(
        f"channel {released.channel} has no package of {released.tag} for {platform.target},"
        f" which {platform} needs",
        hint=f"It has {', '.join(asset.target.value for asset in released.assets)}."
        " Leave the platform out, or try another channel.",
    )
