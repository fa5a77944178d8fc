"""Let the enumerations in generated models accept values that the schema does not list.

A program is often older than the server that it talks to. An unknown value in a message must not make
the whole message unreadable, so the enumerations that a server sends are open. Those that only a client
sends stay closed: there an unknown value is a mistake of the program.
"""

import ast
from collections.abc import Mapping
from typing import Final

from factory.sdk.types.directions import Directions, directions_of
from factory.sdk.types.schema import Schema, SchemaBundle, elements, parts, texts

_CLOSED: Final = "Enum"
_ANY_TEXT: Final = "OpenEnum"
_NON_EMPTY: Final = "NonEmptyOpenEnum"
BASE_CLASSES: Final = frozenset((_ANY_TEXT, _NON_EMPTY))
"""The classes that are added to the models."""

_VALUES: Final = "Value"
"""What the generator's input adds to the name of a union to name the enumeration in it."""

_CLASSES = f'''
class {_ANY_TEXT}(str, Enum):
    """An enumeration that accepts every text: the listed values are those that are known."""

    @classmethod
    def _missing_(cls, value: object) -> {_ANY_TEXT} | None:
        if not isinstance(value, str):
            return None
        member = str.__new__(cls, value)
        member._name_ = value
        member._value_ = value
        return member


class {_NON_EMPTY}({_ANY_TEXT}):
    """An enumeration that accepts every text but the empty one."""

    @classmethod
    def _missing_(cls, value: object) -> {_ANY_TEXT} | None:
        return super()._missing_(value) if value else None

'''


def with_open_enums(models: str, bundle: SchemaBundle) -> str:
    """Return the source of the models with open enumerations.

    Raises:
        UnusableSchema: The schema does not list its methods in a known form.
        SyntaxError: The source is not Python.
    """
    directions = directions_of(bundle)
    lines = models.splitlines(keepends=True)
    classes = [node for node in ast.parse(models).body if isinstance(node, ast.ClassDef)]
    bases = {
        node.lineno: (node.name, _base_of(node.name, bundle.definitions, directions))
        for node in classes
        if [ast.unparse(base) for base in node.bases] == [_CLOSED]
    }
    if all(base == _CLOSED for _, base in bases.values()):
        return models
    for number, (name, base) in bases.items():
        lines[number - 1] = f"class {name}({base}):\n"
    lines.insert(classes[0].lineno - 1, _CLASSES)
    return "".join(lines)


def _base_of(name: str, definitions: Mapping[str, Schema], directions: Directions) -> str:
    """Return the base class of an enumeration."""
    owner = name if name in definitions else name.removesuffix(_VALUES)
    if owner in directions.client and owner not in directions.server:
        return _CLOSED
    return _ANY_TEXT if _allows_any_text(definitions.get(owner, {})) else _NON_EMPTY


def _allows_any_text(schema: Schema) -> bool:
    """Whether the schema itself allows every text, alone or as a variant."""
    return any(
        "string" in texts(part.get("type")) and not elements(part.get("enum")) and not part.get("minLength")
        for part in (schema, *parts(schema, "oneOf", "anyOf"))
    )
