"""Judge the wheels of a run, all of them, before one is published."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from factory.build.builder import BuiltPackage, LaidOutWheel
from factory.build.template import PACKAGE
from factory.core.errors import VerificationError
from factory.core.model import VerifiedWheel
from factory.executables.signatures.policy import TrustPolicy
from factory.system.files import writing
from factory.system.parallel import in_parallel
from factory.verify.inspection import WheelRejected, verify
from factory.verify.reading.contents import ExpectedFile, ExpectedWheel
from factory.wheels.context import RunContext
from factory.wheels.plan import WheelsPlan


class WheelsRejected(VerificationError):
    """Some built wheels have error findings; nothing of the run is published."""

    hint = WheelRejected.hint

    def __init__(self, rejected: Sequence[WheelRejected]) -> None:
        super().__init__("\n".join(str(rejection) for rejection in rejected))
        self.rejected = tuple(rejected)


def verify_wheels(
    plan: WheelsPlan, built: Sequence[BuiltPackage], context: RunContext, scratch: Path
) -> tuple[VerifiedWheel, ...]:
    """Judge every wheel; what is wrong with all of them is told at once.

    Raises:
        WheelsRejected: A wheel has an error finding.
    """

    def judge(laid_out: LaidOutWheel) -> VerifiedWheel | WheelRejected:
        unpacked = scratch / f"verify-{laid_out.wheel.platform}"
        with context.progress.task(f"verify {laid_out.wheel.platform}"), _own_directory(unpacked):
            try:
                return verify(
                    laid_out.wheel,
                    expected=_expected(plan, laid_out),
                    scratch=unpacked,
                    waivers=plan.request.waivers,
                    stock_tools=context.stock_tools,
                    trust=_trust_policy(plan, laid_out),
                )
            except WheelRejected as rejection:
                return rejection

    verdicts = in_parallel(
        judge,
        [laid_out for package in built for laid_out in package.wheels],
        jobs=context.jobs,
        weight=lambda laid_out: laid_out.wheel.size_bytes,
        stop=context.stop,
    )
    rejected = [verdict for verdict in verdicts if isinstance(verdict, WheelRejected)]
    if rejected:
        raise WheelsRejected(rejected)
    return tuple(verdict for verdict in verdicts if isinstance(verdict, VerifiedWheel))


@contextmanager
def _own_directory(path: Path) -> Iterator[None]:
    """Make a directory and remove it: a wheel's unpacked executables go before the next wheel's come."""
    with writing(path):
        path.mkdir()
    try:
        yield
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _expected(plan: WheelsPlan, laid_out: LaidOutWheel) -> ExpectedWheel:
    """Say what a wheel must hold, from the channel's bytes and not from the wheel."""
    platform = laid_out.recipe.platform
    asset = plan.released.for_target(platform.target)
    return ExpectedWheel(
        tag=plan.request.tag,
        platform=platform,
        payload=tuple(
            ExpectedFile(name=f"{PACKAGE}/{member.path}", sha256=member.file.sha256)
            for member in laid_out.layout.members
        ),
        left_out=tuple(f"{PACKAGE}/{left_out.file.path}" for left_out in laid_out.layout.left_out),
        asset="" if asset is None else asset.purl,
    )


def _trust_policy(plan: WheelsPlan, laid_out: LaidOutWheel) -> TrustPolicy:
    """Say what assessments rest on: signatures beside the executables go by target and file name."""
    target = laid_out.recipe.platform.target
    beside = {bundle.program: bundle.content for bundle in plan.released.bundles if bundle.target is target}
    return TrustPolicy(
        required=plan.request.required_authorship,
        bundles={
            member.file.sha256: beside[member.file.path.name]
            for member in laid_out.layout.members
            if member.file.path.name in beside
        },
    )
