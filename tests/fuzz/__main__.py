"""Fuzz one target: ``python -m tests.fuzz archive [DIR] [-max_total_time=120]``."""

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["factory"]):
    from tests.fuzz.targets import TARGETS

CORPUS = Path(__file__).parent / "corpus"


def main(name: str, options: list[str]) -> None:
    """Fuzz as long as the options say; libFuzzer writes new inputs to the first directory."""
    atheris.Setup([sys.argv[0], *options, str(CORPUS / name)], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
