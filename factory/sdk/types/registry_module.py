"""Write the module that maps each method to the model of its parameters."""

import json
from collections.abc import Iterator, Sequence
from typing import Final

from factory.sdk.types.methods import MessageKind, Method, methods_of
from factory.sdk.types.schema import SchemaBundle

MODELS: Final = "v2_all"
"""The module of the models; the official SDK imports it under this name."""

# These texts are part of the generated package: another word makes every checked-in copy out of date.
_TABLES = (
    (MessageKind.SERVER_NOTIFICATION, "NOTIFICATION_MODELS"),
    (MessageKind.SERVER_REQUEST, "SERVER_REQUEST_MODELS"),
    (MessageKind.CLIENT_REQUEST, "CLIENT_REQUEST_MODELS"),
)
_TURN_ID = '''
def notification_turn_id(payload: BaseModel) -> str | None:
    """Return the id of a notification's turn, or None if it has no turn."""
    direct = getattr(payload, "turn_id", None)
    found = direct if direct is not None else getattr(getattr(payload, "turn", None), "id", None)
    return found if isinstance(found, str) else None
'''


def registry_source(bundle: SchemaBundle) -> str:
    """Return the source of the registry module, with every method that has parameters.

    Raises:
        UnusableSchema: The schema does not list its methods in a known form.
    """
    tables = [(methods_of(bundle, kind), name, f"{kind.words}s") for kind, name in _TABLES]
    lines = [
        '"""The models of the parameters, by method."""',
        "",
        "from __future__ import annotations",
        "",
        "from typing import TypeAlias",
        "",
        "from pydantic import BaseModel",
        "",
        f"from .{MODELS} import (",
        *(f"    {name}," for name in models_named(bundle)),
        ")",
    ]
    for methods, name, words in tables:
        lines += ["", *_table(methods, name), f'"""The parameters of {words}, by method."""']
    lines += [
        "",
        *_union(_parameters(tables[0][0])),
        '"""The parameters of any notification."""',
        "",
        _TURN_ID,
    ]
    return "\n".join(lines)


def models_named(bundle: SchemaBundle) -> tuple[str, ...]:
    """Return the names of the models in the registry, sorted."""
    methods = (method for kind, _ in _TABLES for method in methods_of(bundle, kind))
    return _parameters(tuple(methods))


def _parameters(methods: Sequence[Method]) -> tuple[str, ...]:
    return tuple(sorted({method.parameters for method in methods if method.parameters is not None}))


def _table(methods: Sequence[Method], name: str) -> Iterator[str]:
    yield f"{name}: dict[str, type[BaseModel]] = {{"
    for method in methods:
        if method.parameters is not None:
            yield f"    {json.dumps(method.name)}: {method.parameters},"
    yield "}"


def _union(names: Sequence[str]) -> Iterator[str]:
    yield "KnownNotificationPayload: TypeAlias = ("
    for index, name in enumerate(names):
        yield f"    {'| ' if index else ''}{name}"
    yield ")"
