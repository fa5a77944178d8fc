"""Filter a lock file for another Python: ``image_requirements.py PYTHON.json LOCK``.

pip evaluates markers for the interpreter that runs it, even with ``--python-version``, but the Python
in the image is a different one. PYTHON.json has the marker environment of that Python.
"""

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from packaging.requirements import Requirement


def applicable(lock: str, environment: Mapping[str, str]) -> str:
    """Return the requirements with markers that are true in an environment, without the markers."""
    kept = []
    for block in re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE)[1:]:
        line, _, hashes = block.partition("\\\n")
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate(dict(environment)):
            kept.append(f"{requirement.name}{requirement.specifier} \\\n{hashes}")
    return "".join(kept)


def main() -> None:
    """Print the filtered lock file."""
    described, lock = (Path(argument).read_text(encoding="utf-8") for argument in sys.argv[1:])
    environment: dict[str, str] = json.loads(described)["environment"]
    sys.stdout.write(applicable(lock, environment))


if __name__ == "__main__":
    main()
