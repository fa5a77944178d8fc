import json
import struct
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from factory.core.model import Finding, Severity
from factory.system.process import Command, Completed, SubprocessRunner
from factory.verify.reading.contents import Problem, ProblemKind
from factory.verify.stock import stock_tools
from factory.verify.stock.stock_statements import Statement, StockTool
from factory.verify.stock.stock_tools import (
    CHECKS,
    Consultation,
    consult,
    corroborate,
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
BRIDGE = Path(stock_tools.__file__).parent
KNOWN = ["linux_x86_64", "manylinux_2_34_x86_64", "manylinux_2_28_x86_64", "manylinux_2_17_x86_64"]


def answering(tool: str, answer: Mapping[str, object]) -> FakeRunner:
    def write(command: Command) -> None:
        Path(command.argv[-1]).write_text(json.dumps(answer))

    return FakeRunner(Expected(argv=("-I", str(BRIDGE / f"{tool}_facts.py")), effect=write))


def exchange(tmp_path: Path) -> Path:
    directory = tmp_path / "exchange"
    directory.mkdir()
    return directory


def ask(tmp_path: Path, platform: str, files: Mapping[str, bytes], runner: FakeRunner) -> Consultation:
    consultation = consult(contents_of(tmp_path, platform, files), scratch=exchange(tmp_path), runner=runner)
    assert consultation is not None
    runner.assert_done()
    return consultation


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
def test_auditwheel_is_content(tmp_path: Path, platform: str, policy: str) -> None:
    consultation = ask(tmp_path, platform, GOOD[MANYLINUX], auditwheel(policy))
    assert consultation == Consultation(
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
    (statement,) = ask(tmp_path, platform, GOOD[MANYLINUX], auditwheel(policy)).statements
    assert (statement.place, statement.evidence) == (None, f"consistent with {policy} only")


def test_files_that_auditwheel_ignores_are_statements(tmp_path: Path) -> None:
    runner = auditwheel("manylinux_2_17_x86_64", analysed=(CODEX,))
    (statement,) = ask(tmp_path, MANYLINUX, GOOD[MANYLINUX], runner).statements
    assert statement.place == RG
    assert statement.evidence == "ignored: of another libc or architecture, or not in RECORD"


def test_delocate_is_shown_headers_and_finds_a_newer_macos(tmp_path: Path) -> None:
    name = "openai_codex_cli_bin-0.163.0-py3-none-macosx_10_12_x86_64.whl"
    runner = answering(
        "delocate", {"version": "0.13", "error": None, "name": name, "libraries": [], "missing": None}
    )
    consultation = ask(tmp_path, "macosx_10_9_x86_64", {CODEX: GOOD_X86_64.content()}, runner)
    (statement,) = consultation.statements
    assert statement.evidence == "its tag should be macosx_10_12_x86_64"
    (header,) = (tmp_path / "exchange" / "headers").iterdir()
    assert struct.unpack_from("<I", header.read_bytes()) == (0xFEEDFACF,)
    assert header.stat().st_size < 1024


def test_delocate_accepts_a_tag_that_promises_less(tmp_path: Path) -> None:
    name = "openai_codex_cli_bin-0.163.0-py3-none-macosx_10_12_x86_64.whl"
    runner = answering(
        "delocate", {"version": "0.13", "error": None, "name": name, "libraries": [], "missing": None}
    )
    assert ask(tmp_path, "macosx_10_13_x86_64", {CODEX: GOOD_X86_64.content()}, runner).statements == ()


def test_delvewheel_names_each_missing_dll_once(tmp_path: Path) -> None:
    missing = {CODEX_EXE: ["a.dll"], RG_EXE: ["a.dll", "b.dll"]}
    runner = answering("delvewheel", {"version": "1", "error": None, "missing": missing})
    consultation = ask(tmp_path, "win_amd64", GOOD["win_amd64"], runner)
    assert [statement.evidence for statement in consultation.statements] == [
        "does not find a.dll",
        "does not find b.dll",
    ]


def test_a_tool_that_fails_is_told_as_not_run(tmp_path: Path) -> None:
    runner = FakeRunner(
        Expected(
            argv=(str(BRIDGE / "delvewheel_facts.py"),),
            completed=Completed(returncode=1, output="Boom\n"),
        )
    )
    consultation = ask(tmp_path, "win_amd64", GOOD["win_amd64"], runner)
    assert consultation.not_run == "delvewheel ended with exit status 1: Boom"


def test_a_tool_that_writes_no_answer_is_told_as_not_run(tmp_path: Path) -> None:
    runner = FakeRunner(Expected(argv=(str(BRIDGE / "auditwheel_facts.py"),)))
    assert ask(tmp_path, MANYLINUX, GOOD[MANYLINUX], runner).not_run is not None


def test_a_wheel_that_could_not_be_read_whole_is_given_to_no_tool(tmp_path: Path) -> None:
    bomb = Problem(kind=ProblemKind.BOMB, place=CODEX, evidence="4 GB of zeros")
    contents = replace(contents_of(tmp_path, MANYLINUX, GOOD[MANYLINUX]), problems=(bomb,))
    consultation = consult(contents, scratch=exchange(tmp_path), runner=FakeRunner())
    assert consultation is not None
    assert consultation.not_run == "the archive could not be read whole"


def test_the_process_inherits_nothing(tmp_path: Path) -> None:
    command = plan_question(
        StockTool.DELVEWHEEL, question=tmp_path / "q", answer=tmp_path / "a", search_path="/usr/bin"
    )
    assert command.argv[1:] == (
        "-I",
        "-B",
        str(BRIDGE / "delvewheel_facts.py"),
        str(tmp_path / "q"),
        str(tmp_path / "a"),
    )
    assert command.env["PATH"] == ""
    assert set(command.env) == {"PATH", "TMPDIR"}
    assert command.cwd == tmp_path


SAYS = Consultation(
    wheel="w.whl",
    tool=StockTool.AUDITWHEEL,
    version="6.8",
    statements=(Statement(place=CODEX, evidence="ignored", checks=("elf-",)),),
)


def test_one_defect_seen_twice_is_one_finding_with_two_witnesses() -> None:
    ours = finding("elf-machine", CODEX, "machine AArch64, not x86-64")
    assert corroborate((ours,), SAYS) == (
        replace(ours, evidence="machine AArch64, not x86-64 [auditwheel 6.8: ignored]"),
    )


def test_a_finding_of_something_else_keeps_its_evidence_and_the_tool_gets_its_own() -> None:
    others = (finding("elf-machine", RG), finding("record-hash", CODEX))
    (*same, added) = corroborate(others, SAYS)
    assert tuple(same) == others
    assert (added.check, added.severity, added.place, added.evidence) == (
        "auditwheel-verdict",
        Severity.ERROR,
        CODEX,
        "auditwheel 6.8: ignored",
    )


def test_a_statement_about_the_wheel_is_placed_there() -> None:
    statement = Statement(place=None, evidence="needs a.dll", checks=("pe-dll",), mentions="a.dll")
    says = Consultation(wheel="w.whl", tool=StockTool.DELVEWHEEL, version="1", statements=(statement,))
    assert corroborate((finding("pe-dll", RG, "needs A.DLL"),), says)[0].evidence == (
        "needs A.DLL [delvewheel 1: needs a.dll]"
    )
    assert [(each.check, each.place) for each in corroborate((), says)] == [("delvewheel-verdict", "w.whl")]


def test_a_weak_statement_joins_a_finding_and_makes_none() -> None:
    statement = Statement(place=None, evidence="not all found", checks=("macho-dependency",), is_enough=False)
    says = Consultation(wheel="w.whl", tool=StockTool.DELOCATE, version="1", statements=(statement,))
    assert corroborate((), says) == ()
    (joined,) = corroborate((finding("macho-dependency", RG),), says)
    assert joined.evidence == "seen [delocate 1: not all found]"


def test_delocate_with_an_otool_tells_of_libraries(tmp_path: Path) -> None:
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
    consultation = consult(
        contents_of(tmp_path, "macosx_11_0_arm64", GOOD["macosx_11_0_arm64"]),
        scratch=exchange(tmp_path),
        runner=answering("delocate", answer),
        search_path=str(otool.parent),
    )
    assert consultation is not None
    assert [(each.evidence, each.is_enough) for each in consultation.statements] == [
        ("needs /opt/a.dylib", True),
        ("some", False),
    ]
    assert (tmp_path / "exchange" / "tree" / CODEX).read_bytes() == GOOD["macosx_11_0_arm64"][CODEX]


def test_silence_adds_nothing() -> None:
    ours = (finding("elf-machine", CODEX),)
    assert corroborate(ours, replace(SAYS, statements=())) == ours
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
def test_the_real_tools_hold_nothing_against_good_wheels(tmp_path: Path, platform: str) -> None:
    contents = contents_of(tmp_path, platform, GOOD[platform])
    consultation = consult(contents, scratch=exchange(tmp_path), runner=SubprocessRunner())
    assert consultation is not None
    assert (consultation.not_run, consultation.statements) == (None, ())
    assert consultation.version[0].isdigit()


@pytest.mark.parametrize("platform", REAL)
def test_the_real_tools_see_the_same_defect_as_we_do(tmp_path: Path, platform: str) -> None:
    place, content = REAL[platform]
    files = {**GOOD.get(platform, {}), place: content}
    contents = contents_of(tmp_path, platform, files)
    consultation = consult(contents, scratch=exchange(tmp_path), runner=SubprocessRunner())
    assert consultation is not None
    ours = tuple(each for check in IMAGE_CHECKS for each in check.findings(contents))
    both = corroborate(ours, consultation)
    assert len(both) == len(ours)
    witness = f"[{consultation.tool} {consultation.version}: "
    assert any(witness in each.evidence for each in both if each.place == place)


def test_a_universal_file_is_shown_to_delocate_slice_by_slice(tmp_path: Path) -> None:
    files = {CODEX: FatMachO(slices=(GOOD_X86_64, GOOD_ARM64)).content()}
    contents = contents_of(tmp_path, "macosx_10_12_universal2", files)
    consultation = consult(contents, scratch=exchange(tmp_path), runner=SubprocessRunner())
    assert consultation is not None
    assert (consultation.not_run, consultation.statements) == (None, ())
