"""What a built wheel is judged by: what it must hold, and what its executables' standings rest on."""

from factory.builders.package import LaidOutWheel
from factory.planning import WheelsPlan
from factory.template import PACKAGE
from factory.trust.policy import TrustPolicy
from factory.verify.contents import ExpectedFile, ExpectedWheel


def expected_wheel(plan: WheelsPlan, laid_out: LaidOutWheel) -> ExpectedWheel:
    """Say what a wheel must hold, from the channel's bytes and not from the wheel."""
    platform = laid_out.recipe.platform
    asset = plan.released.for_target(platform.target)
    return ExpectedWheel(
        tag=plan.order.tag,
        platform=platform,
        payload=tuple(
            ExpectedFile(name=f"{PACKAGE}/{member.path}", sha256=member.file.sha256)
            for member in laid_out.layout.members
        ),
        left_out=tuple(f"{PACKAGE}/{left_out.file.path}" for left_out in laid_out.layout.left_out),
        asset="" if asset is None else asset.purl,
    )


def trust_policy(plan: WheelsPlan, laid_out: LaidOutWheel) -> TrustPolicy:
    """Say what standings rest on: signatures beside the executables go by target and file name."""
    target = laid_out.recipe.platform.target
    beside = {bundle.program: bundle.content for bundle in plan.released.bundles if bundle.target is target}
    return TrustPolicy(
        required=plan.order.required_authorship,
        bundles={
            member.file.sha256: beside[member.file.path.name]
            for member in laid_out.layout.members
            if member.file.path.name in beside
        },
    )
