from pathlib import Path

from factory.core.digests import Sha256
from tests.mutants.page import NO_REASON, PAGE, render
from tests.mutants.results import (
    ModuleResult,
    Survivor,
    load_reasons,
    load_results,
    save_results,
)

CHANGE = "- if not self.path:\n+ if self.path:"
RESULT = ModuleResult(
    module="factory/manifest/dist.py",
    sha256=Sha256("0" * 64),
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
    }
    assert survivors == set(load_reasons())


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    save_results(RESULTS, tmp_path / "results.json")
    assert load_results(tmp_path / "results.json") == RESULTS


def test_a_page_lists_each_survivor_with_its_reason() -> None:
    page = render(RESULTS, {("factory.manifest.dist.Dist.load", CHANGE): "It is never empty."})
    assert "| `factory/manifest/dist.py` | 200 | 60 | 59 | 1 | 98.3 % |" in page
    assert "- `Dist.load`: `` if not self.path: `` became `` if self.path: ``. It is never empty." in page
    assert NO_REASON not in page
    assert NO_REASON in render(RESULTS, {})
