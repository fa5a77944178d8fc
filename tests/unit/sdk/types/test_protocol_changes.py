"""Pairs of protocols that differ in one place, and the sentence for that change."""

import pytest

from factory.sdk.types.protocol_changes import Change, ChangeKind, compare
from tests.protocols import Definitions, bundle, definitions, message

OBJECT = {"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}}


def changes(before: object, after: object) -> list[str]:
    """Compare two forms of one type."""
    old, new = definitions() | {"T": before}, definitions() | {"T": after}
    return [change.words for change in compare(bundle(old), bundle(new))]


def with_fields(**fields: object) -> dict[str, object]:
    return {"type": "object", "properties": fields}


def union(*variants: object) -> dict[str, object]:
    return {"oneOf": list(variants)}


def tagged(tag: str, **fields: object) -> dict[str, object]:
    return {
        "type": "object",
        "required": ["type"],
        "properties": {"type": {"type": "string", "enum": [tag]}, **fields},
    }


TEXT = {"type": "string"}
NUMBER = {"type": "integer", "format": "int64"}
TURN = {"$ref": "#/definitions/v2/Turn"}
STATUS = {"$ref": "#/definitions/v2/TurnStatus"}
NULL = {"type": "null"}


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        (with_fields(), with_fields(a=TEXT), "T: field a added: string, optional"),
        (with_fields(), with_fields(a=TEXT) | {"required": ["a"]}, "T: field a added: string, required"),
        (with_fields(a=NUMBER), with_fields(), "T: field a removed; it was integer int64"),
        (with_fields(a=TEXT), OBJECT, "T: field a became required"),
        (OBJECT, with_fields(a=TEXT), "T: field a became optional"),
        (with_fields(a=TEXT), with_fields(a=NUMBER), "T.a is now integer int64; it was string"),
        (with_fields(a=TURN), with_fields(a={"allOf": [STATUS]}), "T.a is now TurnStatus; it was Turn"),
        (with_fields(a=TURN), with_fields(a={"anyOf": [TURN, NULL]}), "T.a is now Turn or null; it was Turn"),
        (
            with_fields(a={"type": "array", "items": TURN}),
            with_fields(a={"type": "array", "items": STATUS}),
            "T.a is now list of TurnStatus; it was list of Turn",
        ),
        (
            with_fields(a={"type": "object", "additionalProperties": TEXT}),
            with_fields(a={"type": "object", "additionalProperties": NUMBER}),
            "T.a is now map to integer int64; it was map to string",
        ),
        (
            with_fields(a={"type": "array", "items": with_fields(b=TEXT)}),
            with_fields(a={"type": "array", "items": with_fields(b=NUMBER)}),
            "T.a[].b is now integer int64; it was string",
        ),
        (
            with_fields(a=NUMBER),
            with_fields(a={**NUMBER, "minimum": 0}),
            "T.a is now integer int64 (at least 0); it was integer int64",
        ),
        (
            with_fields(a={**TEXT, "default": "x"}),
            with_fields(a={**TEXT, "default": None}),
            'T: the default of a is now null; it was "x"',
        ),
        (
            with_fields(a={**TEXT, "default": "x"}),
            with_fields(a=TEXT),
            'T: the default of a is now none; it was "x"',
        ),
        (with_fields(a=True), with_fields(a=TEXT), "T.a is now string; it was anything"),
        ({"enum": ["x"]}, {"enum": ["x", "y"]}, 'T: value "y" added'),
        ({"enum": ["x", "y"]}, {"enum": ["y"]}, 'T: value "x" removed'),
        ({"enum": ["x"]}, union({"enum": ["x"]}, {"const": "y"}), 'T: value "y" added'),
        (union(tagged("x")), union(tagged("x"), tagged("y")), 'T: variant type "y" added'),
        (union(tagged("x"), tagged("y")), union(tagged("x")), 'T: variant type "y" removed'),
        (union(tagged("x")), union(tagged("x", b=TEXT)), 'T (type "x"): field b added: string, optional'),
        (union(TURN), union(TURN, STATUS), "T: variant TurnStatus added"),
        (union(TURN), union(TURN, OBJECT), "T: variant with a added"),
        (
            with_fields(),
            {"type": "object", "properties": {}, "additionalProperties": False},
            "T is now object without other fields; it was object",
        ),
    ],
)
def test_one_difference_is_one_sentence(before: object, after: object, sentence: str) -> None:
    assert changes(before, after) == [sentence]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (OBJECT, OBJECT | {"title": "T", "description": "Other words"}),
        (with_fields(a=TEXT, b=TEXT), with_fields(b=TEXT, a=TEXT)),
        (with_fields(a={"type": ["string", "null"]}), with_fields(a={"anyOf": [NULL, TEXT]})),
        (with_fields(a=TURN), with_fields(a={"allOf": [TURN]})),
        ({"enum": ["x", "y"]}, {"enum": ["y", "x"]}),
        ({"enum": ["x", "y"]}, union({"enum": ["x"]}, {"enum": ["y"]})),
        (union(tagged("x"), tagged("y")), union(tagged("y"), tagged("x"))),
    ],
)
def test_annotations_and_order_are_not_changes(before: object, after: object) -> None:
    assert changes(before, after) == []


def protocol(name: str, *messages: object, **more: object) -> Definitions:
    return definitions() | {name: {"oneOf": list(messages)}} | more


def test_methods_are_added_removed_and_changed() -> None:
    before = protocol("ServerNotification", message("a", "Turn"), message("b", "Turn"), message("c", None))
    after = protocol(
        "ServerNotification", message("b", "ErrorNotification"), message("c", None), message("d", None)
    )
    assert [change.words for change in compare(bundle(before), bundle(after))] == [
        "server notification a removed; it was Turn",
        "server notification b is now ErrorNotification; it was Turn",
        "server notification d added: without parameters",
    ]


def test_a_changed_request_names_its_sender() -> None:
    before, after = definitions(), protocol("ClientRequest", message("logout", None, is_request=True))
    assert compare(bundle(before), bundle(after)) == (
        Change(
            kind=ChangeKind.METHOD_REMOVED,
            place="client request",
            name="turn/start",
            before="TurnStartParams",
        ),
    )


def test_types_are_added_and_removed() -> None:
    before, after = definitions() | {"Old": OBJECT}, definitions() | {"New": {"enum": ["x"]}}
    assert [change.words for change in compare(bundle(before), bundle(after))] == [
        "type New added: enumeration",
        "type Old removed; it was object",
    ]


@pytest.mark.parametrize("kind", ChangeKind)
def test_every_kind_has_a_sentence(kind: ChangeKind) -> None:
    assert "place" in Change(kind=kind, place="place", name="name").words
