"""Read the generated models' source: their fields, and the lines that choose their base classes."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from factory.core.errors import BuildError
from factory.sdk.types.model_fields import ModelField, fields_of
from factory.sdk.types.open_enums import BASE_CLASSES

_MODULE = "pydantic"
_OPEN_BASES = {"BaseModel": "OpenModel", "RootModel": "OpenRoot"}
"""The classes that keep what they do not know, in place of the standard ones; see `_open_models.py`."""

_ENUMERATIONS = frozenset(("Enum", *BASE_CLASSES))


@dataclass(frozen=True)
class ModelSource:
    """The module of the generated models."""

    text: str

    def fields(self, model: str) -> tuple[ModelField, ...] | None:
        """Return the fields of a model, or None if it is not an object, such as a union."""
        definition = self._classes[model]
        if self._base(definition) != "BaseModel":
            return None
        return tuple(fields_of(definition))

    def keyword_type(self, annotation: str, module: str) -> str:
        """Return the type of a keyword: its models as attributes of a module, or strings where they fit."""
        return ast.unparse(_KeywordTypes(self, module).visit(ast.parse(annotation, mode="eval")))

    def is_text(self, model: str) -> bool:
        """Whether a plain string can be parsed as a model: an enumeration, or a union with a string."""
        return model in self._text_models

    def has(self, model: str) -> bool:
        """Whether the module defines a model."""
        return model in self._classes

    def with_open_bases(self, package: str) -> str:
        """Return the source with base classes that keep unknown fields and variants.

        Raises:
            BuildError: The module does not import its bases in the known form.
        """
        lines = self.text.splitlines()
        replaced = 0
        for node in self._tree.body:
            if isinstance(node, ast.ImportFrom) and node.module == _MODULE and node.lineno == node.end_lineno:
                lines[node.lineno - 1], count = _open_import(node, package)
                replaced += count
        if replaced != len(_OPEN_BASES):
            raise BuildError(
                "the generated models do not import BaseModel and RootModel in the known form",
                hint="The generator's output has changed; the factory needs an update for it.",
            )
        return "\n".join((*lines, ""))

    @cached_property
    def _tree(self) -> ast.Module:
        return ast.parse(self.text)

    @cached_property
    def _classes(self) -> Mapping[str, ast.ClassDef]:
        return {node.name: node for node in self._tree.body if isinstance(node, ast.ClassDef)}

    @cached_property
    def _text_models(self) -> frozenset[str]:
        """The enumerations, and the unions with a string among their variants."""
        found: set[str] = set()
        while True:
            more = {
                name for name, node in self._classes.items() if name not in found and _is_text(node, found)
            }
            if not more:
                return frozenset(found)
            found |= more

    @staticmethod
    def _base(definition: ast.ClassDef) -> str:
        base = definition.bases[0] if definition.bases else ast.Name(id="")
        return ast.unparse(base).partition("[")[0]


class _KeywordTypes(ast.NodeTransformer):
    def __init__(self, source: ModelSource, module: str) -> None:
        self._source = source
        self._module = module

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if not self._source.has(node.id):
            return node
        model = ast.Attribute(ast.Name(self._module), node.id)
        return ast.BinOp(model, ast.BitOr(), ast.Name("str")) if self._source.is_text(node.id) else model


def _is_text(definition: ast.ClassDef, known: set[str]) -> bool:
    for base in definition.bases:
        if isinstance(base, ast.Name) and base.id in _ENUMERATIONS:
            return True
        if isinstance(base, ast.Subscript) and ast.unparse(base.value) == "RootModel":
            variants = _variants(base.slice)
            return any(
                isinstance(part, ast.Name) and (part.id == "str" or part.id in known) for part in variants
            )
    return False


def _variants(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.BinOp):
        yield from _variants(node.left)
        yield from _variants(node.right)
    elif isinstance(node, ast.Subscript) and ast.unparse(node.value) == "Literal":
        yield ast.Name(id="str")
    else:
        yield node


def _open_import(node: ast.ImportFrom, package: str) -> tuple[str, int]:
    kept = [name.name for name in node.names if name.name not in _OPEN_BASES]
    taken = [f"{_OPEN_BASES[name.name]} as {name.name}" for name in node.names if name.name in _OPEN_BASES]
    statements = [f"from {_MODULE} import {', '.join(kept)}"] if kept else []
    statements += [f"from {package}._open_models import {', '.join(taken)}"] if taken else []
    return "\n".join(statements), len(taken)
