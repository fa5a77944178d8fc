"""Keep the classes that an SDK has for texts, where the release has another class of the same form.

A path is a text on the wire. The schema has several definitions of such texts, and the official SDK
declares some fields by hand to be of another one. Programs construct these classes, and a model refuses
an instance of another class.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from factory.sdk.regenerate.models import Models
from factory.sdk.types.model_fields import type_of

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    """A field whose class for texts stays: the names in the release's type, and what they become."""

    label: str
    was: str
    is_now: str
    names: tuple[tuple[ast.Name, str], ...]


def with_wrappers_of(before: Models, source: bytes) -> tuple[bytes, tuple[str, ...]]:
    """Return a release's models with the SDK's classes for texts, and the changes in words."""
    classes = {node.name: node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)}
    wrappers = frozenset(
        name for name, node in classes.items() if _wraps_any_text(node) and before.is_text(name)
    )
    kept = [
        field
        for name, node in classes.items()
        if name in before
        for field in _kept_fields(before, node, wrappers)
    ]
    lines = source.splitlines(keepends=True)
    for name, text in sorted((one for field in kept for one in field.names), key=_place, reverse=True):
        line, start = name.lineno - 1, name.col_offset
        lines[line] = lines[line][:start] + text.encode() + lines[line][start + len(name.id.encode()) :]
    changes = (f"{field.label} stays {field.was}; the release has {field.is_now}" for field in kept)
    return b"".join(lines), tuple(changes)


def _wraps_any_text(node: ast.ClassDef) -> bool:
    """Whether a model is a text without a pattern or limit."""
    fields = [part for part in node.body if isinstance(part, ast.AnnAssign)]
    if len(fields) != 1 or ast.unparse(fields[0].target) != "root":
        return False
    keywords = {part.arg for part in ast.walk(fields[0].annotation) if isinstance(part, ast.keyword)}
    return ast.unparse(type_of(fields[0].annotation)) == "str" and keywords <= {"description", "title"}


def _kept_fields(before: Models, node: ast.ClassDef, wrappers: frozenset[str]) -> Iterator[_Field]:
    fields = before.fields[node.name]
    for part in node.body:
        if not isinstance(part, ast.AnnAssign) or ast.unparse(part.target) not in fields:
            continue
        name, annotation = ast.unparse(part.target), type_of(part.annotation)
        was, is_now = fields[name].annotation, ast.unparse(annotation)
        if was != is_now and _form(was, wrappers) == _form(is_now, wrappers):
            found = [one for one in ast.walk(annotation) if isinstance(one, ast.Name) and one.id in wrappers]
            found.sort(key=lambda one: (one.lineno, one.col_offset))
            words = [word for word in _WORD.findall(was) if word in wrappers]
            yield _Field(
                label=f"{node.name}.{name}",
                was=was,
                is_now=is_now,
                names=tuple(zip(found, words, strict=True)),
            )


def _form(annotation: str, wrappers: frozenset[str]) -> str:
    """Return a type with the same word for each class of texts."""
    return _WORD.sub(lambda word: "a text" if word[0] in wrappers else word[0], annotation)


def _place(change: tuple[ast.Name, str]) -> tuple[int, int]:
    return change[0].lineno, change[0].col_offset
