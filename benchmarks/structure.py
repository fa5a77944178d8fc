"""Measure the structure of ``factory/`` from its imports and definitions: ``python -m benchmarks.structure``.

``--tree DIR`` measures another checkout, so that a change can be measured before and after by the same
rules. ``--picture`` prints a diagram of the rooms; ``--write docs/architecture.md`` puts it into the page
(``make docs`` does that, and a test compares the page with the code).

A room is a direct child of ``factory/``: a package, or a module that lies loose. An arrow is a pair of
rooms of which the first imports the second. The floor of a room is one more than the highest floor that
it imports from; rooms of one circle share a floor.
"""

import argparse
import ast
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "factory"
LAYERS = (
    ("cli",),
    ("statements", "ci"),
    ("audit", "sdk"),
    ("wheels",),
    ("verify",),
    ("manifest",),
    ("build",),
    ("release",),
    ("executables", "system"),
    ("core",),
)
"""The rooms from the top down; the contract in pyproject.toml has the same list, and a test compares them."""
BEGIN = "<!-- The picture of the rooms: 'make docs' writes it. -->"
END = "<!-- The end of the picture. -->"
_ENTRANCES = {f"{PACKAGE}.__main__"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """The figures of one checkout; lines are physical lines, blank ones included."""

    loose_modules: int
    rooms: int
    floors: int
    arrows: int
    arrows_up: int
    room_circles: int
    module_circles: int
    modules: int
    factory_lines: int
    test_lines: int
    docstring_percent: float
    error_classes: int
    repeated_class_names: tuple[str, ...]
    longest_modules: tuple[str, ...]


def measure_structure(tree: Path) -> Structure:
    """Measure a checkout without running any of its code."""
    sources = {path: path.read_text(encoding="utf-8") for path in sorted((tree / PACKAGE).rglob("*.py"))}
    parsed = {path: ast.parse(source) for path, source in sources.items()}
    lines = {path: source.count("\n") for path, source in sources.items()}
    modules = imports_between_modules(tree)
    rooms = imports_between_rooms(modules)
    classes = [
        node for module in parsed.values() for node in ast.walk(module) if isinstance(node, ast.ClassDef)
    ]
    names = Counter(node.name for node in classes)
    total = sum(lines.values())
    return Structure(
        loose_modules=sum(1 for path in sources if path.parent == tree / PACKAGE and path.stem[:2] != "__"),
        rooms=len(rooms),
        floors=max(_floors(rooms).values()),
        arrows=sum(map(len, rooms.values())),
        arrows_up=sum(1 for above, below in arrows_of(rooms) if not _points_down(above, below)),
        room_circles=len(_circles(rooms)),
        module_circles=len(_circles(modules)),
        modules=len(sources),
        factory_lines=total,
        test_lines=sum(_line_count(path) for path in (tree / "tests").rglob("*.py")),
        docstring_percent=round(100 * sum(map(_docstring_lines, parsed.values())) / total, 1),
        error_classes=len(_descendants("FactoryError", classes)),
        repeated_class_names=tuple(sorted(name for name, count in names.items() if count > 1)),
        longest_modules=tuple(
            f"{path.relative_to(tree).as_posix()} {count}"
            for path, count in sorted(lines.items(), key=lambda item: -item[1])[:5]
        ),
    )


def imports_between_modules(tree: Path) -> dict[str, frozenset[str]]:
    """Return which modules each module of a checkout imports, at its top or inside a function.

    import-linter's own reader finds a package by importing it, so it cannot read a second checkout.
    """
    paths = {_module_name(path.relative_to(tree)): path for path in (tree / PACKAGE).rglob("*.py")}
    return {
        module: frozenset(_imported(ast.parse(path.read_text(encoding="utf-8")), paths.keys()) - {module})
        for module, path in sorted(paths.items())
    }


def _module_name(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imported(module: ast.Module, known: AbstractSet[str]) -> set[str]:
    """Return the modules of the package that a module imports; the code has no relative imports."""
    found: set[str] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            members = (f"{node.module}.{alias.name}" for alias in node.names)
            found.update(member if member in known else node.module for member in members)
    return found & known


def imports_between_rooms(modules: Mapping[str, Iterable[str]]) -> dict[str, frozenset[str]]:
    """Return which rooms each room imports; the package itself and its entrance are not rooms."""
    rooms: dict[str, set[str]] = defaultdict(set)
    for module, imported in modules.items():
        room = _room_of(module)
        if room:
            rooms[room].update(below for below in map(_room_of, imported) if below not in {"", room})
    return {room: frozenset(below) for room, below in sorted(rooms.items())}


def arrows_of(rooms: Mapping[str, Iterable[str]]) -> Iterator[tuple[str, str]]:
    """Return every arrow between two rooms, sorted."""
    return iter(sorted((above, below) for above, imported in rooms.items() for below in imported))


def picture_of(rooms: Mapping[str, frozenset[str]]) -> str:
    """Draw the rooms as a Mermaid flowchart.

    Arrows that follow from others are left out; with all of them the picture is unreadable.
    """
    known = [room for layer in LAYERS for room in layer if room in rooms]
    lines = ["flowchart TD"]
    lines += [f"    {room}[{room}/]" for room in known]
    lines += [f"    {above} --> {below}" for above, below in _needed_arrows(rooms)]
    return "\n".join(lines) + "\n"


def _needed_arrows(rooms: Mapping[str, frozenset[str]]) -> Iterator[tuple[str, str]]:
    @cache
    def reached(room: str) -> frozenset[str]:
        return rooms[room].union(*(reached(below) for below in rooms[room]))

    for above, below in arrows_of(rooms):
        if not any(below in reached(between) for between in rooms[above] - {below}):
            yield above, below


def _room_of(module: str) -> str:
    parts = module.split(".")
    return "" if len(parts) == 1 or module in _ENTRANCES else parts[1]


def _points_down(above: str, below: str) -> bool:
    floor = {room: index for index, layer in enumerate(LAYERS) for room in layer}
    return above not in floor or below not in floor or floor[above] < floor[below]


def _floors(graph: Mapping[str, frozenset[str]]) -> dict[str, int]:
    """Number the floors from 1 at the bottom."""
    circle_of = {node: circle for circle in _circles(graph) for node in circle}
    group = {node: circle_of.get(node, frozenset({node})) for node in graph}
    below: dict[frozenset[str], set[frozenset[str]]] = {members: set() for members in group.values()}
    for node, imported in graph.items():
        below[group[node]].update(group[other] for other in imported if group[other] != group[node])
    floors: dict[frozenset[str], int] = {}
    for members in TopologicalSorter(below).static_order():
        floors[members] = 1 + max((floors[other] for other in below[members]), default=0)
    return {node: floors[group[node]] for node in graph}


def _circles(graph: Mapping[str, frozenset[str]]) -> set[frozenset[str]]:
    """Return the sets of nodes that reach each other."""

    @cache
    def reached(start: str) -> frozenset[str]:
        seen: set[str] = set()
        waiting = [start]
        while waiting:
            for node in graph[waiting.pop()]:
                if node not in seen:
                    seen.add(node)
                    waiting.append(node)
        return frozenset(seen)

    return {
        frozenset(other for other in reached(node) if node in reached(other))
        for node in graph
        if node in reached(node)
    }


def _docstring_lines(module: ast.Module) -> int:
    """Count the lines of docstrings, those below an assignment included."""
    return sum(
        node.end_lineno - node.lineno + 1
        for node in ast.walk(module)
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
        and node.end_lineno is not None
    )


def _descendants(base: str, classes: Iterable[ast.ClassDef]) -> set[str]:
    bases = {node.name: {name.id for name in node.bases if isinstance(name, ast.Name)} for node in classes}
    found = {base}
    while grown := {name for name, above in bases.items() if above & found} - found:
        found |= grown
    return found - {base}


def _line_count(path: Path) -> int:
    return path.read_bytes().count(b"\n")


def with_picture(page: str, picture: str) -> str:
    """Return a page with the picture between its two marker comments, in place of the former one."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page needs the comments {BEGIN} and {END}")
    return f"{before}{begin}\n\n```mermaid\n{picture}```\n\n{end}{after}"


def main(argv: Sequence[str] | None = None) -> int:
    """Print the figures of a checkout as JSON, or print or write the picture of its rooms."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.structure")
    parser.add_argument("--tree", type=Path, default=ROOT, help="the checkout to measure")
    parser.add_argument("--picture", action="store_true", help="print the Mermaid diagram of the rooms")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="write the diagram into a page")
    options = parser.parse_args(argv)
    if not options.picture and options.write is None:
        print(json.dumps(asdict(measure_structure(options.tree.resolve())), indent=2))
        return 0
    picture = picture_of(imports_between_rooms(imports_between_modules(options.tree)))
    if options.write is None:
        print(picture, end="")
    else:
        page: Path = options.write
        page.write_text(with_picture(page.read_text(encoding="utf-8"), picture), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
