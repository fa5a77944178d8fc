import json
import struct
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from factory.core.model import Finding, Severity
from factory.system.process import Command, Completed, Runner, SubprocessRunner
from factory.verify.reading.contents import Problem, ProblemKind, WheelContents
from factory.verify.stock import stock_tools
from factory.verify.stock.stock_findings import StockFinding, StockTool
from factory.verify.stock.stock_tools import (
    CHECKS,
    StockReport,
    StockTools,
    merge_stock_findings,
    plan_question,
)
from tests.fake_runner import Expected, FakeRunner
from tests.images import Elf, FatMachO, MachO, Pe
from tests.unit.verify.checks.image_wheels import CHECKS as IMAGE_CHECKS
from tests.unit.verify.checks.image_wheels import (
    CODEX,
    CODEX_EXE,
    DYNAMIC_ELF,
    GOOD,
    GOOD_ARM64,
    GOOD_PE,
    GOOD_X86_64,
    RG,
    RG_EXE,
    contents_of,
)

MANYLINUX = "manylinux_2_17_x86_64"
MUSLLINUX = "musllinux_1_1_x86_64"
PROGRAMS = Path(stock_tools.__file__).parent
KNOWN = ["linux_x86_64", "manylinux_2_34_x86_64", "manylinux_2_28_x86_64", "manylinux_2_17_x86_64"]


def answering(tool: str, answer: Mapping[str, object]) -> FakeRunner:
    def write(command: Command) -> None:
        Path(command.argv[-1]).write_text(json.dumps(answer))

    return FakeRunner(Expected(argv=("-I", str(PROGRAMS / f"{tool}_facts.py")), effect=write))


def exchange(tmp_path: Path) -> Path:
    directory = tmp_path / "exchange"
    directory.mkdir()
    return directory


def report_on(contents: WheelContents, directory: Path, runner: Runner, *, path: str = "") -> StockReport:
    tools = StockTools(runner=runner, installed=frozenset(StockTool), search_path=path)
    stock_report = tools.ask(contents, scratch=directory)
    assert stock_report is not None
    return stock_report


def ask(tmp_path: Path, platform: str, files: Mapping[str, bytes], runner: FakeRunner) -> StockReport:
    stock_report = report_on(contents_of(tmp_path, platform, files), exchange(tmp_path), runner)
    runner.assert_done()
    return stock_report


def auditwheel(policy: str, *, analysed: tuple[str, ...] = (CODEX, RG)) -> FakeRunner:
    answer = {"version": "6", "error": None, "policy": policy, "policies": KNOWN, "analysed": analysed}
    return answering("auditwheel", answer)


def finding(check: str, place: str, evidence: str = "seen") -> Finding:
    return Finding(
        check=check, severity=Severity.ERROR, place=place, evidence=evidence, remedy="do something about it"
    )


@pytest.mark.parametrize(
    ("platform", "policy"),
    [
        (MANYLINUX, "manylinux_2_5_x86_64"),
        (MANYLINUX, "manylinux_2_17_x86_64"),
        ("manylinux_2_20_x86_64", "manylinux_2_28_x86_64"),
        ("manylinux_2_39_x86_64", "manylinux_2_34_x86_64"),
        (MUSLLINUX, "musllinux_1_2_x86_64"),
    ],
)
def test_auditwheel_accepts_the_tag(tmp_path: Path, platform: str, policy: str) -> None:
    stock_report = ask(tmp_path, platform, GOOD[MANYLINUX], auditwheel(policy))
    assert stock_report == StockReport(
        wheel=f"openai_codex_cli_bin-0.163.0-py3-none-{platform}.whl", tool=StockTool.AUDITWHEEL, version="6"
    )


@pytest.mark.parametrize(
    ("platform", "policy"),
    [
        (MANYLINUX, "manylinux_2_28_x86_64"),
        ("manylinux_2_20_x86_64", "manylinux_2_34_x86_64"),
        (MANYLINUX, "linux_x86_64"),
        (MUSLLINUX, "linux_x86_64"),
    ],
)
def test_auditwheel_finds_a_newer_policy_than_the_tag(tmp_path: Path, platform: str, policy: str) -> None:
    (stock_finding,) = ask(tmp_path, platform, GOOD[MANYLINUX], auditwheel(policy)).findings
    assert (stock_finding.place, stock_finding.evidence) == (None, f"consistent with {policy} only")


def test_files_that_auditwheel_ignores_are_reported(tmp_path: Path) -> None:
    runner = auditwheel("manylinux_2_17_x86_64", analysed=(CODEX,))
    (stock_finding,) = ask(tmp_path, MANYLINUX, GOOD[MANYLINUX], runner).findings
    assert stock_finding.place == RG
    assert stock_finding.evidence == "ignored: of another libc or architecture, or not in RECORD"


