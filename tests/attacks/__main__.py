"""``python -m tests.attacks``: run every attack and write docs/attacks.md."""

import sys
import tempfile
from pathlib import Path

from factory.system.files import atomic_write
from tests.attacks.answers import Bench
from tests.attacks.page import PAGE, Answers
from tests.index_of_executables import without_fabricated_release


def main() -> None:
    """Write the page."""
    with tempfile.TemporaryDirectory(prefix="factory-attacks-") as directory:
        root = Path(directory)
        answers = Answers.measure(Bench.make(root / "bench"), root)
    atomic_write(PAGE, answers.page().encode())
    sys.stderr.write(f"wrote {PAGE.name}\n")


if __name__ == "__main__":
    with without_fabricated_release():
        main()
