"""Read a module of generated models as source text: its names, fields and enumeration members."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass

from factory.sdk.types.model_fields import ModelField, fields_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """A module of models.

    Attributes:
        names: Everything that the module defines or imports.
        fields: The fields by the name of the class, for classes with fields.
        members: The names of the members by the name of the class, for classes with plain assignments.
    """

    names: frozenset[str]
    fields: Mapping[str, Mapping[str, ModelField]]
    members: Mapping[str, frozenset[str]]

    def __contains__(self, name: str) -> bool:
        """Whether the module has a class with fields of this name."""
        return bool(self.fields.get(name))

    def is_text(self, name: str) -> bool:
        """Whether a class only wraps a text."""
        return [(one.name, one.annotation) for one in self.fields.get(name, {}).values()] == [("root", "str")]


def read_models(source: bytes) -> Models:
    """Read the source of a module.

    Raises:
        SyntaxError: It is not Python.
    """
    body = ast.parse(source).body
    classes = [node for node in body if isinstance(node, ast.ClassDef)]
    return Models(
        names=names_in(body),
        fields={node.name: {one.name: one for one in fields_of(node)} for node in classes},
        members={node.name: names_in(node.body) for node in classes},
    )


def names_in(body: list[ast.stmt]) -> frozenset[str]:
    """Return the names that statements bind: classes, functions, imports and assignments."""
    found: set[str] = set()
    for node in body:
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                found.add(name)
            case ast.ImportFrom(names=aliases) | ast.Import(names=aliases):
                found.update(alias.asname or alias.name for alias in aliases)
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                found.add(name)
            case _:
                pass
    return frozenset(found)
