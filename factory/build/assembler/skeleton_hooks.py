"""Call the build_wheel hook for several stages in one process.

The interpreter of the toolchain runs this module as a file, since the factory is not installed there:
``python -I skeleton_hooks.py OUT STAGE...``. It writes the names of the wheels, one for each stage, as a
JSON list to OUT/names.json; stdout is for the output of the backend. PEP 517 requires a process for each
hook call, so that no state of a backend is carried over; hatchling has no such state, and the
tests compare the bytes.
"""

import importlib
import json
import os
import sys
import tomllib
from pathlib import Path


def build(stage: Path, out: Path) -> str:
    """Build the wheel of a stage with the backend in its pyproject.toml."""
    os.chdir(stage)
    system = tomllib.loads((stage / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]
    backend = importlib.import_module(system["build-backend"])
    return str(backend.build_wheel(str(out)))


def main(argv: list[str]) -> None:
    """Build every stage."""
    out = Path(argv[0])
    names = []
    for index, stage in enumerate(argv[1:]):
        directory = out / str(index)
        directory.mkdir()
        names.append(f"{index}/{build(Path(stage), directory)}")
    (out / "names.json").write_text(json.dumps(names), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
