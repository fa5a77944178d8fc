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
            annotation = node.annotation
            if isinstance(annotation, ast.Subscript) and ast.unparse(annotation.value) == "Annotated":
                annotation = (
                    annotation.slice.elts[0] if isinstance(annotation.slice, ast.Tuple) else annotation
                )
            yield ModelField(
                name=node.target.id, annotation=ast.unparse(annotation), is_required=node.value is None
            )
