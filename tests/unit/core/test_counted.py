"""Numbers agree with their nouns, here and in every message of the program."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from factory.core.counted import counted

ROOT = Path(__file__).resolve().parents[3]
_NOUNS = (
    "bytes cases certificates changes entries errors executables files findings jobs lines members models"
    " notes packages pages places platforms problems releases results statements times values warnings wheels"
)
_PLURAL = re.compile(rf" (?:more |other |different )?(?:{_NOUNS.replace(' ', '|')})\b")
_LIMIT = re.compile(r"\b_?(MAX|LARGEST|LONGEST)|limit|max_")
"""The names of limits, which are never 1."""
NOT_A_COUNT = {"executable.kind.value", "system", "shift"}
LARGE = {
    "{size_bytes} bytes of load commands are too large for a loader",
    "{alignment} bytes, as the segment at ",
}
"""Messages about numbers beyond a limit."""


@pytest.mark.parametrize(
    ("count", "words", "text"),
    [
        (0, ("wheel",), "0 wheels"),
        (1, ("wheel",), "1 wheel"),
        (2, ("wheel",), "2 wheels"),
        (1, ("entry", "entries"), "1 entry"),
        (11, ("entry", "entries"), "11 entries"),
    ],
)
def test_a_noun_agrees_with_its_number(count: int, words: tuple[str, ...], text: str) -> None:
    assert counted(count, *words) == text


def plurals(text: str) -> Iterator[str]:
    """Yield the values of f-strings that are followed by a plural, whatever the value is."""
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.JoinedStr):
            continue
        for value, after in zip(node.values, node.values[1:], strict=False):
            if isinstance(value, ast.FormattedValue) and isinstance(after, ast.Constant):
                shown = ast.unparse(value.value)
                if _PLURAL.match(str(after.value)) and not _LIMIT.search(shown) and shown not in NOT_A_COUNT:
                    yield "{" + shown + "}" + str(after.value)


def test_plurals_are_found() -> None:
    assert list(plurals('f"{count} wheels"; f"{MAX} bytes"; f"{count} of"')) == ["{count} wheels"]


def test_no_message_writes_a_plural_after_any_number() -> None:
    found = {
        (path.name, plural)
        for path in (ROOT / "factory").rglob("*.py")
        for plural in plurals(path.read_text(encoding="utf-8"))
        if plural not in LARGE
    }
    assert found == set()
