"""What GitHub gets from a report: annotations and a summary that no wheel can break out of."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.unit.cli.conftest import Factory, cache, cache_with_toolchain, factory, packages
from tests.wheels import good_wheel
from tests.zoo.catalogue import ZOO

__all__ = ["cache", "cache_with_toolchain", "factory", "packages"]

SCRIPT = Path(__file__).resolve().parents[3] / ".ci/job_report.py"


@pytest.fixture(scope="module")
def job_report() -> ModuleType:
    spec = importlib.util.spec_from_file_location("job_report", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["job_report"] = module
    spec.loader.exec_module(module)
    return module


HOSTILE = "a%b\n::set-output name=x::y` | <script>"
FINDING = {
    "check": "elf-musl",
    "severity": "error",
    "place": "bin/x",
    "evidence": "it needs glibc",
    "remedy": "Do.",
}


def document(*findings: dict[str, str], **more: object) -> dict[str, object]:
    wheel = {"name": "a.whl", "not_looked_at": None, "findings": list(findings)}
    return {"verdict": "rejected", "wheels": [wheel], "releases": [], **more}


def reported(
    job_report: ModuleType,
    text: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> tuple[list[str], str]:
    (tmp_path / "report.json").write_text(text)
    summary = tmp_path / "summary"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    monkeypatch.setattr(sys, "argv", ["job_report.py", str(tmp_path / "report.json")])
    job_report.main()
    return capsys.readouterr().out.splitlines(), summary.read_text() if summary.exists() else ""


def test_each_problem_is_annotated_the_worst_first(
    job_report: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    note = {**FINDING, "severity": "note", "check": "pe-signature"}
    lines, summary = reported(job_report, json.dumps(document(note, FINDING)), tmp_path, monkeypatch, capsys)
    assert lines == [
        "::error title=elf-musl in a.whl::bin/x: it needs glibc > Do.",
        "::notice title=pe-signature in a.whl::bin/x: it needs glibc > Do.",
    ]
    assert summary == (
        "### codex-wheel-factory: `rejected`\n\nWheels: 1. Problems: 2.\n\n"
        "| severity | check | wheel | problem |\n|---|---|---|---|\n"
        "| error | `elf-musl` | `a.whl` | `bin/x: it needs glibc > Do.` |\n"
        "| note | `pe-signature` | `a.whl` | `bin/x: it needs glibc > Do.` |\n"
    )


def test_hostile_texts_stay_in_their_place(
    job_report: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    hostile = {**FINDING, "place": HOSTILE, "check": HOSTILE}
    lines, summary = reported(job_report, json.dumps(document(hostile)), tmp_path, monkeypatch, capsys)
    assert len(lines) == 1
    assert lines[0].startswith(
        "::error title=a%25b%0A%3A%3Aset-output name=x%3A%3Ay` | <script> in a.whl::a%25b%0A::"
    )
    (row,) = [line for line in summary.splitlines() if line.startswith("| error")]
    assert row.count("|") == 5
    assert row.count("`") == 6


def test_what_was_not_checked_or_not_rebuilt_is_a_problem(job_report: ModuleType) -> None:
    verify = {"wheels": [{"name": "a.whl", "not_looked_at": "too large", "findings": []}], "releases": []}
    assert [(row.severity, row.check, row.text) for row in job_report.rows(verify)] == [
        ("error", "not checked", "too large")
    ]
    cause = {"id": "encoder", "severity": "note", "place": "a.whl", "sentence": "It differs.", "evidence": ""}
    audit = {
        "wheels": [
            {"name": "a.whl", "outcome": "EQUIVALENT", "causes": [cause], "findings": [FINDING]},
            {"name": "b.whl", "outcome": "NOT-REBUILT", "reason": "no payload", "causes": [], "findings": []},
        ]
    }
    found = job_report.rows(audit)
    assert [(row.wheel, row.severity, row.check) for row in found] == [
        ("a.whl", "error", "elf-musl"),
        ("b.whl", "warning", "not rebuilt"),
        ("a.whl", "note", "encoder"),
    ]
    assert job_report.summary(audit, found).startswith("### codex-wheel-factory: `EQUIVALENT, NOT-REBUILT`\n")


def test_many_problems_are_cut(
    job_report: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    findings = [{**FINDING, "place": str(number)} for number in range(60)]
    lines, summary = reported(job_report, json.dumps(document(*findings)), tmp_path, monkeypatch, capsys)
    assert len(lines) == 50
    assert summary.endswith("\n10 more are in the JSON report.\n")
    assert "Problems: 60." in summary


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"wheels": [{}]}'])
def test_a_missing_report_is_an_annotation(
    text: str,
    job_report: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines, summary = reported(job_report, text, tmp_path, monkeypatch, capsys)
    assert lines[0].startswith("::error title=codex-wheel-factory::there is no report: ")
    assert (len(lines), summary) == (1, "")


def test_a_report_of_the_program_is_understood(
    job_report: ModuleType, factory: Factory, tmp_path: Path
) -> None:
    broken = next(breakage for breakage in ZOO if breakage.check == "record-size")
    path = broken.make(good_wheel(broken.platform)).write(tmp_path)
    ended = factory("verify", path, "--json")
    assert ended.status != 0
    assert any(row.severity == "error" for row in job_report.rows(ended.document))
