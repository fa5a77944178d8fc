"""The console scripts ``factory`` and ``codex-wheel-factory``.

The build installs a copy of this file as the module ``codex_wheel_factory``, outside the package
``factory``: another distribution, factory-boy for example, has a package of that name, too, and
installers let the two overwrite each other without a word. So this module looks at ``factory``
before it imports it, and it imports nothing else of this project.
"""

import importlib
import importlib.metadata
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

DISTRIBUTION = "codex-wheel-factory"
EXIT_HOST = 25
"""The exit status of `factory.core.errors.HostError`, which cannot be imported here."""
_MARK = f"``{DISTRIBUTION}``".encode()
"""The docstring of our ``factory/__init__.py`` has it."""


def main() -> int:
    """Run the command line, if the package ``factory`` is that of this project."""
    problem = foreign_package()
    if problem is None:
        run: Callable[[], int] = importlib.import_module("factory.__main__").run
        return run()
    sys.stderr.write(
        f"factory: {problem}\n"
        "hint: Install this program into an environment of its own: 'uv tool install"
        f" {DISTRIBUTION}' or 'pipx install {DISTRIBUTION}'. Then install the other"
        " distribution again: its files are damaged, too.\n"
    )
    return EXIT_HOST


def foreign_package() -> str | None:
    """Return why the package ``factory`` is not that of this project; None if it is."""
    spec = importlib.util.find_spec("factory")
    if spec is None or spec.origin is None:
        return "the package 'factory' is missing or has no __init__.py"
    place = Path(spec.origin)
    try:
        if _MARK in place.read_bytes():
            return None
    except OSError as error:
        return f"cannot read {place}: {error.strerror or error}"
    others = _other_distributions(place)
    owner = f" from {' and '.join(others)}" if others else ""
    return f"{place.parent} is another package 'factory'{owner}, which replaced that of {DISTRIBUTION}"


def _other_distributions(place: Path) -> list[str]:
    """Return the other distributions that have a file at this place."""
    return sorted(
        {
            distribution.metadata["Name"]
            for distribution in importlib.metadata.distributions()
            if distribution.metadata["Name"] != DISTRIBUTION
            and any(distribution.locate_file(file) == place for file in distribution.files or ())
        }
    )


if __name__ == "__main__":
    sys.exit(main())
