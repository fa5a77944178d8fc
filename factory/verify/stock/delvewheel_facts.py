"""Ask delvewheel which DLLs the PE files of a wheel need and do not find."""

import json
import sys
from importlib.metadata import version
from pathlib import Path

from delvewheel import _dll_utils  # type: ignore[import-untyped]
from pefile import PEFormatError  # type: ignore[import-untyped]


def main(request: Path, answer: Path) -> None:
    """Analyse PE files one by one; DLLs are only searched among the files of the wheel (PATH is empty)."""
    asked = json.loads(request.read_text(encoding="utf-8"))
    facts: dict[str, object] = {"version": version("delvewheel"), "error": None}
    try:
        facts["missing"] = {
            name: sorted(_dll_utils.get_all_needed(path, set(), asked["bundled"], "ignore", False, False)[3])  # noqa: FBT003
            for name, path in asked["files"].items()
        }
    except (PEFormatError, ValueError) as error:
        facts["error"] = f"{type(error).__name__}: {error}"
    answer.write_text(json.dumps(facts), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
