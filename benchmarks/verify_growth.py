"""Measure how the work of verify grows: ``python -m benchmarks.verify_growth``.

Each line doubles the number of members. The work is linear if the microseconds for each member stay the same.
"""

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.growing_wheels import SHAPES, grown
from tests.wheels import Wheel
from tests.zoo.judge import findings_of

_SIZES = {"PE libraries": (150, 300, 600, 1200), "ELF libraries": (150, 300, 600, 1200)}
_OTHER_SIZES = (1500, 3000, 6000, 12000)


def _cpu_seconds(wheel: Wheel) -> float:
    with tempfile.TemporaryDirectory() as temporary:
        before = time.process_time()
        findings_of(wheel, Path(temporary))
        return time.process_time() - before


def main() -> None:
    """Print a line for each shape and number of members."""
    print("| members | number | CPU s | us for each | peak MB |\n|---|---|---|---|---|")
    for name, shape in SHAPES.items():
        for number in _SIZES.get(name, _OTHER_SIZES):
            print(_line(name, shape, number))
            sys.stdout.flush()


def _line(name: str, shape: Callable[[int], tuple[str, bytes]], number: int) -> str:
    seconds = _cpu_seconds(grown(shape, number))
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return f"| {name} | {number} | {seconds:.2f} | {seconds / number * 1e6:.0f} | {megabytes} |"


if __name__ == "__main__":
    main()
