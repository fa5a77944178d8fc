"""The script that measures the structure, on small trees written here, and its picture in a page."""

import tomllib
from pathlib import Path

import pytest

from benchmarks.structure import BEGIN, END, LAYERS, ROOT, main, measure_structure, picture_of, with_picture

LOW = "class FactoryError(Exception):\n    pass\n\n\nclass TooLow(FactoryError):\n    pass\n"


def write_tree(root: Path, modules: dict[str, str]) -> Path:
    (root / "tests").mkdir()
    (root / "tests/test_one.py").write_text("one\ntwo\n")
    for name, text in {"factory/__init__.py": "", "factory/__main__.py": "", **modules}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        (path.parent / "__init__.py").touch()
    return root


def test_rooms_arrows_and_floors(tmp_path: Path) -> None:
    tree = write_tree(
        tmp_path,
        {
            "factory/core/errors.py": LOW,
            "factory/build/stage.py": '"""Say it.\n\nTwice.\n"""\n\nfrom factory.core.errors import TooLow\n',
            "factory/loose.py": "from factory.build import stage\nfrom factory.core import errors\n",
        },
    )
    structure = measure_structure(tree)
    assert (structure.loose_modules, structure.rooms, structure.floors, structure.arrows) == (1, 3, 3, 3)
    assert (structure.arrows_up, structure.room_circles, structure.module_circles) == (0, 0, 0)
    assert (structure.error_classes, structure.test_lines) == (1, 2)
    assert structure.factory_lines == 14
    assert structure.docstring_percent == 28.6


def test_circles_upward_arrows_and_repeated_names(tmp_path: Path) -> None:
    tree = write_tree(
        tmp_path,
        {
            "factory/core/low.py": "import factory.build.high\n\n\nclass Same:\n    pass\n",
            "factory/build/high.py": "import factory.core.low\n\n\nclass Same:\n    pass\n",
        },
    )
    structure = measure_structure(tree)
    assert (structure.arrows, structure.arrows_up) == (2, 1)
    assert (structure.room_circles, structure.module_circles, structure.floors) == (1, 1, 1)
    assert structure.repeated_class_names == ("Same",)


def test_the_picture_leaves_out_arrows_that_follow_from_others() -> None:
    rooms = {
        "cli": frozenset({"build", "core"}),
        "build": frozenset({"core"}),
        "core": frozenset[str](),
    }
    assert picture_of(rooms) == (
        "flowchart TD\n    cli[cli/]\n    build[build/]\n    core[core/]\n"
        "    build --> core\n    cli --> build\n"
    )


def test_the_picture_replaces_the_former_one() -> None:
    page = f"# House\n\n{BEGIN}\nanything\n{END}\n\nMore.\n"
    expected = f"# House\n\n{BEGIN}\n\n```mermaid\nflowchart TD\n```\n\n{END}\n\nMore.\n"
    assert with_picture(page, "flowchart TD\n") == expected
    assert with_picture(expected, "flowchart TD\n") == expected


def test_a_page_without_the_two_comments_is_refused() -> None:
    with pytest.raises(ValueError, match="needs the comments"):
        with_picture(f"# House\n{BEGIN}\n", "flowchart TD\n")


def test_the_picture_in_the_architecture_page_is_current(tmp_path: Path) -> None:
    page = ROOT / "docs/architecture.md"
    written = tmp_path / "architecture.md"
    written.write_bytes(page.read_bytes())
    assert main(["--write", str(written)]) == 0
    assert written.read_bytes() == page.read_bytes(), "run 'make docs'"


def test_the_linter_checks_the_same_order_of_rooms() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (layers,) = (
        contract["layers"]
        for contract in project["tool"]["importlinter"]["contracts"]
        if contract["type"] == "layers"
    )
    assert layers == [" | ".join(layer) for layer in LAYERS]
