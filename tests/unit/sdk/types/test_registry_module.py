"""The generator's input, and the registry module."""

import json

import pytest

from factory.sdk.types.generator_input import generator_input
from factory.sdk.types.methods import MessageKind, Method, methods_of
from factory.sdk.types.registry_module import models_named, registry_source
from factory.sdk.types.schema import UnusableSchema
from tests.protocols import bundle, definitions, message

REGISTRY = '''\
"""The models of the parameters, by method."""

from __future__ import annotations

from typing import TypeAlias

from pydantic import BaseModel

from .v2_all import (
    ApproveParams,
    ErrorNotification,
    TurnCompletedNotification,
    TurnStartParams,
)

NOTIFICATION_MODELS: dict[str, type[BaseModel]] = {
    "error": ErrorNotification,
    "turn/completed": TurnCompletedNotification,
}
"""The parameters of server notifications, by method."""

SERVER_REQUEST_MODELS: dict[str, type[BaseModel]] = {
    "approve": ApproveParams,
}
"""The parameters of server requests, by method."""

CLIENT_REQUEST_MODELS: dict[str, type[BaseModel]] = {
    "turn/start": TurnStartParams,
}
"""The parameters of client requests, by method."""

KnownNotificationPayload: TypeAlias = (
    ErrorNotification
    | TurnCompletedNotification
)
"""The parameters of any notification."""


def notification_turn_id(payload: BaseModel) -> str | None:
'''


def test_the_registry_has_the_model_of_every_method_with_parameters() -> None:
    source = registry_source(bundle())
    assert source.startswith(REGISTRY)
    compile(source, "registry", "exec")


def test_a_methods_name_cannot_inject_code() -> None:
    name = '"] = print("\n'
    protocol = definitions() | {"ServerNotification": {"oneOf": [message(name, "Turn")]}}
    assert f"    {json.dumps(name)}: Turn,\n" in registry_source(bundle(protocol))


def test_parameters_may_be_null_instead() -> None:
    optional = message("usage", None)
    optional["properties"] |= {  # type: ignore[operator]
        "params": {"anyOf": [{"$ref": "#/definitions/v2/Turn"}, {"type": "null"}]}
    }
    protocol = definitions() | {"ServerNotification": {"oneOf": [optional]}}
    methods = methods_of(bundle(protocol), MessageKind.SERVER_NOTIFICATION)
    assert methods == (Method(name="usage", parameters="Turn"),)


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ({"type": "string"}, "lists no messages"),
        ({"oneOf": [{"type": "object"}]}, "lists a message without a method"),
        ({"oneOf": [{"properties": {"method": {"enum": ["a", "b"]}}}]}, "lists a message without a method"),
    ],
)
def test_messages_in_another_form_are_refused(written: object, problem: str) -> None:
    protocol = definitions() | {"ServerRequest": written}
    with pytest.raises(UnusableSchema, match=f"ServerRequest: {problem}"):
        models_named(bundle(protocol))


def test_a_protocol_without_a_kind_of_message_is_refused() -> None:
    protocol = definitions()
    del protocol["ClientRequest"]
    with pytest.raises(UnusableSchema, match="ClientRequest: is not defined"):
        registry_source(bundle(protocol))


def test_only_titles_that_name_a_class_are_kept() -> None:
    shaped = json.loads(generator_input(bundle()))
    assert shaped["definitions"]["UserInput"]["oneOf"][0]["title"] == "TextUserInput"
    notifications = shaped["definitions"]["ServerNotification"]["oneOf"]
    assert [variant["title"] for variant in notifications] == [
        "TurnCompletedServerNotification",
        "ErrorServerNotification",
    ]
    assert all("title" not in variant["properties"]["method"] for variant in notifications)


def test_equal_protocols_give_equal_bytes() -> None:
    reordered = dict(reversed(definitions().items()))
    assert generator_input(bundle(reordered)) == generator_input(bundle())
