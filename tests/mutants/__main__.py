"""``python -m tests.mutants [--again] [--page] [MODULE ...]``: run mutants and write docs/mutants.md.

Each MODULE is a path or the beginning of one: ``factory/wheels``. Without one, all modules are mutated.
"""

import argparse
import sys

from factory.system.files import atomic_write
from factory.system.process import SubprocessRunner
from tests.mutants.page import PAGE, reason_of, render
from tests.mutants.results import ModuleResult, load_reasons, load_results, save_results
from tests.mutants.rooms import ROOMS
from tests.mutants.run import measure

_LEAST_PERCENT = 90.0


def main() -> int:
    """Return 1 if a measured module is below the goal, or a survivor has no reason."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("modules", nargs="*", metavar="MODULE")
    parser.add_argument(
        "--again", action="store_true", help="run only the survivors of modules that have not changed"
    )
    parser.add_argument("--page", action="store_true", help="only write the page, from the last results")
    parser.add_argument("--children", type=int, default=2, help="test this many mutants at once")
    options = parser.parse_args()
    measured: dict[str, ModuleResult] = {}
    for room in ROOMS:
        if not options.page and (modules := list(room.files(options.modules))):
            known = load_results() if options.again else {}
            new = measure(room, modules, known, runner=SubprocessRunner(), children=options.children)
            measured |= {result.module: result for result in new}
            save_results(load_results() | measured)  # another process may have measured other rooms meanwhile
    reasons = load_reasons()
    atomic_write(PAGE, render(load_results(), reasons).encode())
    failed = False
    for module, result in sorted(measured.items()):
        unexplained = [survivor for survivor in result.survivors if reason_of(survivor, reasons) is None]
        failed |= bool(unexplained) or result.killed_percent < _LEAST_PERCENT
        sys.stderr.write(
            f"{module}: {result.killed} of {result.drawn} killed, {len(unexplained)} without a reason\n"
        )
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
