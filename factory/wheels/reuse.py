"""Find the wheels of an earlier run that this run does not have to build again."""

from collections.abc import Sequence
from dataclasses import replace

from factory import __version__
from factory.build.builder import PlannedWheel
from factory.executables.signatures.signers import without_authorship
from factory.manifest.manifest import Manifest, ToolchainRecord, WheelRecord
from factory.verify.checks.registry import CHECKS
from factory.verify.waivers import Waiver, apply_waivers, require_used
from factory.wheels.context import RunContext
from factory.wheels.own_records import is_own_record
from factory.wheels.plan import WheelsPlan, WheelsRequest


def find_reusable(
    plan: WheelsPlan, earlier: Manifest | None, toolchain: ToolchainRecord, context: RunContext
) -> tuple[WheelRecord, ...]:
    """Return the earlier wheels that are undamaged and that this run would build with the same bytes.

    Wheels for platforms that this run does not build are kept, too, if they are from the same
    channel and toolchain: the new manifest lists the wheels of both runs.
    """
    if earlier is None or plan.request.is_fresh or plan.request.is_engine_checked:
        return ()
    if not _is_same_setup(plan, earlier, toolchain):
        return ()
    planned = {wheel.platform.tag: wheel for wheel in plan.wheels}
    current = [
        record
        for record in earlier.wheels
        if is_own_record(context.cache, record)
        and _is_acceptable(record, plan.request)
        and (record.platform not in planned or _is_current(record, planned[record.platform]))
    ]
    return plan.dist.intact_wheels(current, jobs=context.jobs)


def _is_same_setup(plan: WheelsPlan, earlier: Manifest, toolchain: ToolchainRecord) -> bool:
    """Return whether release, channel, factory and toolchain are the same.

    The reason for the choice of a builder is ignored: it does not change the wheels.
    """
    return (
        earlier.tag == plan.request.tag
        and earlier.channel == plan.released.channel
        and earlier.factory_version == __version__
        and replace(earlier.toolchain, reason="", encoder="") == replace(toolchain, reason="", encoder="")
    )


def _is_current(record: WheelRecord, planned: PlannedWheel) -> bool:
    """Return whether a wheel has the planned recipe and payload, and passed the checks of today."""
    return (
        record.recipe == planned.recipe.identity
        and record.asset == planned.asset.digest
        and record.checks == tuple(check.id for check in CHECKS)
    )


def _is_acceptable(record: WheelRecord, request: WheelsRequest) -> bool:
    """Return whether a wheel satisfies the requested authorship, and has the same findings waived."""
    if request.required_authorship.covers((record.platform,)) and without_authorship(record.assessments):
        return False
    return set(apply_waivers(record.all_findings, request.waivers).waived) == set(record.waived)


def require_used_waivers(waivers: Sequence[Waiver], wheels: Sequence[WheelRecord]) -> None:
    """Refuse waivers that match no finding of any wheel.

    Raises:
        UsageError: A waiver matches no finding.
    """
    found = [finding for wheel in wheels for finding in wheel.all_findings]
    require_used(apply_waivers(found, waivers).unused)
