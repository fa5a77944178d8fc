from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from factory.core.digests import Sha256
from tests.mutants.page import NO_REASON, PAGE, render
from tests.mutants.results import (
    ModuleResult,
    Survivor,
    load_reasons,
    load_results,
    save_results,
)
from tests.mutants.usual_reasons import usual_reason

CHANGE = "- if not self.path:\n+ if self.path:"
RESULT = ModuleResult(
    module="factory/manifest/dist.py",
    sha256=Sha256("0" * 64),
    measured_at=datetime(2026, 11, 29, 7, 20, tzinfo=UTC),
    mutants=200,
    drawn=60,
    survivors=(Survivor(mutant="factory.manifest.dist.xǁDistǁload__mutmut_3", change=CHANGE),),
)
RESULTS = {RESULT.module: RESULT}


def test_the_page_is_current() -> None:
    assert render(load_results(), load_reasons()) == PAGE.read_text(encoding="utf-8"), "run 'make mutants'"


def test_every_survivor_has_a_reason_and_every_reason_a_survivor() -> None:
    survivors = {
        (survivor.function, survivor.change)
        for result in load_results().values()
        for survivor in result.survivors
        if (survivor.function, survivor.change) in load_reasons() or usual_reason(survivor.change) is None
    }
    assert survivors == set(load_reasons())


@pytest.mark.parametrize(
    ("change", "start"),
    [
        ("- case _:\n- assert_never(outcome)", "Equivalent: mypy proves"),
        ("- assert_never(outcome)\n+ assert_never(None)", "Equivalent: mypy proves"),
        ("- zip(a, b, strict=True)\n+ zip(a, b, strict=False)", "Equivalent: the sequences"),
        ("- zip(a, b, strict=True)\n+ zip(a, b, )", "Equivalent: the sequences"),
        ('- a.decode("utf-8")\n+ a.decode("UTF-8")', "Equivalent: the names of encodings"),
        ("- json.dumps(a, indent=1)\n+ json.dumps(a, indent=None)", "Equivalent: white space"),
        ('- sentence = "It differs."\n+ sentence = "XXIt differs.XX"', "Only the wording"),
        ('- sentence = "It differs."\n+ sentence = "IT DIFFERS."', "Only the wording"),
    ],
)
def test_a_usual_survivor_has_a_reason(change: str, start: str) -> None:
    assert (usual_reason(change) or "").startswith(start)


@pytest.mark.parametrize(
    "change",
    [
        '- id = "generator"\n+ id = "XXgeneratorXX"',
        '- id = "generator"\n+ id = "GENERATOR"',
        "- if a and b:\n+ if a or b:",
        "- return a\n+ return None",
        '- sentence = "It differs."\n+ sentence = None',
        "- zip(a, b, strict=True)\n+ zip(a, None, strict=True)",
    ],
)
def test_a_changed_value_needs_a_reason_of_its_own(change: str) -> None:
    assert usual_reason(change) is None


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    save_results(RESULTS, tmp_path / "results.json")
    assert load_results(tmp_path / "results.json") == RESULTS


def test_a_page_lists_each_survivor_with_its_reason() -> None:
    page = render(RESULTS, {("factory.manifest.dist.Dist.load", CHANGE): "It is never empty."})
    assert "| `factory/manifest/dist.py` | 200 | 60 | 59 | 1 | 98.3 % | 2026-11-29 07:20 |" in page
    assert "- `Dist.load`: `` if not self.path: `` became `` if self.path: ``. It is never empty." in page
    assert NO_REASON not in page
    assert NO_REASON in render(RESULTS, {})


def test_a_page_names_the_modules_without_mutants() -> None:
    empty = replace(RESULT, module="factory/audit/answer.py", mutants=0, drawn=0, survivors=())
    page = render({**RESULTS, empty.module: empty}, {})
    assert "for this reason: `factory/audit/answer.py`." in page
    assert "| `factory/audit/answer.py` |" not in page
    assert "| together | | 60 | 59 | 1 | 98.3 % | |" in page
    assert empty.killed_percent == 100.0
