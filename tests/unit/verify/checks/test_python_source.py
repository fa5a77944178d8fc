import gc
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from factory.verify.checks.python_source import defined_names, parsed_source


def give_way(_phase: str, _details: dict[str, int]) -> None:
    time.sleep(0)


@pytest.fixture
def collections_that_give_way() -> Iterator[None]:
    """Let the collector run often, and other threads in the middle of it: where the parser's count breaks."""
    before = gc.get_threshold()
    gc.callbacks.append(give_way)
    gc.set_threshold(50)
    yield
    gc.set_threshold(*before)
    gc.callbacks.remove(give_way)


@pytest.mark.usefixtures("collections_that_give_way")
def test_wheels_judged_at_the_same_time_do_not_disturb_each_other() -> None:
    source = "\n".join(f"def name_{number}(a, b=[1, (2, 3)]):\n    return [a, b]" for number in range(60))
    with ThreadPoolExecutor(max_workers=4) as pool:
        lengths = list(pool.map(lambda _: len(parsed_source(source)), range(100)))
    assert lengths == [60] * 100


def test_names_are_those_of_the_top_level() -> None:
    source = "import os as system\nfrom a.b import c\nX = 1\ny: int = 2\ndef f():\n    z = 3\nclass C: pass\n"
    assert defined_names(source) == {"system", "c", "X", "y", "f", "C"}


@pytest.mark.parametrize("source", ["def", "\0", "(" * 5000, "x = " + "-" * 50_000 + "1"])
def test_what_is_no_python_defines_nothing(source: str) -> None:
    assert defined_names(source) == frozenset()