def test_delocate_gets_headers_and_finds_a_newer_macos(tmp_path: Path) -> None:
    name = "openai_codex_cli_bin-0.163.0-py3-none-macosx_10_12_x86_64.whl"
    runner = answering(
        "delocate", {"version": "0.13", "error": None, "name": name, "libraries": [], "missing": None}
    )
    stock_report = ask(tmp_path, "macosx_10_9_x86_64", {CODEX: GOOD_X86_64.content()}, runner)
    (stock_finding,) = stock_report.findings
    assert stock_finding.evidence == "its tag should be macosx_10_12_x86_64"
    (header,) = (tmp_path / "exchange").glob("*/headers/*")
    assert struct.unpack_from("<I", header.read_bytes()) == (0xFEEDFACF,)
    assert header.stat().st_size < 1024


def test_delocate_accepts_a_tag_that_promises_less(tmp_path: Path) -> None:
    name = "openai_codex_cli_bin-0.163.0-py3-none-macosx_10_12_x86_64.whl"
    runner = answering(
        "delocate", {"version": "0.13", "error": None, "name": name, "libraries": [], "missing": None}
    )
    assert ask(tmp_path, "macosx_10_13_x86_64", {CODEX: GOOD_X86_64.content()}, runner).findings == ()


def test_delvewheel_names_each_missing_dll_once(tmp_path: Path) -> None:
    missing = {CODEX_EXE: ["a.dll"], RG_EXE: ["a.dll", "b.dll"]}
    runner = answering("delvewheel", {"version": "1", "error": None, "missing": missing})
    stock_report = ask(tmp_path, "win_amd64", GOOD["win_amd64"], runner)
    assert [stock_finding.evidence for stock_finding in stock_report.findings] == [
        "does not find a.dll",
        "does not find b.dll",
    ]


def test_a_tool_that_fails_is_reported_as_not_run(tmp_path: Path) -> None:
    runner = FakeRunner(
        Expected(
            argv=(str(PROGRAMS / "delvewheel_facts.py"),),
            completed=Completed(returncode=1, output="Boom\n"),
        )
    )
    stock_report = ask(tmp_path, "win_amd64", GOOD["win_amd64"], runner)
    assert stock_report.not_run == "delvewheel ended with exit status 1: Boom"


def test_a_tool_that_writes_no_answer_is_reported_as_not_run(tmp_path: Path) -> None:
    runner = FakeRunner(Expected(argv=(str(PROGRAMS / "auditwheel_facts.py"),)))
    assert ask(tmp_path, MANYLINUX, GOOD[MANYLINUX], runner).not_run is not None


def test_a_wheel_that_could_not_be_read_completely_is_not_given_to_a_tool(tmp_path: Path) -> None:
    bomb = Problem(kind=ProblemKind.BOMB, place=CODEX, evidence="4 GB of zeros")
    contents = replace(contents_of(tmp_path, MANYLINUX, GOOD[MANYLINUX]), problems=(bomb,))
    stock_report = report_on(contents, exchange(tmp_path), FakeRunner())
    assert stock_report.not_run == "the archive could not be read completely"


def test_the_process_has_an_environment_of_its_own(tmp_path: Path) -> None:
    command = plan_question(
        StockTool.DELVEWHEEL, question=tmp_path / "q", answer=tmp_path / "a", search_path="/usr/bin"
    )
    assert command.argv[1:] == (
        "-I",
        "-B",
        str(PROGRAMS / "delvewheel_facts.py"),
        str(tmp_path / "q"),
        str(tmp_path / "a"),
    )
    assert command.env["PATH"] == ""
    assert set(command.env) == {"PATH", "TMPDIR"}
    assert command.cwd == tmp_path


SAYS = StockReport(
    wheel="w.whl",
    tool=StockTool.AUDITWHEEL,
    version="6.8",
    findings=(StockFinding(place=CODEX, evidence="ignored", checks=("elf-",)),),
)


def test_a_problem_that_a_check_reports_too_is_one_finding() -> None:
    ours = finding("elf-machine", CODEX, "machine AArch64, not x86-64")
    assert merge_stock_findings((ours,), SAYS) == (
        replace(ours, evidence="machine AArch64, not x86-64 [auditwheel 6.8: ignored]"),
    )


def test_another_problem_is_a_finding_of_its_own() -> None:
    others = (finding("elf-machine", RG), finding("record-hash", CODEX))
    (*same, added) = merge_stock_findings(others, SAYS)
    assert tuple(same) == others
    assert (added.check, added.severity, added.place, added.evidence) == (
        "auditwheel-verdict",
        Severity.ERROR,
        CODEX,
        "auditwheel 6.8: ignored",
    )


