import hashlib
import json
import shutil
import tempfile
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

import jsonschema
import pytest

from factory.build.builder import Engine
from factory.build.encoder import EncoderChoice
from factory.core.case_result import CaseOutcome, CaseResult
from factory.core.digests import Sha256
from factory.core.errors import IntegrityError, UpstreamError, UsageError, VerificationError
from factory.core.model import SigstoreBundle
from factory.core.targets import PLATFORMS, Platform, Target
from factory.executables.signatures.requirement import Requirement
from factory.manifest.acceptance import Acceptance, SdkIdentity
from factory.manifest.dist import Dist
from factory.manifest.manifest import Manifest
from factory.release.channels.directory import DirectoryChannel
from factory.system.process import Command, Completed, SubprocessRunner
from factory.verify.stock.stock_findings import StockTool
from factory.verify.stock.stock_tools import StockTools
from factory.verify.waivers import Waiver
from factory.wheels.plan import WheelsPlan, WheelsRequest, plan_wheels
from factory.wheels.run import WheelsRun, make_wheels
from tests.encoders import EQUAL
from tests.packages import TAG, npm_tarball, release_directory, release_files
from tests.planned import PlannedProgress
from tests.runs import run_context, run_factory, run_request

ROOT = Path(__file__).resolve().parents[3]
NAMES = [
    "openai_codex_cli_bin-0.163.0-py3-none-macosx_10_12_x86_64.whl",
    "openai_codex_cli_bin-0.163.0-py3-none-macosx_11_0_arm64.whl",
    "openai_codex_cli_bin-0.163.0-py3-none-manylinux_2_17_aarch64.whl",
    "openai_codex_cli_bin-0.163.0-py3-none-manylinux_2_17_x86_64.whl",
    "openai_codex_cli_bin-0.163.0-py3-none-musllinux_1_1_aarch64.whl",
    "openai_codex_cli_bin-0.163.0-py3-none-musllinux_1_1_x86_64.whl",
    "openai_codex_cli_bin-0.163.0-py3-none-win_amd64.whl",
    "openai_codex_cli_bin-0.163.0-py3-none-win_arm64.whl",
]


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return release_directory(tmp_path_factory.mktemp("release") / "packages", voice=True)


