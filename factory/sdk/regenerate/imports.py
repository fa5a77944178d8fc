"""Find and add what the modules of an SDK import from its generated modules."""

import ast
from collections.abc import Iterable, Iterator

from factory.sdk.regenerate.models import Models, names_in
from factory.sdk.types.registry_module import MODELS

_ANY = "Any"


def generated_imports(source: str) -> Iterator[tuple[str, str]]:
    """Return what a module imports from generated modules: the module's last name, and the name in it.

    Raises:
        SyntaxError: The source is not Python.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and "generated" in (node.module or "").split("."):
            for alias in node.names:
                yield (node.module or "").rpartition(".")[2], alias.name


def with_imports(source: str, annotations: Iterable[str], models: Models) -> str:
    """Return a module that also imports the models in these annotations.

    Raises:
        SyntaxError: The source is not Python.
    """
    body = ast.parse(source).body
    used = {
        node.id for text in annotations for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)
    }
    missing = sorted(used - names_in(body))
    wanted = [name for name in missing if name in models.fields]
    lines = source.splitlines(keepends=True)
    imports = [node for node in body if isinstance(node, ast.ImportFrom)]
    place = next((node for node in imports if (node.module or "").endswith(f"generated.{MODELS}")), None)
    if wanted and place is not None:
        dots = "." * place.level
        lines.insert(
            place.end_lineno or place.lineno, f"from {dots}{place.module} import {', '.join(wanted)}\n"
        )
    if _ANY in missing and imports:
        first = next((node for node in imports if node.module != "__future__"), imports[0])
        lines.insert(first.lineno - 1, f"from typing import {_ANY}\n")
    return "".join(lines)
