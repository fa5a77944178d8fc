"""Ask delocate which tag the files of a wheel support and, with otool, which libraries they need."""

import json
import sys
from importlib.metadata import version
from pathlib import Path

from delocate.delocating import _calculate_minimum_wheel_name, filter_system_libs
from delocate.libsana import DelocationError, tree_libs_from_directory


def main(request: Path, answer: Path) -> None:
    """Analyse an unpacked wheel."""
    asked = json.loads(request.read_text(encoding="utf-8"))
    facts: dict[str, object] = {"version": version("delocate"), "error": None, "name": None}
    try:
        facts["name"], _ = _calculate_minimum_wheel_name(asked["name"], Path(asked["headers"]), None)
    except DelocationError as error:
        facts["error"] = f"{type(error).__name__}: {error}"
    facts |= _libraries(Path(asked["tree"])) if asked["has_otool"] else {"libraries": [], "missing": None}
    answer.write_text(json.dumps(facts), encoding="utf-8")


def _libraries(tree: Path) -> dict[str, object]:
    """Return the needed libraries that are neither in the tree nor part of macOS, like delocate-listdeps.

    delocate lists only libraries that exist on this host. For others it only says that some are missing.
    """
    root = str(tree.resolve())
    missing = None
    try:
        libraries = tree_libs_from_directory(str(tree), ignore_missing=False)
    except DelocationError as error:
        missing = str(error)
        libraries = tree_libs_from_directory(str(tree), ignore_missing=True)
    outside = sorted(
        name for name in libraries if filter_system_libs(name) and not name.startswith((root, "@loader_path"))
    )
    return {"libraries": outside, "missing": missing}


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
