"""The form of the official models, and the values that releases have listed."""

import json

import pytest

from factory.sdk.types.known_values import known_values, listed_values, merged, written
from factory.sdk.types.normal_form import normal_form
from factory.sdk.types.schema import SchemaBundle
from tests.known_values import values_in_models
from tests.protocols import bundle, definitions, v2


def with_type(name: str, schema: object) -> SchemaBundle:
    protocol = definitions()
    v2(protocol)[name] = schema
    return bundle(protocol)


def test_a_text_that_releases_listed_the_values_of_is_an_enumeration() -> None:
    text = {"type": "string", "minLength": 1, "description": "A text."}
    read = normal_form(with_type("ThreadSource", text)).definitions["ThreadSource"]
    assert read == {**text, "enum": ["user", "subagent", "memory_consolidation"]}


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("ThreadSource", {"type": "string", "enum": ["user"]}),
        ("ThreadSource", {"type": "object"}),
        ("ThreadName", {"type": "string"}),
    ],
)
def test_other_definitions_keep_their_values(name: str, schema: object) -> None:
    assert normal_form(with_type(name, schema)).definitions[name] == schema


def test_a_variant_with_alternatives_becomes_one_variant_for_each() -> None:
    alternatives = [
        {
            "type": "object",
            "title": "UrlInput",
            "required": ["url"],
            "properties": {"url": {"type": "string"}},
        },
        {"type": "object", "title": "IdInput", "required": ["id"], "properties": {"id": {"type": "string"}}},
    ]
    kind = {"type": "string", "enum": ["image"]}
    image = {"title": "ImageInput", "required": ["type"], "properties": {"type": kind}, "anyOf": alternatives}
    variants = normal_form(with_type("Input", {"oneOf": [image, {"type": "null"}]})).definitions["Input"]
    assert variants["oneOf"] == [
        {
            "type": "object",
            "title": "ImageInput",
            "required": ["type", "url"],
            "properties": {"type": kind, "url": {"type": "string"}},
        },
        {
            "type": "object",
            "title": "IdInput",
            "required": ["type", "id"],
            "properties": {"type": kind, "id": {"type": "string"}},
        },
        {"type": "null"},
    ]


def test_alternatives_without_fields_of_their_own_are_kept() -> None:
    image = {"properties": {"type": {"type": "string"}}, "anyOf": [{"$ref": "#/definitions/v2/Turn"}]}
    read = normal_form(with_type("Input", {"oneOf": [image]})).definitions["Input"]
    assert read["oneOf"] == [
        {"properties": {"type": {"type": "string"}}, "anyOf": [{"$ref": "#/definitions/Turn"}]}
    ]


def test_any_text_beside_an_enumeration_is_left_to_the_enumeration() -> None:
    listed = {"type": "string", "enum": ["busy", "gone"]}
    union = {"anyOf": [listed, {"type": "string"}, {"type": ["string", "object"]}, {"type": "integer"}]}
    read = normal_form(with_type("Problem", union)).definitions["Problem"]
    assert read["anyOf"] == [listed, {"type": "object"}, {"type": "integer"}]


def test_any_text_in_another_union_is_kept() -> None:
    union = {"anyOf": [{"type": "string"}, {"type": "integer", "enum": [1, 2]}]}
    assert normal_form(with_type("Problem", union)).definitions["Problem"] == union


def test_a_field_that_may_be_null_is_optional_but_in_a_variant() -> None:
    fields = {"id": {"type": "string"}, "name": {"type": ["string", "null"]}}
    schema = {"type": "object", "required": ["id", "name", "gone"], "properties": fields}
    read = normal_form(with_type("Person", {**schema, "oneOf": [schema]})).definitions["Person"]
    assert read["required"] == ["id", "gone"]
    assert read["oneOf"] == [schema]


def test_only_enumerations_of_texts_are_recorded() -> None:
    protocol = definitions()
    v2(protocol)["Level"] = {"type": "integer", "enum": [1, 2]}
    v2(protocol)["Phase"] = {
        "oneOf": [{"type": "string", "enum": ["end"]}, {"type": "string", "enum": ["begin"]}]
    }
    assert listed_values(bundle(protocol)) == {
        "Phase": ("end", "begin"),
        "TurnStatus": ("completed", "failed"),
    }


def test_records_are_merged_and_written_one_enumeration_a_line() -> None:
    values = merged(({"B": ("x", "y")}, {"A": ("z",), "B": ("y", "w")}))
    assert values == {"A": ("z",), "B": ("x", "y", "w")}
    assert written(values) == '{\n"A": ["z"],\n"B": ["x", "y", "w"]\n}\n'
    assert json.loads(written({})) == {}


def test_the_record_has_what_releases_listed_and_what_sdks_added() -> None:
    assert known_values()["ReasoningEffort"] == (
        *("none", "minimal", "low", "medium", "high", "xhigh"),  # listed by 0.131.0
        *("max", "ultra"),  # in the official SDK from 0.154.0 on
    )
    assert written(merged((known_values(),))) == written(known_values())


def test_only_enumerations_that_are_texts_are_taken_from_models() -> None:
    source = 'class A(str, Enum):\n    """Text."""\n    x = "X"\n\n\nclass B(Enum):\n    y = "Y"\n'
    assert values_in_models(source) == {"A": ("X",)}