def test_a_problem_without_a_member_is_placed_at_the_wheel() -> None:
    stock_finding = StockFinding(place=None, evidence="needs a.dll", checks=("pe-dll",), mentions="a.dll")
    says = StockReport(wheel="w.whl", tool=StockTool.DELVEWHEEL, version="1", findings=(stock_finding,))
    assert merge_stock_findings((finding("pe-dll", RG, "needs A.DLL"),), says)[0].evidence == (
        "needs A.DLL [delvewheel 1: needs a.dll]"
    )
    assert [(each.check, each.place) for each in merge_stock_findings((), says)] == [
        ("delvewheel-verdict", "w.whl")
    ]


def test_a_weak_problem_is_not_a_finding_of_its_own() -> None:
    stock_finding = StockFinding(
        place=None, evidence="not all found", checks=("macho-dependency",), is_enough=False
    )
    says = StockReport(wheel="w.whl", tool=StockTool.DELOCATE, version="1", findings=(stock_finding,))
    assert merge_stock_findings((), says) == ()
    (joined,) = merge_stock_findings((finding("macho-dependency", RG),), says)
    assert joined.evidence == "seen [delocate 1: not all found]"


def test_delocate_with_otool_reports_libraries(tmp_path: Path) -> None:
    otool = tmp_path / "bin" / "otool"
    otool.parent.mkdir()
    otool.write_text("#!/bin/sh\n")
    otool.chmod(0o755)
    name = "openai_codex_cli_bin-0.163.0-py3-none-macosx_11_0_arm64.whl"
    answer = {
        "version": "0.13",
        "error": None,
        "name": name,
        "libraries": ["/opt/a.dylib"],
        "missing": "some",
    }
    contents = contents_of(tmp_path, "macosx_11_0_arm64", GOOD["macosx_11_0_arm64"])
    runner = answering("delocate", answer)
    stock_report = report_on(contents, exchange(tmp_path), runner, path=str(otool.parent))
    assert [(each.evidence, each.is_enough) for each in stock_report.findings] == [
        ("needs /opt/a.dylib", True),
        ("some", False),
    ]
    (linked,) = (tmp_path / "exchange").glob(f"*/tree/{CODEX}")
    assert linked.read_bytes() == GOOD["macosx_11_0_arm64"][CODEX]


def test_a_report_without_problems_adds_no_findings() -> None:
    ours = (finding("elf-machine", CODEX),)
    assert merge_stock_findings(ours, replace(SAYS, findings=())) == ours
    assert [check.id for check in CHECKS] == ["auditwheel-verdict", "delocate-verdict", "delvewheel-verdict"]


REAL = {
    MANYLINUX: (CODEX, replace(DYNAMIC_ELF, versions=(("libc.so.6", ("GLIBC_2.34",)),)).content()),
    MUSLLINUX: (RG, DYNAMIC_ELF.content()),
    "manylinux_2_17_aarch64": (RG, Elf().content()),
    "macosx_11_0_arm64": (RG, MachO(minimum_macos=(14, 0, 0)).content()),
    "macosx_10_9_x86_64": (CODEX, GOOD_X86_64.content()),
    "win_amd64": (RG_EXE, replace(GOOD_PE, imports=("libssl-3-x64.dll",)).content()),
    "win_arm64": (RG_EXE, Pe(machine=0xAA64, imports=("VCRUNTIME140.dll",)).content()),
}


@pytest.mark.parametrize("platform", GOOD)
def test_the_real_tools_accept_good_wheels(tmp_path: Path, platform: str) -> None:
    contents = contents_of(tmp_path, platform, GOOD[platform])
    stock_report = report_on(contents, exchange(tmp_path), SubprocessRunner())
    assert (stock_report.not_run, stock_report.findings) == (None, ())
    assert stock_report.version[0].isdigit()


@pytest.mark.parametrize("platform", REAL)
def test_the_real_tools_report_the_same_problem_as_the_checks(tmp_path: Path, platform: str) -> None:
    place, content = REAL[platform]
    files = {**GOOD.get(platform, {}), place: content}
    contents = contents_of(tmp_path, platform, files)
    stock_report = report_on(contents, exchange(tmp_path), SubprocessRunner())
    ours = tuple(each for check in IMAGE_CHECKS for each in check.findings(contents))
    both = merge_stock_findings(ours, stock_report)
    assert len(both) == len(ours)
    witness = f"[{stock_report.tool} {stock_report.version}: "
    assert any(witness in each.evidence for each in both if each.place == place)


def test_delocate_gets_the_slices_of_a_universal_file(tmp_path: Path) -> None:
    files = {CODEX: FatMachO(slices=(GOOD_X86_64, GOOD_ARM64)).content()}
    contents = contents_of(tmp_path, "macosx_10_12_universal2", files)
    stock_report = report_on(contents, exchange(tmp_path), SubprocessRunner())
    assert (stock_report.not_run, stock_report.findings) == (None, ())
