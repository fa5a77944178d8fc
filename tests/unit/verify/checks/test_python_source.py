import gc
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from factory.verify.checks.python_source import ANY_NAME, defined_names, parsed_source, possible_names


def yield_to_other_threads(_phase: str, _details: dict[str, int]) -> None:
    time.sleep(0)


@pytest.fixture
def collections_that_yield() -> Iterator[None]:
    """Run the collector often, and let other threads run during it: this breaks the parser's count."""
    before = gc.get_threshold()
    gc.callbacks.append(yield_to_other_threads)
    gc.set_threshold(50)
    yield
    gc.set_threshold(*before)
    gc.callbacks.remove(yield_to_other_threads)


@pytest.mark.usefixtures("collections_that_yield")
def test_parsing_in_several_threads_at_once_works() -> None:
    source = "\n".join(f"def name_{number}(a, b=[1, (2, 3)]):\n    return [a, b]" for number in range(60))
    with ThreadPoolExecutor(max_workers=4) as pool:
        lengths = list(pool.map(lambda _: len(parsed_source(source)), range(100)))
    assert lengths == [60] * 100


def test_defined_names_are_those_of_the_top_level() -> None:
    source = "import os as system\nfrom a.b import c\nX = 1\ny: int = 2\ndef f():\n    z = 3\nclass C: pass\n"
    assert defined_names(source) == {"system", "c", "X", "y", "f", "C"}


@pytest.mark.parametrize("quote", ['f"', "rF'", 'fr"', "F'"])
def test_an_f_string_of_very_many_fields_is_not_parsed(quote: str) -> None:
    source = f"def main(): pass\nx = {quote}{'{1}' * 120_000}{quote[-1]}"
    assert parsed_source(source) == []
    assert len(parsed_source(source.replace(quote, quote[-1]))) == 2


def test_a_short_f_string_is_parsed() -> None:
    assert len(parsed_source(f'x = f"{"{1}" * 500}"')) == 1


@pytest.mark.parametrize("source", ["def", "\0", "(" * 5000, "x = " + "-" * 50_000 + "1"])
def test_invalid_python_defines_no_names(source: str) -> None:
    assert defined_names(source) == frozenset()


@pytest.mark.parametrize(
    "source",
    [
        "def main(): pass",
        "if x:\n    pass\nelse:\n    def main(): pass",
        "try:\n    from a import main\nexcept ImportError:\n    main = None",
        "for main in (1,): pass",
        "with a as (b, main): pass",
        "from a import b as main",
        "a, *main = 1, 2",
        "(main := 3)",
        "from a import *",
        "def __getattr__(name): return 1",
    ],
)
def test_a_name_may_be_defined(source: str) -> None:
    assert possible_names(source) & {"main", *ANY_NAME}


@pytest.mark.parametrize(
    "source",
    [
        "def other():\n    main = 1",
        "class C:\n    def main(self): pass",
        "main()",
        "x = lambda: (main := 1)",
        "(",
    ],
)
def test_a_name_is_not_defined(source: str) -> None:
    assert not possible_names(source) & {"main", *ANY_NAME}
