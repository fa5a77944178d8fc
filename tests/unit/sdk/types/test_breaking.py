"""Which programs a change breaks, and why."""

import pytest

from factory.sdk.types.breaking import AssessedChange, assess
from tests.protocols import Definitions, bundle, definitions, message, v2
from tests.unit.sdk.types.test_protocol_changes import NULL, TEXT, TURN, tagged, union, with_fields

LISTED = {"enum": ["x"], "type": "string"}
READ, WRITTEN, BOTH = ("ErrorNotification",), ("TurnStartParams",), ("ErrorNotification", "TurnStartParams")


def with_type(schema: object, users: tuple[str, ...]) -> Definitions:
    protocol = definitions()
    v2(protocol)["Same"] = TEXT
    v2(protocol)["Text"] = {**TEXT, "description": "A text."}
    v2(protocol)["T"] = schema
    for user in users:
        v2(protocol)[user] = with_fields(t={"$ref": "#/definitions/v2/T"})
    return protocol


def assessed(before: object, after: object, users: tuple[str, ...]) -> list[AssessedChange]:
    return list(assess(bundle(with_type(before, users)), bundle(with_type(after, users))))


def sides(before: object, after: object, users: tuple[str, ...]) -> list[tuple[str, ...]]:
    return [tuple(one.breaks) for one in assessed(before, after, users)]


def needed(**fields: object) -> dict[str, object]:
    return with_fields(**fields) | {"required": sorted(fields)}


@pytest.mark.parametrize(
    ("before", "after", "reader", "writer"),
    [
        (with_fields(), with_fields(a=TEXT), False, False),
        (with_fields(), needed(a=TEXT), False, True),
        (with_fields(a=TEXT), with_fields(), False, True),
        (needed(a=TEXT), with_fields(), True, True),
        (with_fields(a=TEXT), needed(a=TEXT), False, True),
        (needed(a=TEXT), with_fields(a=TEXT), True, False),
        (with_fields(a=TEXT), with_fields(a=TURN), True, True),
        (with_fields(a=TURN), with_fields(a={"anyOf": [TURN, NULL]}), True, False),
        (with_fields(a={"anyOf": [TURN, NULL]}), with_fields(a=TURN), False, True),
        (with_fields(a=TEXT), with_fields(a=True), True, False),
        (with_fields(a=True), with_fields(a=TEXT), False, True),
        (with_fields(a=LISTED), with_fields(a=TEXT), True, False),
        (with_fields(a={"type": "integer"}), with_fields(a={"type": "integer", "minimum": 0}), False, True),
        (with_fields(a={**TEXT, "default": "x"}), with_fields(a={**TEXT, "default": "y"}), True, True),
        (LISTED, {**LISTED, "enum": ["x", "y"]}, True, False),
        ({**LISTED, "enum": ["x", "y"]}, LISTED, False, True),
        (union(tagged("x")), union(tagged("x"), tagged("y")), True, False),
        (union(tagged("x"), tagged("y")), union(tagged("x")), False, True),
    ],
)
def test_the_side_that_has_the_type_decides(
    before: object, after: object, *, reader: bool, writer: bool
) -> None:
    reads = ("readers",) if reader else ()
    writes = ("writers",) if writer else ()
    assert sides(before, after, BOTH)[0] == (*reads, *writes)
    assert sides(before, after, READ)[0] == reads
    assert sides(before, after, WRITTEN)[0] == writes


@pytest.mark.parametrize(
    ("before", "after", "breaks"),
    [
        ("Same", "Text", ()),
        ("Same", "TurnStatus", ("readers",)),
    ],
)
def test_another_name_for_the_same_form_breaks_neither(
    before: str, after: str, breaks: tuple[str, ...]
) -> None:
    old, new = ({"$ref": f"#/definitions/v2/{name}"} for name in (before, after))
    assert sides(with_fields(a=old), with_fields(a=new), READ) == [breaks]
    old_list, new_list = ({"type": "array", "items": item} for item in (old, new))
    assert sides(with_fields(a=old_list), with_fields(a=new_list), READ)[0] == breaks


def test_a_field_that_moves_into_a_variant_can_still_be_written() -> None:
    urls, ids = needed(url=TEXT), needed(id=TEXT)
    before = union({**tagged("image", url=TEXT), "required": ["type", "url"]})
    after = union({**tagged("image"), "anyOf": [urls, ids]})
    found = {one.change.words: one for one in assessed(before, after, BOTH)}
    assert found['T (type "image"): field url removed; it was string'].breaks == ()
    assert found['T (type "image"): field url removed; it was string'].reason == "an added variant has it"
    assert found['T (type "image") is now union; it was object'].breaks == ("readers",)
    assert found['T (type "image"): variant with id added'].breaks == ("readers",)


@pytest.mark.parametrize(
    ("kind", "added", "removed", "changed"),
    [
        ("ServerNotification", (), ("readers",), ("readers",)),
        ("ServerRequest", ("readers",), (), ("readers",)),
        ("ClientRequest", (), ("writers",), ("writers",)),
        ("ClientNotification", (), ("writers",), ("writers",)),
    ],
)
def test_the_kind_of_a_message_decides(
    kind: str, added: tuple[str, ...], removed: tuple[str, ...], changed: tuple[str, ...]
) -> None:
    def protocol(*messages: object) -> Definitions:
        return definitions() | {kind: {"oneOf": list(messages)}}

    plain, other = message("a", None), message("b", None)
    for before, after, expected in (
        (protocol(plain), protocol(plain, other), added),
        (protocol(plain, other), protocol(plain), removed),
        (protocol(plain), protocol(message("a", "Turn")), changed),
    ):
        (first, *_) = assess(bundle(before), bundle(after))
        assert tuple(first.breaks) == expected, first.words


@pytest.mark.parametrize(
    ("parameters", "required", "breaks"),
    [
        (TURN, ["method", "params"], ("writers",)),
        (TURN, ["method"], ()),
        ({"anyOf": [TURN, NULL]}, ["method", "params"], ()),
    ],
)
def test_new_parameters_break_writers_only_if_they_are_needed(
    parameters: object, required: list[str], breaks: tuple[str, ...]
) -> None:
    plain, other = message("a", None, is_request=True), message("a", None, is_request=True)
    properties = other["properties"]
    assert isinstance(properties, dict)
    properties["params"] = parameters
    before = definitions() | {"ClientRequest": {"oneOf": [plain]}}
    after = definitions() | {"ClientRequest": {"oneOf": [message("b", None), other | {"required": required}]}}
    found = [one for one in assess(bundle(before), bundle(after)) if one.change.name == "a"]
    assert [tuple(one.breaks) for one in found] == [breaks]


def test_added_and_removed_types_break_neither() -> None:
    with_more = definitions()
    v2(with_more)["More"] = TEXT
    for before, after in ((definitions(), with_more), (with_more, definitions())):
        (only,) = assess(bundle(before), bundle(after))
        assert (only.breaks, only.reason.startswith("other changes name the messages")) == ((), True)


def test_the_sentence_has_the_sides_and_the_reasons() -> None:
    (only,) = assessed(needed(a=TEXT), with_fields(), BOTH)
    assert only.words == (
        "T: field a removed; it was string [breaks readers and writers:"
        " a reader expects it in every message; the server ignores or refuses it]"
    )
