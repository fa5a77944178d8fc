"""``python -m tests.zoo``: run the stock tools where results are missing, and write docs/checks.md."""

import os
import sys

from factory.system.files import atomic_write
from factory.system.process import SubprocessRunner
from tests.index_of_executables import without_fabricated_release
from tests.zoo.catalogue import ZOO
from tests.zoo.checks_page import PAGE, render
from tests.zoo.stock_results import RESULTS, load, measure, save


def main() -> None:
    """Measure what is missing, and write the results and the page."""
    known = load() if RESULTS.exists() else {}
    results = measure(ZOO, known, runner=SubprocessRunner(), jobs=os.cpu_count() or 1)
    save(results)
    atomic_write(PAGE, render(results).encode())
    fresh = sum(known.get(question) == result for question, result in results.items())
    sys.stderr.write(f"{len(results)} results, {len(results) - fresh} new; wrote {PAGE.name}\n")


if __name__ == "__main__":
    with without_fabricated_release():
        main()