def contents(directory: Path) -> dict[str, str]:
    """Return the digest of each file below a directory, including hidden files."""
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A run for all platforms, with its output directory and cache; tests change copies of them."""

    run: WheelsRun
    dist: Path
    cache: Path

    def copied_to(self, directory: Path) -> None:
        """Copy both, as if the run had been in this directory."""
        shutil.copytree(self.dist, directory / "dist")
        shutil.copytree(self.cache, directory / "cache")


@pytest.fixture(scope="module")
def whole(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Whole:
    root = tmp_path_factory.mktemp("whole")
    run = run_factory(packages, root / "dist", cache=root / "cache")
    return Whole(run=run, dist=root / "dist", cache=root / "cache")


def test_a_release_gives_the_wheels_of_all_platforms_with_checksums_and_manifest(whole: Whole) -> None:
    assert sorted(whole.run.built) == NAMES
    beside = [f"{name}.cdx.json" for name in NAMES]
    assert sorted(contents(whole.dist)) == [
        f"0.163.0/{name}" for name in ["SHA256SUMS", "manifest.json", *sorted([*NAMES, *beside])]
    ]

    there = contents(whole.dist / "0.163.0")
    manifest = json.loads((whole.dist / "0.163.0/manifest.json").read_text())
    lines = (whole.dist / "0.163.0/SHA256SUMS").read_text().splitlines()
    assert {wheel["name"]: wheel["sha256"] for wheel in manifest["wheels"]} == {
        name: there[name] for name in NAMES
    }
    assert lines == [f"{there[name]}  {name}" for name in NAMES]
    assert manifest["tag"] == "rust-v0.163.0"
    assert manifest["version"] == "0.163.0"
    assert [asset["purl"] for asset in manifest["assets"]][:1] == [
        "pkg:npm/%40openai/codex@0.163.0-linux-x64"
    ]
    schema = json.loads((ROOT / "docs/manifest.schema.json").read_text())
    jsonschema.validate(manifest, schema)


def test_equal_runs_write_equal_bytes(packages: Path, whole: Whole, tmp_path: Path) -> None:
    request = WheelsRequest(tag=TAG, platforms=None, out=tmp_path / "elsewhere/deep")
    plan = plan_wheels(request, DirectoryChannel(packages))
    make_wheels(plan, replace(run_context(tmp_path / "cache"), runner=SubprocessRunner()))

    assert contents(tmp_path / "elsewhere/deep") == contents(whole.dist)


@pytest.mark.parametrize(
    "platforms",
    [
        ("macosx_11_0_arm64", "manylinux_2_17_x86_64", "win_arm64"),
        pytest.param(tuple(platform.tag for platform in PLATFORMS), marks=pytest.mark.slow),
    ],
    ids=["one of each system", "all"],
)
def test_both_engines_write_the_same_bytes(
    platforms: tuple[str, ...], packages: Path, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    fast = run_factory(packages, tmp_path / "fast", cache=cache, platforms=platforms)
    reference = run_factory(
        packages, tmp_path / "slow", cache=cache, platforms=platforms, engine=Engine.BACKEND
    )

    assert len(fast.manifest.wheels) == len(platforms)
    assert {w.name: w.sha256 for w in fast.manifest.wheels} == {
        w.name: w.sha256 for w in reference.manifest.wheels
    }


def test_both_engines_can_be_compared_in_one_run(packages: Path, tmp_path: Path) -> None:
    run = run_factory(
        packages,
        tmp_path / "dist",
        cache=tmp_path / "cache",
        platforms=("win_arm64",),
        is_engine_checked=True,
    )
    assert run.built == (NAMES[7],)
    assert not (tmp_path / "cache" / "deflate").exists()


def test_the_manifest_names_the_encoder(packages: Path, tmp_path: Path) -> None:
    assert run_factory(packages, tmp_path / "zlib", cache=tmp_path / "a").manifest.toolchain.encoder == "zlib"
    request = WheelsRequest(tag=TAG, platforms=None, out=tmp_path / "fast")
    context = replace(run_context(tmp_path / "b"), encoders=EncoderChoice(lambda: EQUAL))
    manifest = make_wheels(plan_wheels(request, DirectoryChannel(packages)), context).manifest
    assert manifest.toolchain.encoder == "exact_deflate 5e5e5e5e5e5e5e5e"


def test_a_second_run_builds_no_wheel(packages: Path, whole: Whole, tmp_path: Path) -> None:
    whole.copied_to(tmp_path)
    second = run_factory(packages, tmp_path / "dist", cache=tmp_path / "cache")

    assert second.built == ()
    assert second.manifest == whole.run.manifest
    assert contents(tmp_path / "dist") == contents(whole.dist)


def test_acceptance_results_are_kept_for_equal_bytes_only(
    packages: Path, whole: Whole, tmp_path: Path
) -> None:
    whole.copied_to(tmp_path)
    first = whole.run.manifest
    sdk = SdkIdentity(name="openai-codex", version="0.163.0", sha256=Sha256("3" * 64))
    passed = CaseResult(case="tool-calls", outcome=CaseOutcome.PASSED)
    evidence = Acceptance(sdk=sdk, how="natively", cases=(passed,))
    kept, changed, *_ = first.wheels
    Dist(directory=tmp_path / "dist/0.163.0").update_manifest(
        lambda manifest: manifest.with_acceptance({kept.sha256: evidence, changed.sha256: evidence})
    )

    def tried() -> list[str]:
        run = run_factory(packages, tmp_path / "dist", cache=tmp_path / "cache")
        return [wheel.name for wheel in run.manifest.wheels if wheel.acceptance is not None]

    assert tried() == [kept.name, changed.name]
    (tmp_path / "dist/0.163.0" / changed.name).unlink()  # built again, with the same bytes
    assert tried() == [kept.name, changed.name]

    path = tmp_path / "dist/0.163.0/manifest.json"
    schema = json.loads((ROOT / "docs/manifest.schema.json").read_text())
    jsonschema.validate(json.loads(path.read_text()), schema)
    # As if the earlier run had built other bytes.
    path.write_text(path.read_text().replace(str(changed.sha256), "4" * 64))
    assert tried() == [kept.name]


def test_only_the_damaged_wheel_is_built_again(packages: Path, whole: Whole, tmp_path: Path) -> None:
    whole.copied_to(tmp_path)
    (tmp_path / "dist/0.163.0" / NAMES[2]).write_bytes(b"damaged")

    assert run_factory(packages, tmp_path / "dist", cache=tmp_path / "cache").built == (NAMES[2],)
    assert contents(tmp_path / "dist") == contents(whole.dist)


def test_platforms_can_be_built_one_after_the_other(packages: Path, tmp_path: Path) -> None:
    run_factory(packages, tmp_path / "dist", cache=tmp_path / "cache", platforms=("win_amd64",))
    run = run_factory(packages, tmp_path / "dist", cache=tmp_path / "cache", platforms=("macosx_11_0_arm64",))
    assert run.built == (NAMES[1],)
    assert [wheel.name for wheel in run.manifest.wheels] == [NAMES[1], NAMES[6]]
    assert [asset.target for asset in run.manifest.assets] == [Target.MACOS_AARCH64, Target.WINDOWS_X86_64]


def test_wheels_that_are_not_in_the_manifest_are_removed(packages: Path, tmp_path: Path) -> None:
    directory = tmp_path / "dist" / "0.163.0"
    directory.mkdir(parents=True)
    (directory / NAMES[0]).write_bytes(b"from an older factory")
    (tmp_path / "dist" / ".factory-tmp-0.163.0").mkdir()
    (tmp_path / "dist" / ".factory-tmp-0.163.0" / "left").write_bytes(b"by a killed run")

    run_factory(packages, tmp_path / "dist", cache=tmp_path / "cache", platforms=("win_amd64",))
    assert sorted(contents(tmp_path / "dist")) == [
        "0.163.0/SHA256SUMS",
        "0.163.0/manifest.json",
        f"0.163.0/{NAMES[6]}",
        f"0.163.0/{NAMES[6]}.cdx.json",
    ]


def test_a_left_out_file_is_in_the_manifest_and_not_in_the_wheel(packages: Path, tmp_path: Path) -> None:
    run = run_factory(
        packages, tmp_path / "dist", cache=tmp_path / "cache", platforms=("musllinux_1_1_aarch64",)
    )
    (wheel,) = run.manifest.wheels
    left_out = {str(item.source) for item in wheel.left_out}
    assert "codex-resources/voice/bin/codex-voice-host" in left_out
    assert "codex-path/rg" in left_out
    with zipfile.ZipFile(tmp_path / "dist/0.163.0" / wheel.name) as archive:
        names = set(archive.namelist())
    assert not {name for name in names if "voice" in name or name.endswith("/rg")}


def test_payload_files_keep_their_bytes_and_get_their_modes(packages: Path, tmp_path: Path) -> None:
    run_factory(packages, tmp_path / "dist", cache=tmp_path / "cache", platforms=("macosx_10_12_x86_64",))
    files = release_files(Target.MACOS_X86_64)
    with zipfile.ZipFile(tmp_path / "dist/0.163.0" / NAMES[0]) as archive:
        got = {
            info.filename.removeprefix("codex_cli_bin/"): (archive.read(info), info.external_attr >> 16)
            for info in archive.infolist()
        }
    for path, (content, _) in files.items():
        mode = 0o100644 if path.endswith(".json") else 0o100755
        assert got[path] == (content, mode), path


def test_a_release_that_lacks_a_target_gives_the_other_wheels(tmp_path: Path) -> None:
    packages = release_directory(tmp_path / "packages", targets=(Target.MACOS_AARCH64,))
    run = run_factory(packages, tmp_path / "dist", cache=tmp_path / "cache")
    assert [wheel.platform for wheel in run.manifest.wheels] == ["macosx_11_0_arm64"]

    with pytest.raises(UpstreamError, match="win_amd64"):
        run_factory(packages, tmp_path / "dist", cache=tmp_path / "cache", platforms=("win_amd64",))


def test_a_damaged_package_leaves_no_wheel(tmp_path: Path) -> None:
    packages = release_directory(tmp_path / "packages", targets=(Target.WINDOWS_X86_64,))
    tarball = packages / "codex-0.163.0-win32-x64.tgz"
    content = bytearray(tarball.read_bytes())
    content[len(content) // 2] ^= 1
    tarball.write_bytes(content)

    with pytest.raises(IntegrityError, match=r"codex-0\.163\.0-win32-x64"):
        run_factory(packages, tmp_path / "dist", cache=tmp_path / "cache")
    assert contents(tmp_path / "dist") == {}


def test_an_unknown_release_is_an_error(tmp_path: Path) -> None:
    packages = tmp_path / "packages"
    packages.mkdir()
    (packages / "SHA256SUMS").write_text("")
    with pytest.raises(UpstreamError, match="has no release"):
        run_factory(packages, tmp_path / "dist", cache=tmp_path / "cache")
    assert not (tmp_path / "dist").exists()


def test_a_wheel_with_an_error_finding_is_not_published(tmp_path: Path) -> None:
    packages = broken_release(tmp_path / "packages")
    with pytest.raises(VerificationError) as caught:
        run_factory(packages, tmp_path / "dist", cache=tmp_path / "cache")
    assert "bin/codex" in str(caught.value)
    assert contents(tmp_path / "dist") == {}


def test_wheels_with_an_invalid_signature_bundle_are_not_published(packages: Path, tmp_path: Path) -> None:
    platforms = tuple(map(Platform.parse, ("manylinux_2_17_x86_64", "musllinux_1_1_x86_64")))
    request = WheelsRequest(tag=TAG, platforms=platforms, out=tmp_path / "dist")
    plan = plan_wheels(request, DirectoryChannel(packages))
    bundle = SigstoreBundle(target=Target.LINUX_X86_64, program="codex", content=b"{}")
    other = SigstoreBundle(target=Target.LINUX_AARCH64, program="rg", content=b"{}")
    plan = replace(plan, released=replace(plan.released, bundles=(bundle, other)))
    with pytest.raises(VerificationError) as caught:
        make_wheels(plan, run_context(tmp_path / "cache"))
    findings = [line for line in str(caught.value).splitlines() if line.startswith("  ")]
    assert [finding.split(":")[:2] for finding in findings] == [
        ["  signature-not-valid", " codex_cli_bin/bin/codex"],
        ["  signature-not-valid", " codex_cli_bin/bin/codex"],
    ]


LIBC = Waiver(check="image-foreign", pattern="*", reason="a test")


def run_waiving(packages: Path, tmp_path: Path, *platforms: str) -> WheelsRun:
    request = WheelsRequest(
        tag=TAG,
        platforms=tuple(Platform.parse(tag) for tag in platforms) or None,
        out=tmp_path / "dist",
        waivers=(LIBC,),
    )
    return run_request(request, packages, cache=tmp_path / "cache")


def broken_release(directory: Path) -> Path:
    """Write a release whose macOS package has a Linux executable."""
    files = release_files(Target.MACOS_AARCH64) | {
        "bin/codex": release_files(Target.LINUX_X86_64)["bin/codex"],
    }
    directory.mkdir()
    tarball = npm_tarball(
        directory / "codex-0.163.0-darwin-arm64.tgz", {Target.MACOS_AARCH64: files}, tag=TAG
    )
    digest = hashlib.sha256(tarball.read_bytes()).hexdigest()
    (directory / "SHA256SUMS").write_text(f"{digest}  {tarball.name}\n")
    return directory


def test_a_waived_error_is_published_with_its_reason(tmp_path: Path) -> None:
    packages = broken_release(tmp_path / "packages")
    run = run_waiving(packages, tmp_path)
    document = json.loads(run.manifest.render())
    jsonschema.validate(document, json.loads((ROOT / "docs/manifest.schema.json").read_text()))
    (wheel,) = document["wheels"]
    assert [(item["check"], item["severity"], item["reason"]) for item in wheel["waived"]] == [
        ("image-foreign", "error", "a test")
    ]
    assert Manifest.parse(run.manifest.render()) == run.manifest

    again = run_waiving(packages, tmp_path)
    assert again.built == ()


def test_a_wheel_is_rejected_after_its_waiver_was_withdrawn(tmp_path: Path) -> None:
    packages = broken_release(tmp_path / "packages")
    run_waiving(packages, tmp_path)
    with pytest.raises(VerificationError, match="image-foreign"):
        run_factory(packages, tmp_path / "dist", cache=tmp_path / "cache")


@pytest.mark.parametrize("is_second_run", [False, True])
def test_an_unused_waiver_is_refused(packages: Path, tmp_path: Path, *, is_second_run: bool) -> None:
    if is_second_run:
        run_factory(packages, tmp_path / "dist", cache=tmp_path / "cache", platforms=("win_amd64",))
    before = contents(tmp_path / "dist")
    with pytest.raises(UsageError, match=r"no finding matches the waiver image-foreign:\*"):
        run_waiving(packages, tmp_path, "win_amd64")
    assert contents(tmp_path / "dist") == before


def planned(packages: Path, out: Path, platform: str = "win_amd64") -> WheelsPlan:
    request = WheelsRequest(tag=TAG, platforms=(Platform.parse(platform),), out=out)
    return plan_wheels(request, DirectoryChannel(packages))


def test_temporary_files_are_in_the_output_directory_only(
    packages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    assert make_wheels(planned(packages, tmp_path / "dist"), run_context(tmp_path / "cache")).built != ()


def test_a_rebuild_with_other_bytes_is_not_published(packages: Path, tmp_path: Path) -> None:
    plan = planned(packages, tmp_path / "dist")
    plan = replace(plan, wheels=(replace(plan.wheels[0], promised=Sha256("0" * 64)),))
    with pytest.raises(VerificationError, match="not the bytes that the index lists"):
        make_wheels(plan, run_context(tmp_path / "cache"))
    assert contents(tmp_path / "dist") == {}


def test_a_wheel_without_the_required_authorship_is_not_published(packages: Path, tmp_path: Path) -> None:
    plan = planned(packages, tmp_path / "dist")
    required = Requirement.parse("windows")
    plan = replace(plan, request=replace(plan.request, required_authorship=required))
    with pytest.raises(VerificationError, match="authorship-required"):
        make_wheels(plan, run_context(tmp_path / "cache"))
    assert contents(tmp_path / "dist") == {}


def test_the_stock_tools_examine_every_wheel(packages: Path, tmp_path: Path) -> None:
    runner = FailingTools()
    stock_tools = StockTools(runner=runner, installed=frozenset(StockTool))
    context = replace(run_context(tmp_path / "cache"), stock_tools=stock_tools)
    make_wheels(planned(packages, tmp_path / "dist"), context)
    assert [Path(command.argv[-3]).name for command in runner.commands] == ["delvewheel_facts.py"]


class FailingTools:
    """Starts no process: every stock tool fails."""

    def __init__(self) -> None:
        self.commands: list[Command] = []

    def run(self, command: Command) -> Completed:
        self.commands.append(command)
        return Completed(returncode=1)


def test_a_run_without_missing_wheels_removes_the_files_of_a_killed_run(
    packages: Path, tmp_path: Path
) -> None:
    plan = planned(packages, tmp_path / "dist")
    make_wheels(plan, run_context(tmp_path / "cache"))
    left = tmp_path / "dist" / ".factory-tmp-0.163.0" / "left"
    left.parent.mkdir()
    left.write_bytes(b"by a killed run")

    assert make_wheels(plan, run_context(tmp_path / "cache")).built == ()
    assert not left.parent.exists()


def test_a_run_limits_the_cache_of_compressed_files(packages: Path, tmp_path: Path) -> None:
    plan = planned(packages, tmp_path / "dist")
    make_wheels(plan, replace(run_context(tmp_path / "cache"), deflate_limit_bytes=0))
    assert [path for path in (tmp_path / "cache" / "deflate").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("engine", "kinds", "others"),
    [
        (Engine.ASSEMBLER, {"compress", "assemble", "verify"}, {"lay"}),
        (Engine.BACKEND, {"build", "verify"}, {"stage"}),
    ],
)
def test_every_planned_task_begins_once(
    packages: Path, tmp_path: Path, engine: Engine, kinds: set[str], others: set[str]
) -> None:
    progress = PlannedProgress()
    platforms = (Platform.parse("manylinux_2_17_x86_64"), Platform.parse("musllinux_1_1_x86_64"))
    request = WheelsRequest(tag=TAG, platforms=platforms, out=tmp_path / "dist", engine=engine)
    plan = plan_wheels(request, DirectoryChannel(packages))
    make_wheels(plan, run_context(tmp_path / "cache", progress=progress))
    assert sorted(progress.sizes) == sorted(label for label in progress.begun if label in progress.sizes)
    assert {label.partition(" ")[0] for label in progress.sizes} == kinds
    assert progress.unplanned == others
    assert min(progress.sizes.values()) > 0


def test_what_is_compressed_already_is_not_planned(packages: Path, whole: Whole, tmp_path: Path) -> None:
    shutil.copytree(whole.cache, tmp_path / "cache")
    progress = PlannedProgress()
    plan = plan_wheels(
        WheelsRequest(tag=TAG, platforms=None, out=tmp_path / "dist"), DirectoryChannel(packages)
    )
    make_wheels(plan, run_context(tmp_path / "cache", progress=progress))
    assert {label.partition(" ")[0] for label in progress.sizes} == {"assemble", "verify"}
    assert sorted(progress.sizes) == sorted(set(progress.begun) - {"lay out"})
