import json
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from factory.core.digests import Sha256
from factory.core.errors import UsageError
from factory.core.model import Severity
from factory.core.progress import SilentProgress
from factory.core.targets import PLATFORMS, Architecture, OperatingSystem
from factory.system.host import Host, Libc
from factory.system.process import Command, Completed
from factory.verify.examine import VerifyContext, examine
from factory.verify.inputs import WheelGroup, WheelInput, find_wheels
from factory.verify.output.report import Report, RunStatus
from factory.verify.smoke import SmokeOutcome
from factory.verify.stock.stock_findings import StockTool
from factory.verify.stock.stock_tools import StockTools
from factory.verify.waivers import Waiver
from tests.authority import TRUST
from tests.fake_runner import Expected, FakeRunner
from tests.unit.manifest.test_manifest import MANIFEST
from tests.wheels import own_wheel

MANYLINUX = "manylinux_2_17_x86_64"
HOST = Host(
    operating_system=OperatingSystem.LINUX,
    architecture=Architecture.X86_64,
    libc=Libc.GLIBC,
    python=Path("/usr/bin/python3"),
    emulators={},
    env={},
)


def examined(
    scratch: Path,
    groups: Sequence[WheelGroup],
    *,
    runner: FakeRunner | None = None,
    installed: frozenset[StockTool] | None = None,
    host: Host | None = None,
    waivers: Sequence[Waiver] = (),
) -> Report:
    runner = runner or FakeRunner()
    own = scratch / "scratch"
    own.mkdir()
    context = VerifyContext(
        runner=runner,
        progress=SilentProgress(),
        scratch=own,
        jobs=1,
        stop=threading.Event(),
        stock_tools=None if installed is None else StockTools(runner=runner, installed=installed),
        host=host,
        trust=TRUST,
    )
    report = examine(groups, context, waivers=waivers)
    runner.assert_done()
    assert list(own.iterdir()) == []
    return report


def one(path: Path) -> WheelGroup:
    return WheelGroup(path=path, wheels=(WheelInput(path=path),))


def release(directory: Path) -> Path:
    """Write a good wheel of every platform and a manifest that lists them."""
    directory.mkdir()
    (template,) = MANIFEST.wheels
    records = []
    for platform in PLATFORMS:
        path = own_wheel(platform.tag).write(directory)
        record = replace(
            template, name=path.name, platform=platform.tag, sha256=Sha256.of_file(path), payload=()
        )
        records.append(record)
    document = replace(MANIFEST, wheels=tuple(records)).to_json() | {
        "tag": "rust-v0.163.0",
        "version": "0.163.0",
    }
    (directory / "manifest.json").write_text(json.dumps(document))
    return directory


def checks_of(report: Report) -> list[str]:
    return [finding.check for finding in report.findings if finding.severity is Severity.ERROR]


def test_a_single_wheel_is_not_a_release(tmp_path: Path) -> None:
    report = examined(tmp_path, find_wheels([own_wheel().write(tmp_path)]))
    assert (report.status, report.releases) == (RunStatus.PASSED, ())


def test_a_directory_is_a_release(tmp_path: Path) -> None:
    (tmp_path / "dist").mkdir()
    own_wheel().write(tmp_path / "dist")
    report = examined(tmp_path, find_wheels([tmp_path / "dist"]))
    assert checks_of(report) == ["release-platforms"] * 7


def test_a_directory_without_wheels_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no wheel in"):
        find_wheels([tmp_path])


def test_a_manifest_gives_the_expected_contents_of_each_wheel(tmp_path: Path) -> None:
    dist = release(tmp_path / "dist")
    (group,) = find_wheels([dist])
    assert group == replace(find_wheels([dist / "manifest.json"])[0])
    assert [str(s.expected and s.expected.platform) for s in group.wheels][:2] == [
        "macosx_10_12_x86_64",
        "macosx_11_0_arm64",
    ]
    report = examined(tmp_path, [group])
    assert set(checks_of(report)) == {"payload-foreign"}  # the manifest's payload is empty


@pytest.mark.parametrize(("channel", "expected"), [("directory", True), ("npm", False), ("github", False)])
def test_a_manifest_says_whether_the_packages_came_from_a_directory(
    channel: str, *, expected: bool, tmp_path: Path
) -> None:
    dist = release(tmp_path / "dist")
    document = json.loads((dist / "manifest.json").read_text()) | {"channel": channel}
    (dist / "manifest.json").write_text(json.dumps(document))
    (group,) = find_wheels([dist])
    assert {wheel.expected and wheel.expected.is_from_directory for wheel in group.wheels} == {expected}


def test_a_file_that_is_left_out_for_a_reason_is_not_a_finding(tmp_path: Path) -> None:
    dist = release(tmp_path / "dist")
    lean = own_wheel().without("codex_cli_bin/codex-path/rg").write(dist)
    document = json.loads((dist / "manifest.json").read_text())
    for wheel in document["wheels"]:
        wheel["left_out"] = [{"source": "codex-path/rg", "sha256": "1" * 64, "reason": "a test"}]
    (dist / "manifest.json").write_text(json.dumps(document))
    found = {finding.check for finding in examined(tmp_path, find_wheels([dist])).findings}
    assert found == {"payload-foreign", "manifest-digest"}
    (tmp_path / "scratch").rmdir()
    assert {finding.check for finding in examined(tmp_path, [one(lean)]).findings} == {"package-json-tools"}


