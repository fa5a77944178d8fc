"""Read the fields of generated models as source text."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelField:
    """A field of a model.

    Attributes:
        annotation: Its type as source text, without ``Annotated``.
    """

    name: str
    annotation: str
    is_required: bool


def fields_of(definition: ast.ClassDef) -> Iterator[ModelField]:
    """Return the fields of a model's class."""
    for node in definition.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield ModelField(
                name=node.target.id,
                annotation=ast.unparse(type_of(node.annotation)),
                is_required=node.value is None,
            )


def type_of(annotation: ast.expr) -> ast.expr:
    """Return the type in an annotation, without ``Annotated``."""
    match annotation:
        case ast.Subscript(value=ast.Name(id="Annotated"), slice=ast.Tuple(elts=[inner, *_])):
            return inner
        case _:
            return annotation
