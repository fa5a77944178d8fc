"""Write the module with the answers that accept and decline what the app-server asks."""

import json
from collections.abc import Iterator, Mapping
from typing import Final

from factory.sdk.client.responses import responses_of
from factory.sdk.types.describe import values_of
from factory.sdk.types.methods import MessageKind
from factory.sdk.types.schema import Schema, SchemaBundle, members, parts, referred, texts

_ACCEPT: Final = ("accept", "approved")
_DECLINE: Final = ("decline", "denied")


def answers_of(bundle: SchemaBundle, wanted: tuple[str, ...]) -> Mapping[str, Mapping[str, str]]:
    """Return the answer with one of the wanted values, for each method with such a choice as its response."""
    responses = responses_of(bundle, MessageKind.SERVER_REQUEST)
    found = {method: _answer(bundle, bundle.definitions[name], wanted) for method, name in responses.items()}
    return {method: answer for method, answer in sorted(found.items()) if answer is not None}


def server_answers_source(bundle: SchemaBundle) -> str:
    """Return the source of the module."""
    lines = ['"""The answers that accept and decline, for the questions that are such a choice."""', ""]
    tables = (("ACCEPT_ANSWERS", _ACCEPT), ("DECLINE_ANSWERS", _DECLINE))
    for name, wanted in tables:
        lines += [f"{name}: dict[str, dict[str, object]] = {{", *_rows(answers_of(bundle, wanted)), "}"]
    return "\n".join((*lines, ""))


def _rows(answers: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    for method, answer in answers.items():
        yield f"    {json.dumps(method)}: {json.dumps(answer)},"


def _answer(bundle: SchemaBundle, response: Schema, wanted: tuple[str, ...]) -> Mapping[str, str] | None:
    """Return an answer if the response requires one field, and that can have a wanted value."""
    required = texts(response.get("required"))
    if len(required) != 1:
        return None
    choice = members(members(response.get("properties")).get(required[0]))
    values = _values(bundle, choice)
    return next(({required[0]: value} for value in wanted if json.dumps(value) in values), None)


def _values(bundle: SchemaBundle, schema: Schema) -> frozenset[str]:
    name = referred(schema)
    resolved = schema if name is None else bundle.definitions[name]
    variants = (value for part in parts(resolved, "oneOf", "anyOf") for value in _values(bundle, part))
    return frozenset((*values_of(resolved), *variants))
