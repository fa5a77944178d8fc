"""The documents name files, functions, commands and pages that exist."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from factory.cli.parser import make_parser
from tests.workflow_files import ROOT, command_names, factory_commands, fenced

PAGES = sorted((ROOT / "docs").rglob("*.md"))
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *PAGES]
ARCHITECTURE = ROOT / "docs/architecture.md"
INDEX = ROOT / "docs/README.md"
TROUBLESHOOTING = ROOT / "docs/troubleshooting.md"

_PATH = re.compile(r"`((?:factory|tests|docs|benchmarks|runtime_template|\.ci|\.github)/[\w./-]*)`")
_FUNCTION = re.compile(r"`(factory/[\w/]+\.py)` `(\w+)\(\)`")
_MESSAGE = re.compile(r"^(?:### |\| )`([^`]+)`", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


every_document = pytest.mark.parametrize("document", DOCUMENTS, ids=name)


def text_of(document: Path) -> str:
    return document.read_text(encoding="utf-8")


@every_document
def test_every_path_exists(document: Path) -> None:
    assert [path for path in _PATH.findall(text_of(document)) if not (ROOT / path).exists()] == []


@every_document
def test_every_function_is_in_its_file(document: Path) -> None:
    for path, function in _FUNCTION.findall(text_of(document)):
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        assert function in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}, path


@every_document
def test_every_link_leads_to_a_file_and_a_heading(document: Path) -> None:
    for link in _LINK.findall(text_of(document)):
        path, _, anchor = link.partition("#")
        if "://" in link or path == "mailto:":
            continue
        linked = document.parent / path if path else document
        assert linked.exists(), link
        assert not anchor or anchor in anchors(linked), link


def anchors(document: Path) -> Iterator[str]:
    """Yield the anchors of a page's headings, as GitHub makes them."""
    for heading in re.findall(r"^#+ (.+)$", text_of(document), re.MULTILINE):
        yield re.sub(r"[^\w\s-]", "", heading.lower()).strip().replace(" ", "-")


@every_document
def test_every_command_is_accepted_by_the_parser(document: Path) -> None:
    for example in fenced(document):
        for words in factory_commands(example, {}):
            if words == ("--help",):
                continue
            assert callable(make_parser().parse_args(words).command), words


def test_the_readme_shows_the_commands_that_a_reader_needs_first() -> None:
    shown = command_names(
        words for example in fenced(ROOT / "README.md") for words in factory_commands(example, {})
    )
    assert {"wheels", "audit", "verify", "doctor"} < set(shown)
    assert {"show signers", "sdk pin", "sdk accept", "statement create"} < set(shown)


def literals() -> Iterator[str]:
    """Yield every text in the code, with ``...`` for the values in it."""
    for path in (ROOT / "factory").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.JoinedStr(values=parts):
                    yield "".join(
                        str(part.value) if isinstance(part, ast.Constant) else "..." for part in parts
                    )
                case ast.Constant(value=str(text)):
                    yield text
                case _:
                    pass


def test_every_message_in_the_troubleshooting_page_is_in_the_code() -> None:
    messages = _MESSAGE.findall(text_of(TROUBLESHOOTING))
    assert len(messages) > 15
    texts = set(literals())
    parts = {part.strip() for message in messages for part in message.split("...")} - {"", ":"}
    assert sorted(part for part in parts if not any(part in text for text in texts)) == []


def test_the_index_lists_every_page_once() -> None:
    linked = re.findall(r"^\| \[[^]]+\]\(([^)#]+)\)", text_of(INDEX), re.MULTILINE)
    pages = [path.relative_to(INDEX.parent).as_posix() for path in PAGES if path != INDEX]
    assert sorted(link for link in linked if not link.startswith("../")) == sorted(pages)


def test_the_architecture_page_has_a_row_for_every_room_and_runs_every_step() -> None:
    rooms = {path.name for path in (ROOT / "factory").iterdir() if (path / "__init__.py").exists()}
    rows = re.findall(r"^\| `factory/(\w+)/` \|", text_of(ARCHITECTURE), re.MULTILINE)
    assert (len(rows), set(rows)) == (13, rooms)
    steps = re.findall(r"^\| (\d)\. (\w+) \|", text_of(ARCHITECTURE), re.MULTILINE)
    assert [step for _, step in steps] == [
        *("parse", "plan", "fetch", "build", "verify", "record", "publish"),
        *("index", "read", "infer", "rebuild", "compare", "decide", "report"),
    ]
