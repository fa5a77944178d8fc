"""Which side sends a type, on the small protocol."""

from factory.sdk.types.directions import directions_of
from tests.protocols import bundle, definitions, v2


def test_each_side_sends_what_its_messages_refer_to() -> None:
    directions = directions_of(bundle())
    assert directions.client == {"ClientRequest", "ClientNotification", "TurnStartParams", "UserInput"}
    assert directions.server == {
        *("ServerNotification", "ServerRequest", "ApproveParams"),
        *("ErrorNotification", "Turn", "TurnCompletedNotification", "TurnStatus"),
    }


def test_a_client_sends_the_answers_to_server_requests() -> None:
    protocol = definitions()
    v2(protocol)["Decision"] = {"type": "string", "enum": ["yes", "no"]}
    v2(protocol)["ApproveResponse"] = {"properties": {"decision": {"$ref": "#/definitions/v2/Decision"}}}
    v2(protocol)["TurnStartResponse"] = {"properties": {"turn": {"$ref": "#/definitions/v2/Turn"}}}
    directions = directions_of(bundle(protocol))
    assert {"ApproveResponse", "Decision"} <= directions.client - directions.server
    assert {"TurnStartResponse", "Turn"} <= directions.server - directions.client


def test_parameters_that_no_message_uses_are_a_clients() -> None:
    protocol = definitions()
    v2(protocol)["ReadParams"] = {"type": "object"}
    v2(protocol)["Leftover"] = {"anyOf": [{"$ref": "#/definitions/v2/Leftover"}]}
    directions = directions_of(bundle(protocol))
    assert "ReadParams" in directions.client - directions.server
    assert "Leftover" in directions.server - directions.client


def test_a_type_may_be_sent_by_both_sides() -> None:
    protocol = definitions()
    v2(protocol)["TurnStartParams"] = {"properties": {"last": {"items": {"$ref": "#/definitions/v2/Turn"}}}}
    directions = directions_of(bundle(protocol))
    assert {"Turn", "TurnStatus"} <= directions.client & directions.server