def test_the_directory_is_compared_with_the_manifest(tmp_path: Path) -> None:
    dist = release(tmp_path / "dist")
    damaged, gone, *_ = sorted(dist.glob("*.whl"))
    damaged.write_bytes(damaged.read_bytes() + b"x")
    gone.rename(dist / gone.name.replace("0.163.0", "0.164.0"))
    (result,) = examined(tmp_path, find_wheels([dist])).releases
    found = [(finding.check, finding.place) for finding in result.results.findings]
    assert [item for item in found if item[0].startswith("manifest-")] == [
        ("manifest-missing", gone.name),
        ("manifest-digest", damaged.name),
        ("manifest-unlisted", gone.name.replace("0.163.0", "0.164.0")),
    ]


def answer(policy: str) -> Expected:
    def write(command: Command) -> None:
        facts = {"version": "6", "error": None, "policy": policy, "policies": [policy, MANYLINUX]}
        members = ["bin/codex", "codex-path/rg", "codex-resources/bwrap"]
        analysed = [f"codex_cli_bin/{name}" for name in members]
        Path(command.argv[-1]).write_text(json.dumps(facts | {"analysed": analysed}))

    return Expected(argv=("-I", "-B"), effect=write)


def test_a_stock_tool_can_reject_a_wheel_that_the_checks_accept(tmp_path: Path) -> None:
    report = examined(
        tmp_path,
        find_wheels([own_wheel().write(tmp_path)]),
        runner=FakeRunner(answer("manylinux_2_34_x86_64")),
        installed=frozenset(StockTool),
    )
    assert checks_of(report) == ["auditwheel-verdict"]
    assert report.wheels[0].results.checks[-1] == "auditwheel-verdict"


def test_a_stock_tool_that_is_not_installed_is_reported_but_not_a_failure(tmp_path: Path) -> None:
    report = examined(tmp_path, find_wheels([own_wheel().write(tmp_path)]), installed=frozenset())
    (wheel,) = report.wheels
    assert report.status is RunStatus.PASSED
    assert wheel.stock_report is not None
    assert wheel.stock_report.not_run == "it is not installed"
    assert "auditwheel-verdict" not in wheel.results.checks


def test_a_stock_tool_that_breaks_is_inconclusive(tmp_path: Path) -> None:
    boom = Expected(argv=("-I",), completed=Completed(returncode=1, output="Boom"))
    report = examined(
        tmp_path,
        find_wheels([own_wheel().write(tmp_path)]),
        runner=FakeRunner(boom),
        installed=frozenset(StockTool),
    )
    assert report.status is RunStatus.INCONCLUSIVE


def test_an_executable_that_does_not_start_is_an_error_that_can_be_waived(tmp_path: Path) -> None:
    script = [
        Expected(argv=("venv",)),
        Expected(argv=("install",)),
        Expected(argv=("-c",), completed=Completed(returncode=126, output="Exec\x1b[2J format error")),
    ]
    waiver = Waiver(check="smoke-start", pattern="*", reason="an old kernel")
    groups = find_wheels([own_wheel().write(tmp_path)])
    report = examined(tmp_path, groups, runner=FakeRunner(*script), host=HOST, waivers=[waiver])
    ((waived,),) = [wheel.results.waived for wheel in report.wheels]
    assert waived.finding.check == "smoke-start"
    assert "\x1b" not in waived.finding.evidence
    assert (report.status, report.unused) == (RunStatus.PASSED, ())


@pytest.mark.parametrize(
    ("platform", "reason"),
    [
        ("macosx_11_0_arm64", "macosx_11_0_arm64 is not for this operating system"),
        (
            "musllinux_1_1_x86_64",
            "musllinux_1_1_x86_64 needs a musl system, which is not available here",
        ),
    ],
)
def test_a_wheel_that_cannot_be_started_is_reported_as_not_run(
    tmp_path: Path, platform: str, reason: str
) -> None:
    report = examined(tmp_path, find_wheels([own_wheel(platform).write(tmp_path)]), host=HOST)
    (wheel,) = report.wheels
    assert wheel.smoke is not None
    assert (wheel.smoke.outcome, wheel.smoke.detail) == (SmokeOutcome.NOT_RUN, reason)
    assert "smoke-start" not in wheel.results.checks


@pytest.mark.parametrize("name", ["codex.whl", "openai_codex_cli_bin-1-py3-none-any.whl"])
def test_a_wheel_without_a_platform_in_its_name_is_not_started(tmp_path: Path, name: str) -> None:
    report = examined(tmp_path, [one(replace(own_wheel(), name=name).write(tmp_path))], host=HOST)
    (wheel,) = report.wheels
    assert wheel.smoke is not None
    assert wheel.smoke.detail == "the file name is not for one release and one platform"
