"""What of an earlier run stands: wheels that need not be made again, and the evidence about them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from factory import __version__
from factory.core.digests import Sha256
from factory.executables.signatures.signers import without_authorship
from factory.manifest.acceptance import Acceptance
from factory.manifest.manifest import Manifest, ToolchainRecord, WheelRecord
from factory.verify.checks.registry import CHECKS
from factory.verify.waivers import Waiver, apply_waivers, require_used
from factory.wheels.plan import PlannedWheel, WheelsPlan, WheelsRequest


def keep(
    plan: WheelsPlan, earlier: Manifest | None, toolchain: ToolchainRecord, *, jobs: int
) -> tuple[WheelRecord, ...]:
    """Return the wheels of an earlier run that are whole and that this run would make again.

    Wheels of platforms that were not asked for stay, too, where the same toolchain made
    them from the same channel: a manifest has one of each.
    """
    if earlier is None or plan.request.is_fresh or plan.request.is_engine_checked:
        return ()
    same = (earlier.tag, earlier.channel, earlier.factory_version, replace(earlier.toolchain, reason=""))
    if same != (plan.request.tag, plan.released.channel, __version__, replace(toolchain, reason="")):
        return ()
    planned = {wheel.recipe.platform.tag: wheel for wheel in plan.wheels}
    current = [
        record
        for record in earlier.wheels
        if _stands(record, plan.request)
        and (record.platform not in planned or _is_current(record, planned[record.platform]))
    ]
    return plan.dist.intact_wheels(current, jobs=jobs)


def _is_current(record: WheelRecord, planned: PlannedWheel) -> bool:
    return (
        record.recipe == planned.recipe.identity
        and record.asset == planned.asset.digest
        and record.checks == tuple(check.id for check in CHECKS)
    )


def _stands(record: WheelRecord, request: WheelsRequest) -> bool:
    """Whether today's waivers leave of a wheel's findings what the record says, and no author is missing."""
    if request.required_authorship.covers((record.platform,)) and without_authorship(record.assessments):
        return False
    now = apply_waivers(record.all_findings, request.waivers)
    return (set(now.remaining), set(now.waived)) == (set(record.findings), set(record.waived))


def require_used_waivers(waivers: Sequence[Waiver], wheels: Sequence[WheelRecord]) -> None:
    """Refuse waivers that accept nothing of any wheel.

    Raises:
        UnusedWaiver: There are some.
    """
    found = [finding for wheel in wheels for finding in wheel.all_findings]
    require_used(apply_waivers(found, waivers).unused)


def missing_of(plan: WheelsPlan, kept: Sequence[WheelRecord]) -> tuple[PlannedWheel, ...]:
    """Return what is planned and was not kept."""
    there = {record.platform for record in kept}
    return tuple(wheel for wheel in plan.wheels if wheel.recipe.platform.tag not in there)


def evidence_of(earlier: Manifest | None) -> Mapping[Sha256, Acceptance]:
    """Return what is known of wheels by their bytes: it holds for a wheel that was made again."""
    wheels = () if earlier is None else earlier.wheels
    return {wheel.sha256: wheel.acceptance for wheel in wheels if wheel.acceptance is not None}
