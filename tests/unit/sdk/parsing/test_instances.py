"""Instances that together have every form of a message."""

from jsonschema import Draft7Validator

from factory.sdk.parsing.instances import InstanceMaker
from tests.protocols import bundle, definitions, v2

TEXT = {"type": "string"}
STATUS = {"$ref": "#/definitions/v2/TurnStatus"}


def of_message(name: str, **more: object) -> list[tuple[str, object]]:
    protocol = definitions()
    v2(protocol).update(more)
    read = bundle(protocol)
    found = list(InstanceMaker(read).of_message(name))
    validator = Draft7Validator({"$ref": f"#/definitions/{name}", "definitions": dict(read.definitions)})
    assert all(validator.is_valid(one.value) for one in found)
    return [(one.example, one.value) for one in found]


def test_a_message_has_each_form_of_each_type_inside_of_it() -> None:
    done, failed = {"id": "/text", "status": "completed"}, {"id": "/text", "status": "failed"}
    assert of_message("TurnCompletedNotification") == [
        ("TurnCompletedNotification", {"threadId": "/text", "turn": done}),
        ("TurnCompletedNotification (all fields)", {"threadId": "/text", "turn": done}),
        ("Turn", {"threadId": "/text", "turn": done}),
        ("Turn (all fields)", {"threadId": "/text", "turn": {**done, "startedAt": 7}}),
        ("TurnStatus (completed)", {"threadId": "/text", "turn": done}),
        ("TurnStatus (failed)", {"threadId": "/text", "turn": failed}),
    ]


def test_the_variants_of_a_union_are_placed_in_lists_and_maps() -> None:
    union = {"oneOf": [{"type": "null"}, {"type": "array", "items": STATUS}]}
    every = {"type": "object", "additionalProperties": {"$ref": "#/definitions/v2/Union"}}
    assert of_message("Every", Every=every, Union=union) == [
        ("Every", {}),
        ("Union (null)", {"key": None}),
        ("Union (list of TurnStatus)", {"key": []}),
        ("Union (list of TurnStatus)", {"key": ["completed"]}),
        ("TurnStatus (completed)", {"key": ["completed"]}),
        ("TurnStatus (failed)", {"key": ["failed"]}),
    ]


def test_a_variant_with_alternatives_stays_valid() -> None:
    url = {"type": "object", "required": ["url"], "properties": {"url": TEXT}}
    key = {"type": "object", "required": ["key"], "properties": {"key": TEXT}}
    image = {
        "required": ["type"],
        "properties": {"type": {"enum": ["image"]}, "status": STATUS},
        "anyOf": [url, key],
    }
    found = of_message("Input", Input={"oneOf": [image]})
    assert ('Input (type "image", with key)', {"type": "image", "key": "/text"}) in found
    assert ("TurnStatus (failed)", {"type": "image", "url": "/text", "status": "failed"}) in found


def test_a_type_that_contains_itself_ends() -> None:
    tree = {
        "type": "object",
        "properties": {"left": {"$ref": "#/definitions/v2/Tree"}, "kind": {"enum": [1, 2]}},
    }
    assert of_message("Tree", Tree=tree) == [
        ("Tree", {}),
        ("Tree (all fields)", {"left": {}, "kind": 1}),
        ("Tree (kind 2)", {"kind": 2}),
    ]
