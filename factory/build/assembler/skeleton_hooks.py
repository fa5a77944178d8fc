"""Call the build_wheel hook of a stage's own backend, for several stages in one process.

Run as a file by the toolchain's interpreter, which has no factory installed:
``python -I skeleton_hooks.py OUT STAGE...``. Writes the wheels' names as a JSON
list, one a stage, to OUT/names.json; stdout belongs to the backend.
PEP 517 asks for a process per hook call only so that a backend's state cannot
leak; hatchling keeps none between builds, and the tests compare the bytes.
"""

import importlib
import json
import os
import sys
import tomllib
from pathlib import Path


def build(stage: Path, out: Path) -> str:
    """Build one stage's wheel with the backend that its pyproject.toml names."""
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
