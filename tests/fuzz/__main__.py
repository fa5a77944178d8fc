"""Fuzz one target: ``python -m tests.fuzz archive [DIR] [-max_total_time=120]``; options are libFuzzer's."""

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["factory"]):
    from tests.fuzz.targets import TARGETS

CORPUS = Path(__file__).parent / "corpus"


def main(name: str, options: list[str]) -> None:
    """Fuzz until libFuzzer's options say stop; new inputs go to the first directory named."""
    atheris.Setup([sys.argv[0], *options, str(CORPUS / name)], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
