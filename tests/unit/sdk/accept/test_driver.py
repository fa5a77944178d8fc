"""The driver as it runs: a process with an SDK of ours on its path, and one JSON answer."""

import json
import os
import re
import sys
from pathlib import Path

import pytest

from factory.sdk.accept.cases import CASE_NAMES, CASES, UnknownCase, cases_named
from factory.sdk.accept.driver.case_functions import CASE_FUNCTIONS
from tests.children import ROOT, Child

SDK = """
import subprocess, sys, time
class CodexConfig:
    def __init__(self, codex_bin=None, **others):
        self.codex_bin = codex_bin
class Codex:
    def __init__(self, configuration=None):
        {constructor}
"""
CASE = "override-points-nowhere"
SLEEPER = "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'], start_new_session=True)"
REFUSE = "raise FileNotFoundError(configuration.codex_bin)"


def answer(
    directory: Path, constructor: str, *, needs: tuple[str, ...] = (), limit_s: float = 30, end: str = ""
) -> object:
    """Try an SDK whose constructor does this, and whose module ends with that."""
    sdk = SDK.format(constructor=constructor) + end
    (directory / "openai_codex.py").write_text(sdk, encoding="utf-8")
    home = directory / "home"
    home.mkdir()
    request = {
        "case": CASE,
        "needs": needs,
        "home": str(home),
        "codex": None,
        "version": "0.163.0",
        "limit_s": limit_s,
    }
    ended = Child(
        argv=(sys.executable, "-m", "factory.sdk.accept.driver", json.dumps(request)),
        environ={"PYTHONPATH": os.pathsep.join((str(ROOT), str(directory))), "HOME": str(home)},
        cwd=directory,
    ).run()
    assert ended.status == 0, ended.err
    document = json.loads(ended.out)
    assert document.pop("case") == CASE
    return document


def has_ended(pid: int) -> bool:
    """Whether a process is gone, or dead and only not reaped."""
    try:
        stat = Path("/proc", str(pid), "stat").read_text(encoding="utf-8")
    except FileNotFoundError:
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"


def test_every_case_has_its_code_and_the_other_way_round() -> None:
    assert tuple(CASE_FUNCTIONS) == CASE_NAMES


def test_cases_are_chosen_by_name_in_the_order_of_the_table() -> None:
    chosen = cases_named(("closing-twice", "constructor-initialises"))
    assert [case.name for case in chosen] == ["constructor-initialises", "closing-twice"]
    assert len(cases_named(())) == 26
    with pytest.raises(UnknownCase, match="no acceptance case 'no-such-case'"):
        cases_named(("no-such-case",))


def test_an_sdk_that_does_as_it_says_passes(tmp_path: Path) -> None:
    assert answer(tmp_path, REFUSE) == {"outcome": "passed", "detail": ""}


def test_an_sdk_that_does_something_else_fails_with_what_was_seen(tmp_path: Path) -> None:
    assert answer(tmp_path, "raise ValueError('other')") == {
        "outcome": "failed",
        "detail": "FileNotFoundError was due, and there was ValueError: other",
    }


def test_an_sdk_that_does_nothing_fails(tmp_path: Path) -> None:
    document = answer(tmp_path, "pass")
    assert isinstance(document, dict)
    assert document["outcome"] == "failed"
    assert document["detail"].startswith("FileNotFoundError was due, and there was none")


@pytest.mark.parametrize("need", ["Codex.thread_fork", "Nothing", "absent:Codex"])
def test_what_an_sdk_lacks_makes_a_case_not_applicable(tmp_path: Path, need: str) -> None:
    assert answer(tmp_path, REFUSE, needs=("Codex", "CodexConfig", need)) == {
        "outcome": "not-applicable",
        "detail": f"this SDK has no {need}",
    }


def test_an_sdk_that_lacks_what_it_requires_fails(tmp_path: Path) -> None:
    assert answer(tmp_path, REFUSE, needs=("Codex",), end="import no_such_module\n") == {
        "outcome": "failed",
        "detail": "ModuleNotFoundError: No module named 'no_such_module'",
    }


def test_an_sdk_that_ends_the_program_fails(tmp_path: Path) -> None:
    assert answer(tmp_path, "sys.exit(3)") == {"outcome": "failed", "detail": "SystemExit: 3"}


def test_a_case_that_hangs_is_ended(tmp_path: Path) -> None:
    assert answer(tmp_path, "time.sleep(60)", limit_s=0.2) == {
        "outcome": "failed",
        "detail": "no end within 0.2 s",
    }


@pytest.mark.skipif(sys.platform != "linux", reason="processes are listed on Linux only")
def test_a_process_that_is_left_behind_fails_the_case_and_is_ended(tmp_path: Path) -> None:
    keep = f"open({str(tmp_path / 'pid')!r}, 'w').write(str({SLEEPER}.pid)); {REFUSE}"
    document = answer(tmp_path, keep)
    assert isinstance(document, dict)
    assert document["outcome"] == "failed"
    assert document["detail"].startswith("left behind: python")
    assert has_ended(int((tmp_path / "pid").read_text()))


def test_the_page_tells_every_case() -> None:
    page = (ROOT / "docs" / "sdk.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z-]+)` \| (.+) \| the (runtime|SDK) \|$", page, re.MULTILINE)
    assert rows == [(case.name, case.proves, "runtime" if case.uses_runtime else "SDK") for case in CASES]
