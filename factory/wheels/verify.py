"""Verify the wheels of a run before any of them is published."""

from collections.abc import Sequence
from pathlib import Path

from factory.build.builder import BuiltWheel
from factory.core.errors import VerificationError
from factory.executables.signatures.policy import TrustPolicy
from factory.system.parallel import in_parallel
from factory.verify.inspection import VerifiedWheel, WheelRejected, verify
from factory.verify.reading.read import own_scratch
from factory.wheels.context import RunContext
from factory.wheels.plan import WheelsPlan


def verify_wheels(
    built: Sequence[BuiltWheel], plan: WheelsPlan, context: RunContext, scratch: Path
) -> tuple[VerifiedWheel, ...]:
    """Verify every wheel, and report the errors of all of them together.

    Raises:
        VerificationError: A wheel has an error finding that no waiver matches.
    """

    def attempt(wheel: BuiltWheel) -> VerifiedWheel | WheelRejected:
        platform = wheel.planned.platform
        with (
            context.progress.task(f"verify {platform}"),
            own_scratch(scratch, prefix=f"verify-{platform}-") as unpacked,
        ):
            try:
                return verify(
                    wheel,
                    scratch=unpacked,
                    waivers=plan.request.waivers,
                    stock_tools=context.stock_tools,
                    trust=_trust_policy(wheel, plan),
                )
            except WheelRejected as rejection:
                return rejection

    results = in_parallel(
        attempt,
        built,
        jobs=context.jobs,
        weight=lambda wheel: wheel.file.size_bytes,
        stop=context.stop,
    )
    rejected = [result for result in results if isinstance(result, WheelRejected)]
    if rejected:
        raise VerificationError("\n".join(map(str, rejected)), hint=WheelRejected.hint)
    return tuple(result for result in results if isinstance(result, VerifiedWheel))


def _trust_policy(wheel: BuiltWheel, plan: WheelsPlan) -> TrustPolicy:
    """Return the policy for a wheel's executables, with the signature bundles that the channel has for them.

    A bundle belongs to an executable by target and file name.
    """
    target = wheel.planned.platform.target
    bundles = {bundle.program: bundle.content for bundle in plan.released.bundles if bundle.target is target}
    return TrustPolicy(
        required=plan.request.required_authorship,
        bundles={
            member.file.sha256: bundles[member.file.path.name]
            for member in wheel.layout.members
            if member.file.path.name in bundles
        },
    )
