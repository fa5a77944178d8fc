"""Choose the modules to mutate, and the tests to run on their mutants."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Modules that are mutated together, because the same tests guard them."""

    name: str
    modules: tuple[str, ...]
    tests: tuple[str, ...]

    def files(self, prefixes: Sequence[str] = ()) -> Iterator[str]:
        """Yield the modules that begin with one of the prefixes, or all of them without a prefix."""
        paths = {path.relative_to(ROOT).as_posix() for pattern in self.modules for path in ROOT.glob(pattern)}
        for path in sorted(paths):
            if not prefixes or path.startswith(tuple(prefixes)):
                yield path


_AUDIT = (
    "compare",
    "container_differences",
    "decide",
    "index",
    "infer",
    "matching",
    "member_differences",
    "no_recipe",
    "remote_zip",
    "replay",
    "results",
    "selection",
    "verdict",
)

ROOMS = (
    Room(
        name="wheels",
        modules=("factory/wheels/*.py",),
        tests=("tests/unit/wheels", "tests/unit/cli/test_wheels_command.py"),
    ),
    Room(
        name="manifest",
        modules=("factory/manifest/*.py",),
        tests=("tests/unit/manifest", "tests/unit/wheels/test_record.py", "tests/unit/sdk/test_pin.py"),
    ),
    Room(
        name="audit",
        modules=tuple(f"factory/audit/{name}.py" for name in _AUDIT),
        tests=("tests/unit/audit", "--ignore=tests/unit/audit/reproduce"),
    ),
    Room(name="statements", modules=("factory/statements/*.py",), tests=("tests/unit/statements",)),
    Room(name="channels", modules=("factory/release/channels/*.py",), tests=("tests/unit/release/channels",)),
    Room(name="cache", modules=("factory/system/cache.py",), tests=("tests/unit/system/test_cache.py",)),
)
