"""The driver in a process of its own, with a fake SDK on its path, and its JSON result."""

import json
import os
import re
import sys
from pathlib import Path

import pytest

from factory.core.case_result import CaseOutcome, CaseResult, UnparsedMessage
from factory.core.errors import UsageError
from factory.sdk.accept.cases import CASE_NAMES, CASES, cases_named
from factory.sdk.accept.driver.__main__ import run_case
from factory.sdk.accept.driver.case_context import CaseContext, NotApplicable
from factory.sdk.accept.driver.case_functions import CASE_FUNCTIONS
from tests import protocols
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


def result(
    directory: Path, constructor: str, *, needs: tuple[str, ...] = (), limit_s: float = 30, end: str = ""
) -> object:
    """Run the case with an SDK that has this constructor and this code at its end."""
    sdk = SDK.format(constructor=constructor) + end
    (directory / "openai_codex.py").write_text(sdk, encoding="utf-8")
    home = directory / "home"
    home.mkdir()
    request: dict[str, object] = {
        "case": CASE,
        "needs": needs,
        "home": str(home),
        "package": "openai_codex",
        "codex": None,
        "version": "0.163.0",
        "environ": {},
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
    """Whether a process is gone, or dead but not yet reaped."""
    try:
        stat = Path("/proc", str(pid), "stat").read_text(encoding="utf-8")
    except FileNotFoundError:
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"


def test_cases_and_case_functions_match() -> None:
    assert tuple(CASE_FUNCTIONS) == CASE_NAMES


def test_cases_are_chosen_by_name_in_table_order() -> None:
    chosen = cases_named(("closing-twice", "constructor-initialises"))
    assert [case.name for case in chosen] == ["constructor-initialises", "closing-twice"]
    assert len(cases_named(())) == 41
    with pytest.raises(UsageError, match="no acceptance case 'no-such-case'"):
        cases_named(("no-such-case",))


def test_an_sdk_that_behaves_as_documented_passes(tmp_path: Path) -> None:
    assert result(tmp_path, REFUSE) == {"outcome": "passed", "detail": ""}


def test_an_sdk_that_raises_another_error_fails(tmp_path: Path) -> None:
    assert result(tmp_path, "raise ValueError('other')") == {
        "outcome": "failed",
        "detail": "expected FileNotFoundError, got ValueError: other",
    }


def test_an_sdk_that_does_nothing_fails(tmp_path: Path) -> None:
    document = result(tmp_path, "pass")
    assert isinstance(document, dict)
    assert document["outcome"] == "failed"
    assert document["detail"].startswith("expected FileNotFoundError, got no error")


@pytest.mark.parametrize("need", ["Codex.thread_fork", "Nothing", "absent:Codex"])
def test_a_case_that_needs_what_the_sdk_lacks_is_not_applicable(tmp_path: Path, need: str) -> None:
    assert result(tmp_path, REFUSE, needs=("Codex", "CodexConfig", need)) == {
        "outcome": "not-applicable",
        "detail": f"this SDK has no {need}",
    }


def test_an_sdk_with_a_missing_requirement_fails(tmp_path: Path) -> None:
    assert result(tmp_path, REFUSE, needs=("Codex",), end="import no_such_module\n") == {
        "outcome": "failed",
        "detail": "ModuleNotFoundError: No module named 'no_such_module'",
    }


def test_an_sdk_that_exits_fails(tmp_path: Path) -> None:
    assert result(tmp_path, "sys.exit(3)") == {"outcome": "failed", "detail": "SystemExit: 3"}


def test_a_case_that_hangs_is_stopped(tmp_path: Path) -> None:
    assert result(tmp_path, "time.sleep(60)", limit_s=0.2) == {
        "outcome": "failed",
        "detail": "did not end within 0.2 s",
    }


@pytest.mark.skipif(sys.platform != "linux", reason="processes are listed on Linux only")
def test_a_process_left_behind_fails_the_case_and_is_killed(tmp_path: Path) -> None:
    keep = f"open({str(tmp_path / 'pid')!r}, 'w').write(str({SLEEPER}.pid)); {REFUSE}"
    document = result(tmp_path, keep)
    assert isinstance(document, dict)
    assert document["outcome"] == "failed"
    assert document["detail"].startswith("left behind: python")
    assert has_ended(int((tmp_path / "pid").read_text()))


def test_the_documentation_lists_every_case() -> None:
    page = (ROOT / "docs" / "sdk.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z-]+)` \| (.+) \| the (runtime|SDK) \|$", page, re.MULTILINE)
    assert rows == [(case.name, case.proves, "runtime" if case.uses_runtime else "SDK") for case in CASES]


def test_a_runtime_without_the_feature_makes_a_case_not_applicable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lacks(_context: CaseContext) -> None:
        raise NotApplicable("this release has no code mode")

    monkeypatch.setitem(CASE_FUNCTIONS, "code-mode", lacks)
    context = CaseContext(home=tmp_path, package="json", codex=None, version="0.110.0", environ={})
    assert run_case("code-mode", ("loads|absent", "absent|dumps"), context) == CaseResult(
        case="code-mode", outcome=CaseOutcome.NOT_APPLICABLE, detail="this release has no code mode"
    )
    assert run_case("code-mode", ("absent|missing",), context).detail == "this SDK has no absent|missing"


MODELS = """
class Turn:
    @classmethod
    def model_validate(cls, value):
        if "failed" in str(value):
            raise ValueError("1 error\\nturn.status\\n  Input should be 'completed'")
TurnCompletedNotification = Turn
"""
REGISTRY = """
from openai_codex.generated.v2_all import Turn
NOTIFICATION_MODELS = {"turn/completed": Turn}
"""


def messages_case(directory: Path, monkeypatch: pytest.MonkeyPatch, *, runtime: bytes) -> CaseResult:
    """Run the case about messages with fake types, and an executable that writes a small protocol."""
    codex = directory / "codex"
    codex.write_bytes(runtime)
    codex.chmod(0o755)
    generated = directory / "openai_codex/generated"
    generated.mkdir(parents=True)
    for name, text in (
        ("../__init__", ""),
        ("__init__", ""),
        ("v2_all", MODELS),
        ("notification_registry", REGISTRY),
    ):
        (generated / f"{name}.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(str(directory))
    for name in [name for name in sys.modules if name.split(".")[0] == "openai_codex"]:
        monkeypatch.delitem(sys.modules, name)
    home = directory / "home"
    home.mkdir()
    context = CaseContext(home=home, package="openai_codex", codex=str(codex), version="0.163.0", environ={})
    (case,) = cases_named(("every-message-is-parsed",))
    return run_case(case.name, case.needs, context)


@pytest.mark.skipif(os.name == "nt", reason="the executable is a shell script")
def test_messages_that_cannot_be_parsed_fail_the_case_and_are_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert messages_case(tmp_path, monkeypatch, runtime=protocols.runtime()) == CaseResult(
        case="every-message-is-parsed",
        outcome=CaseOutcome.FAILED,
        detail="1 of 2 messages cannot be parsed: turn/completed",
        unparsed=(
            UnparsedMessage(
                kind="server notification",
                name="turn/completed",
                example="TurnStatus (failed)",
                problem="turn.status Input should be 'completed'",
            ),
        ),
    )


@pytest.mark.skipif(os.name == "nt", reason="the executable is a shell script")
def test_messages_that_can_all_be_parsed_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    protocol = protocols.definitions()
    protocols.v2(protocol)["TurnStatus"] = {"type": "string", "enum": ["completed"]}

    assert messages_case(tmp_path, monkeypatch, runtime=protocols.runtime(protocol)) == CaseResult(
        case="every-message-is-parsed",
        outcome=CaseOutcome.PASSED,
        detail="2 messages, 1 of them without a type",
    )


@pytest.mark.skipif(os.name == "nt", reason="the executable is a shell script")
def test_a_runtime_that_writes_no_schema_is_not_a_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = protocols.script("echo 'no such command' >&2", "exit 2")

    assert messages_case(tmp_path, monkeypatch, runtime=runtime) == CaseResult(
        case="every-message-is-parsed",
        outcome=CaseOutcome.COULD_NOT_RUN,
        detail="the runtime wrote no schema: no such command",
    )
