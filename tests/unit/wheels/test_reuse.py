"""Which wheels of an earlier run are reused: each condition alone decides in one of these tests."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from factory import __version__
from factory.core.digests import Digest, Sha256
from factory.core.errors import UsageError
from factory.core.model import ChannelName, Finding, Severity, WaivedFinding
from factory.core.tags import CodexTag
from factory.core.targets import Platform, Target
from factory.core.trust_level import Level, Scheme, Signature, Signer, TrustAssessment
from factory.executables.signatures.requirement import Requirement
from factory.manifest.acceptance import Acceptance, SdkIdentity
from factory.manifest.dist import Dist
from factory.manifest.manifest import Manifest, MemberRecord, ToolchainRecord, WheelRecord
from factory.release.channels.directory import DirectoryChannel
from factory.verify.checks.registry import CHECKS
from factory.verify.waivers import Waiver
from factory.wheels.own_records import remember_record
from factory.wheels.plan import WheelsPlan, WheelsRequest, plan_wheels
from factory.wheels.reuse import find_reusable, require_used_waivers
from tests.packages import TAG, release_directory
from tests.runs import run_context

PLANNED, OTHER = "win_arm64", "win_amd64"
"""This run builds the first wheel, and an earlier run built both."""

TOOLCHAIN = ToolchainRecord(
    builder="docker",
    reason="asked for",
    image="sha256:1",
    engine="backend",
    python="CPython 3.11.2",
    deflate="zlib 1.2.13",
    deflate_answer=Sha256("1" * 64),
    lock=Sha256("2" * 64),
    packages={"hatchling": "1.33.0"},
)
FINDING = Finding(
    check="package-typed", severity=Severity.NOTE, place="codex_cli_bin", evidence="none", remedy="add it"
)
WAIVER = Waiver(check="package-typed", pattern="*", reason="accepted")
WAIVED = WaivedFinding(finding=FINDING, pattern="*", reason="accepted")
SIGNED = TrustAssessment(
    place="codex_cli_bin/bin/codex.exe",
    sha256=Sha256("5" * 64),
    level=Level.AUTHORSHIP_VERIFIED,
    reason="verified",
    signature=Signature(
        scheme=Scheme.AUTHENTICODE,
        signer=Signer(
            name="OpenAI OpCo, LLC",
            organization="OpenAI OpCo, LLC",
            identifier="1.3.6.1.4.1.311.97.34411380.685553541.718322805.135574919",
            root="Microsoft",
        ),
        signed_at=None,
    ),
)
UNSIGNED = replace(SIGNED, level=Level.INTEGRITY_ONLY, signature=None)


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    targets = (Target.WINDOWS_AARCH64, Target.WINDOWS_X86_64)
    return release_directory(tmp_path_factory.mktemp("release") / "packages", targets=targets)


@pytest.fixture
def plan(packages: Path, tmp_path: Path) -> WheelsPlan:
    request = WheelsRequest(tag=TAG, platforms=(Platform.parse(PLANNED),), out=tmp_path / "dist")
    return plan_wheels(request, DirectoryChannel(packages))


@pytest.fixture
def earlier(plan: WheelsPlan) -> Manifest:
    """Return the manifest of an earlier run, and write files in place of its wheels."""
    (planned,) = plan.wheels
    plan.dist.directory.mkdir(parents=True)
    wheels = []
    for platform in (PLANNED, OTHER):
        content = platform.encode()
        (plan.dist.directory / f"{platform}.whl").write_bytes(content)
        wheels.append(
            WheelRecord(
                name=f"{platform}.whl",
                platform=platform,
                size_bytes=len(content),
                sha256=Sha256.of([content]),
                recipe=planned.recipe.identity,
                asset=planned.asset.digest,
                payload=(),
                left_out=(),
                checks=tuple(check.id for check in CHECKS),
                findings=(),
            )
        )
    return Manifest(
        tag=TAG,
        channel=ChannelName.DIRECTORY,
        factory_version=__version__,
        assets=(),
        toolchain=TOOLCHAIN,
        wheels=tuple(wheels),
    )


def changed(manifest: Manifest, change: Callable[[WheelRecord], WheelRecord]) -> Manifest:
    """Return a manifest with a change of every wheel."""
    return replace(manifest, wheels=tuple(change(wheel) for wheel in manifest.wheels))


def reused(plan: WheelsPlan, earlier: Manifest | None, toolchain: ToolchainRecord = TOOLCHAIN) -> list[str]:
    """Return the platforms of the reused wheels if this factory wrote all records of the manifest."""
    context = run_context(plan.dist.directory.parent / "cache")
    for record in earlier.wheels if earlier else ():
        remember_record(context.cache, record)
    return [wheel.platform for wheel in find_reusable(plan, earlier, toolchain, context)]


def waiving(plan: WheelsPlan, waiver: Waiver) -> WheelsPlan:
    return replace(plan, request=replace(plan.request, waivers=(waiver,)))


def requiring(plan: WheelsPlan, authorship: str) -> WheelsPlan:
    required = Requirement.parse(authorship)
    return replace(plan, request=replace(plan.request, required_authorship=required))


def test_a_current_wheel_is_reused_and_so_is_one_for_another_platform(
    plan: WheelsPlan, earlier: Manifest
) -> None:
    assert reused(plan, earlier) == [PLANNED, OTHER]


def test_a_reused_wheel_is_not_missing(plan: WheelsPlan, earlier: Manifest) -> None:
    assert reused(plan, earlier)
    context = run_context(plan.dist.directory.parent / "cache")
    assert plan.without(find_reusable(plan, earlier, TOOLCHAIN, context)) == ()
    assert plan.without(()) == plan.wheels
    assert plan.without(earlier.wheels[1:]) == plan.wheels


def test_a_record_that_this_factory_did_not_write_is_not_reused(plan: WheelsPlan, earlier: Manifest) -> None:
    assert reused(plan, earlier) == [PLANNED, OTHER]
    context = run_context(plan.dist.directory.parent / "cache")
    forged = changed(earlier, lambda wheel: replace(wheel, findings=(FINDING,)))
    assert find_reusable(plan, forged, TOOLCHAIN, context) == ()
    empty = run_context(plan.dist.directory.parent / "empty")
    assert find_reusable(plan, earlier, TOOLCHAIN, empty) == ()


def test_an_acceptance_run_does_not_change_who_wrote_a_record(plan: WheelsPlan, earlier: Manifest) -> None:
    assert reused(plan, earlier) == [PLANNED, OTHER]
    context = run_context(plan.dist.directory.parent / "cache")
    sdk = SdkIdentity(name="openai-codex", version="0.163.0", sha256=Sha256("6" * 64))
    acceptance = Acceptance(sdk=sdk, how="natively", cases=())
    accepted = changed(earlier, lambda wheel: replace(wheel, acceptance=acceptance))
    assert len(find_reusable(plan, accepted, TOOLCHAIN, context)) == 2


def test_without_an_earlier_run_no_wheel_is_reused(plan: WheelsPlan) -> None:
    assert reused(plan, None) == []


def test_fresh_reuses_no_wheel(plan: WheelsPlan, earlier: Manifest) -> None:
    assert reused(replace(plan, request=replace(plan.request, is_fresh=True)), earlier) == []


def test_a_check_of_the_engines_reuses_no_wheel(plan: WheelsPlan, earlier: Manifest) -> None:
    assert reused(replace(plan, request=replace(plan.request, is_engine_checked=True)), earlier) == []


MANIFEST_CHANGES: Mapping[str, Callable[[Manifest], Manifest]] = {
    "tag": lambda manifest: replace(manifest, tag=CodexTag.parse("0.164.0")),
    "channel": lambda manifest: replace(manifest, channel=ChannelName.NPM),
    "factory version": lambda manifest: replace(manifest, factory_version="0.0.1"),
}


@pytest.mark.parametrize("change", MANIFEST_CHANGES.values(), ids=MANIFEST_CHANGES)
def test_another_release_channel_or_factory_version_reuses_no_wheel(
    plan: WheelsPlan, earlier: Manifest, change: Callable[[Manifest], Manifest]
) -> None:
    assert reused(plan, change(earlier)) == []


TOOLCHAINS: Mapping[str, ToolchainRecord] = {
    "builder": replace(TOOLCHAIN, builder="native"),
    "image": replace(TOOLCHAIN, image="sha256:2"),
    "engine": replace(TOOLCHAIN, engine="assembler"),
    "python": replace(TOOLCHAIN, python="CPython 3.12.0"),
    "deflate": replace(TOOLCHAIN, deflate="zlib 1.3.1"),
    "deflate answer": replace(TOOLCHAIN, deflate_answer=Sha256("3" * 64)),
    "lock": replace(TOOLCHAIN, lock=Sha256("4" * 64)),
    "packages": replace(TOOLCHAIN, packages={"hatchling": "1.34.0"}),
}


@pytest.mark.parametrize("toolchain", TOOLCHAINS.values(), ids=TOOLCHAINS)
def test_another_toolchain_reuses_no_wheel(
    plan: WheelsPlan, earlier: Manifest, toolchain: ToolchainRecord
) -> None:
    assert reused(plan, earlier, toolchain) == []


def test_the_reason_for_the_builder_does_not_matter(plan: WheelsPlan, earlier: Manifest) -> None:
    assert reused(plan, earlier, replace(TOOLCHAIN, reason="Docker answers")) == [PLANNED, OTHER]


WHEEL_CHANGES: Mapping[str, Callable[[WheelRecord], WheelRecord]] = {
    "recipe": lambda wheel: replace(wheel, recipe=Sha256("6" * 64)),
    "asset": lambda wheel: replace(wheel, asset=Digest.parse("sha256:" + "7" * 64)),
    "fewer checks": lambda wheel: replace(wheel, checks=wheel.checks[:-1]),
    "more checks": lambda wheel: replace(wheel, checks=(*wheel.checks, "check-of-tomorrow")),
}


@pytest.mark.parametrize("change", WHEEL_CHANGES.values(), ids=WHEEL_CHANGES)
def test_another_recipe_asset_or_set_of_checks_builds_the_planned_wheel_again(
    plan: WheelsPlan, earlier: Manifest, change: Callable[[WheelRecord], WheelRecord]
) -> None:
    # What this run would build for the other platform is not known, so that its wheel stays.
    assert reused(plan, changed(earlier, change)) == [OTHER]


def found(manifest: Manifest) -> Manifest:
    return changed(manifest, lambda wheel: replace(wheel, findings=(FINDING,)))


def waived(manifest: Manifest) -> Manifest:
    return changed(manifest, lambda wheel: replace(wheel, waived=(WAIVED,)))


def test_equal_findings_and_waivers_reuse_a_wheel(plan: WheelsPlan, earlier: Manifest) -> None:
    assert reused(plan, found(earlier)) == [PLANNED, OTHER]
    assert reused(waiving(plan, WAIVER), waived(earlier)) == [PLANNED, OTHER]


def test_a_wheel_that_needs_a_withdrawn_waiver_is_not_reused(plan: WheelsPlan, earlier: Manifest) -> None:
    assert reused(plan, waived(earlier)) == []


def test_a_wheel_that_a_new_waiver_matches_is_not_reused(plan: WheelsPlan, earlier: Manifest) -> None:
    assert reused(waiving(plan, WAIVER), found(earlier)) == []


def test_the_encoder_does_not_matter(plan: WheelsPlan, earlier: Manifest) -> None:
    assert reused(plan, earlier, replace(TOOLCHAIN, encoder="zlib")) == [PLANNED, OTHER]
    made_by_another = replace(earlier, toolchain=replace(TOOLCHAIN, encoder="exact_deflate 5e5e"))
    assert reused(plan, made_by_another, TOOLCHAIN) == [PLANNED, OTHER]


def test_a_wheel_whose_waiver_has_another_reason_is_not_reused(plan: WheelsPlan, earlier: Manifest) -> None:
    assert reused(waiving(plan, replace(WAIVER, reason="accepted again")), waived(earlier)) == []


def test_a_wheel_without_the_required_authorship_is_not_reused(plan: WheelsPlan, earlier: Manifest) -> None:
    unsigned = with_members(earlier, UNSIGNED)
    assert reused(plan, unsigned) == [PLANNED, OTHER]
    assert reused(requiring(plan, "windows"), unsigned) == []


@pytest.mark.parametrize(
    ("required", "kept"),
    [("linux,macos", [PLANNED, OTHER]), (PLANNED, [OTHER]), (OTHER, [PLANNED])],
)
def test_authorship_is_required_only_for_the_named_platforms(
    plan: WheelsPlan, earlier: Manifest, required: str, kept: list[str]
) -> None:
    assert reused(requiring(plan, required), with_members(earlier, UNSIGNED)) == kept


def test_a_wheel_with_the_required_authorship_is_reused(plan: WheelsPlan, earlier: Manifest) -> None:
    signed = with_members(earlier, SIGNED, None)
    assert reused(requiring(plan, "windows"), signed) == [PLANNED, OTHER]


def with_members(manifest: Manifest, *assessments: TrustAssessment | None) -> Manifest:
    members = tuple(member(assessment) for assessment in assessments)
    return changed(manifest, lambda wheel: replace(wheel, payload=members))


def member(assessment: TrustAssessment | None) -> MemberRecord:
    return MemberRecord(
        path=PurePosixPath("codex_cli_bin/bin/codex.exe"),
        source=PurePosixPath("bin/codex.exe"),
        mode=0o755,
        size_bytes=3,
        sha256=Sha256("5" * 64),
        assessment=assessment,
    )


def damage(dist: Dist) -> None:
    (dist.directory / f"{PLANNED}.whl").write_bytes(b"win_arm65")


def truncate(dist: Dist) -> None:
    (dist.directory / f"{PLANNED}.whl").write_bytes(b"")


def remove(dist: Dist) -> None:
    (dist.directory / f"{PLANNED}.whl").unlink()


@pytest.mark.parametrize("spoil", [damage, truncate, remove])
def test_a_damaged_or_missing_wheel_is_not_reused(
    plan: WheelsPlan, earlier: Manifest, spoil: Callable[[Dist], None]
) -> None:
    spoil(plan.dist)
    assert reused(plan, earlier) == [OTHER]


def test_a_waiver_must_match_a_finding_of_some_wheel(earlier: Manifest) -> None:
    finding = Finding(check="elf-musl", severity=Severity.ERROR, place="x", evidence="seen", remedy="do")
    wheels = [earlier.wheels[0], replace(earlier.wheels[0], findings=(finding,))]
    used = Waiver(check="elf-musl", pattern="*", reason="a test")
    require_used_waivers([used], wheels)
    require_used_waivers([], [])
    with pytest.raises(UsageError, match="elf-class"):
        require_used_waivers([used, replace(used, check="elf-class")], wheels)
