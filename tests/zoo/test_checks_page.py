import shutil
from pathlib import Path

import pytest

from factory.build.deflate_check import deflate_identity
from factory.system.process import Completed, SubprocessRunner
from tests.zoo.catalogue import ZOO
from tests.zoo.checks_page import PAGE, render
from tests.zoo.stock_results import load, measure, own_digest, questions, save
from tests.zoo.stock_tools import Answer, Mark, StockTool, mark

MANYLINUX = "openai_codex_cli_bin-0.163.0-py3-none-manylinux_2_17_x86_64.whl"
MACOS = "openai_codex_cli_bin-0.163.0-py3-none-macosx_11_0_arm64.whl"
SAMPLE = {
    "a wrong CRC in both headers",
    "a shell stub before the archive",
    "a path out of site-packages",
    "a renamed wheel",
    "no RECORD",
    "an invalid Requires-Python",
    "a glibc newer than the tag's",
    "a deployment target newer by a minor version",
    "a Homebrew library",
    "a missing DLL",
}
needs_stock_zlib = pytest.mark.skipif(
    not deflate_identity().is_reference, reason="the results are for wheels compressed with stock zlib"
)

needs_llvm = pytest.mark.skipif(
    shutil.which("llvm-otool-14") is None, reason="delocate needs an otool: Debian's llvm-14"
)


def answer(*lines: str, returncode: int = 0) -> Answer:
    return Answer(returncode=returncode, lines=lines)


def test_the_page_is_current() -> None:
    assert render(load()) == PAGE.read_text(encoding="utf-8"), "run 'make docs'"


@needs_stock_zlib
def test_every_result_is_for_the_current_wheel_of_the_zoo() -> None:
    known = {
        (question.breakage, question.sha256): question.platform
        for question in load()
        if question.tool is StockTool.PIP
    }
    assert known == {(breakage.name, own_digest(breakage)): breakage.platform for breakage in ZOO}, (
        "run 'make docs'"
    )


def test_results_are_the_same_after_writing_and_reading(tmp_path: Path) -> None:
    save(load(), tmp_path / "results.json")
    assert load(tmp_path / "results.json") == load()


@pytest.mark.slow
@needs_stock_zlib
def test_there_is_a_result_for_every_question() -> None:
    assert set(load()) == {question for breakage in ZOO for question in questions(breakage)}


@pytest.mark.slow
@needs_stock_zlib
@needs_llvm
def test_the_tools_still_give_the_same_results() -> None:
    sample = [breakage for breakage in ZOO if breakage.name in SAMPLE]
    assert len(sample) == len(SAMPLE)
    known = load()
    asked = measure(sample, {}, runner=SubprocessRunner(), jobs=2)
    assert {question: result.mark for question, result in asked.items()} == {
        question: known[question].mark for question in asked
    }


@pytest.mark.parametrize(
    ("tool", "line"),
    [
        (StockTool.AUDITWHEEL, "WARNING:auditwheel.wheel_abi:ignoring: rg with glibc libc"),
        (StockTool.DELVEWHEEL, "libssl-3-x64.dll (Error: Not Found)"),
        (StockTool.DELOCATE, "@rpath/libown.1.dylib not found:"),
        (StockTool.PIP, "WARNING: Package 'x' has an invalid Requires-Python"),
    ],
)
def test_a_line_printed_for_the_good_wheel_too_does_not_count(tool: StockTool, line: str) -> None:
    assert mark(tool, answer(line), good=answer(), wheel=MANYLINUX) == (Mark.REPORTED, line)
    assert mark(tool, answer(line), good=answer(line), wheel=MANYLINUX) == (Mark.SILENT, "")


def test_a_policy_newer_than_the_tag_counts_and_an_older_one_does_not() -> None:
    newer, older = (
        f'consistent with the following platform tag: "manylinux_2_{minor}_x86_64"' for minor in (34, 5)
    )
    assert mark(StockTool.AUDITWHEEL, answer(newer), good=answer(older), wheel=MANYLINUX) == (
        Mark.REPORTED,
        newer,
    )
    assert mark(StockTool.AUDITWHEEL, answer(older), good=answer(), wheel=MANYLINUX) == (Mark.SILENT, "")


def test_a_wheel_without_a_policy_counts() -> None:
    said = 'consistent with the following platform tag: "linux_x86_64"'
    assert mark(StockTool.AUDITWHEEL, answer(said), good=answer(), wheel=MANYLINUX) == (Mark.REPORTED, said)


def test_another_name_for_the_delocated_wheel_counts() -> None:
    said = "INFO:delocate.delocating:Output:out/x-0.163.0-py3-none-macosx_14_0_arm64.whl"
    assert mark(StockTool.DELOCATE, answer(said), good=answer(), wheel=MACOS) == (
        Mark.REPORTED,
        "macosx_14_0_arm64",
    )


def test_a_tools_own_error_is_a_refusal_and_any_other_a_crash() -> None:
    traceback = "Traceback (most recent call last):"
    own = answer(traceback, "delocate.libsana.DelocationError: Could not find it.", returncode=1)
    foreign = answer(traceback, "zipfile.BadZipFile: Bad CRC-32", returncode=1)
    assert mark(StockTool.DELOCATE, own, good=answer(), wheel=MACOS)[0] is Mark.REFUSED
    assert mark(StockTool.DELOCATE, foreign, good=answer(), wheel=MACOS)[0] is Mark.CRASHED


def test_an_exit_status_that_the_good_wheel_causes_too_is_not_a_refusal() -> None:
    noise = answer("W002: Wheel contains duplicate files:", returncode=1)
    assert mark(StockTool.CHECK_WHEEL_CONTENTS, noise, good=noise, wheel=MACOS) == (Mark.SILENT, "")


def test_an_answer_has_no_directories_styles_and_temporary_names() -> None:
    run = Completed(returncode=0, output="\x1b[31mERROR\x1b[0m: /scratch/tmpab12_xyz/a in /scratch/x.whl\n")
    said = Answer.of([run, Completed(returncode=2)], directory=Path("/scratch"))
    assert said == answer("ERROR: TMP/a in x.whl", "", returncode=2)
