"""Add the values that schemas and official SDKs list to the record: python -m tests.known_values PATH...

A path is a directory with a schema, as a runtime writes it, or an SDK's module of models.
"""

import ast
import sys
from pathlib import Path

from factory.sdk.types.known_values import (
    KNOWN_VALUES_PATH,
    KnownValues,
    known_values,
    listed_values,
    merged,
    written,
)
from factory.sdk.types.schema import SchemaBundle


def values_in_models(source: str) -> KnownValues:
    """Return the members of the enumerations in a module that are also texts."""
    found: dict[str, tuple[str, ...]] = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef) and [ast.unparse(base) for base in node.bases] == ["str", "Enum"]:
            values = [item.value for item in node.body if isinstance(item, ast.Assign)]
            found[node.name] = tuple(ast.literal_eval(value) for value in values)
    return found


def values_at(path: Path) -> KnownValues:
    """Return the values of a schema's directory or of a module."""
    if path.is_dir():
        return listed_values(SchemaBundle.read(path))
    known = known_values()
    models = values_in_models(path.read_text(encoding="utf-8"))
    return {name: values for name, values in models.items() if name in known}


if __name__ == "__main__":
    paths = [Path(argument) for argument in sys.argv[1:]]
    KNOWN_VALUES_PATH.write_text(written(merged((known_values(), *map(values_at, paths)))), encoding="utf-8")
