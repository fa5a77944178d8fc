"""Reading a schema: its namespaces are merged, and unknown keywords are refused."""

import json
import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factory.core.errors import FactoryError
from factory.core.json_reader import MalformedJson
from factory.sdk.types.generator_input import generator_input
from factory.sdk.types.protocol_changes import compare
from factory.sdk.types.schema import BUNDLE, SchemaBundle, UnusableSchema
from tests.protocols import bundle, definitions, v2

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "properties", "oneOf", "items", "$ref", "enum", "allOf", "required"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


def test_the_namespaces_are_merged() -> None:
    read = bundle()
    assert {"Turn", "ServerNotification"} <= read.definitions.keys()
    assert "v2" not in read.definitions
    assert read.definitions["TurnStartParams"]["properties"] == {
        "input": {"type": "array", "items": {"$ref": "#/definitions/UserInput"}}
    }


def test_a_definition_may_be_repeated_with_other_annotations() -> None:
    protocol = definitions()
    protocol["TurnStatus"] = {
        "title": "TurnStatus",
        "$schema": "draft",
        "type": "string",
        "enum": ["completed", "failed"],
    }
    assert bundle(protocol).definitions["TurnStatus"]["enum"] == ["completed", "failed"]


def test_an_older_definition_of_the_same_name_gets_a_suffix() -> None:
    protocol = definitions()
    protocol["TurnStatus"] = {"type": "string"}
    protocol["OldTurn"] = {"properties": {"status": {"$ref": "#/definitions/TurnStatus"}}}
    read = bundle(protocol).definitions
    assert read["TurnStatusV1"] == {"type": "string"}
    assert read["TurnStatus"]["enum"] == ["completed", "failed"]
    assert read["OldTurn"]["properties"] == {"status": {"$ref": "#/definitions/TurnStatusV1"}}
    turn = read["Turn"]["properties"]
    assert isinstance(turn, dict)
    assert turn["status"] == {"$ref": "#/definitions/TurnStatus"}


def test_two_different_definitions_are_refused_if_the_suffixed_name_is_taken() -> None:
    protocol = definitions()
    protocol["TurnStatus"] = {"type": "string"}
    v2(protocol)["TurnStatusV1"] = {"type": "string"}
    with pytest.raises(
        UnusableSchema, match="TurnStatus: is defined twice, and TurnStatusV1 is also defined"
    ):
        bundle(protocol)


def test_the_namespace_may_refer_to_a_definition_outside() -> None:
    protocol = definitions()
    protocol["Policy"] = {"type": "string"}
    v2(protocol)["Turn"] = {"items": {"$ref": "#/definitions/v2/Policy"}}
    assert bundle(protocol).definitions["Turn"] == {"items": {"$ref": "#/definitions/Policy"}}


def test_a_generic_type_gets_a_class_name() -> None:
    protocol = definitions()
    protocol["Option<()>"] = {"type": "null"}
    protocol["User"] = {"items": {"$ref": "#/definitions/Option<()>"}}
    read = bundle(protocol).definitions
    assert read["Option"] == {"type": "null"}
    assert read["User"] == {"items": {"$ref": "#/definitions/Option"}}
    protocol["Option"] = {"type": "string"}
    with pytest.raises(UnusableSchema, match="has two definitions with the same class name"):
        bundle(protocol)


@pytest.mark.parametrize(
    "reference",
    [
        "other.json#/definitions/Turn",
        "https://schema.example.invalid/turn.json",
        "#/definitions/v2/Gone",
        "#",
        3,
    ],
)
def test_a_reference_must_name_a_definition(reference: object) -> None:
    protocol = definitions()
    v2(protocol)["Turn"] = {"properties": {"status": {"$ref": reference}}}
    with pytest.raises(UnusableSchema, match="Turn: properties: refers to "):
        bundle(protocol)


@pytest.mark.parametrize("keyword", ["customTypePath", "customBasePath", "x-python-import", "$dynamicRef"])
def test_a_keyword_outside_json_schema_is_refused(keyword: str) -> None:
    protocol = definitions()
    v2(protocol)["Turn"] = {"items": {"oneOf": [{keyword: "os.system"}]}}
    with pytest.raises(UnusableSchema, match=rf"has unknown keywords: {keyword.replace('$', '.')}"):
        bundle(protocol)


@pytest.mark.parametrize(
    ("kind", "shown"), [("decimal", "'decimal'"), (["null", "decimal"], "'decimal'"), ({}, "{}")]
)
def test_a_type_that_json_schema_does_not_have_is_refused(kind: object, shown: str) -> None:
    protocol = definitions()
    v2(protocol)["Turn"] = {"items": {"type": kind}}
    with pytest.raises(UnusableSchema, match=f"Turn: items: has an unknown type: {shown}"):
        bundle(protocol)


@pytest.mark.parametrize("name", ["Turn-2", "", "2Turn", "a\nimport os"])
def test_a_definition_needs_a_valid_class_name(name: str) -> None:
    protocol = definitions()
    v2(protocol)[name] = {"type": "string"}
    with pytest.raises(UnusableSchema, match="is not a valid type name"):
        bundle(protocol)


def test_a_schema_nested_too_deeply_is_refused() -> None:
    deep = b'{"definitions":{"A":' + b'{"items":' * 700 + b"true" + b"}" * 702
    with pytest.raises((UnusableSchema, MalformedJson)):
        SchemaBundle.parse(deep)


@pytest.mark.parametrize(
    "written", [b"", b"Segmentation fault", b"[]", b"{}", b'{"definitions": 3}', b"\xff\xfe"]
)
def test_a_file_that_is_not_a_schema_is_refused(written: bytes) -> None:
    with pytest.raises(MalformedJson, match=BUNDLE):
        SchemaBundle.parse(written)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UnusableSchema, match="is not a file"):
        SchemaBundle.read(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="POSIX only")
def test_a_pipe_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / BUNDLE)
    with pytest.raises(UnusableSchema, match="is not a file"):
        SchemaBundle.read(tmp_path)


def test_an_oversized_file_is_refused(tmp_path: Path) -> None:
    with (tmp_path / BUNDLE).open("wb") as file:
        file.truncate((64 << 20) + 1)
    with pytest.raises(UnusableSchema, match="larger than 64 MiB"):
        SchemaBundle.read(tmp_path)


@given(anything)
def test_any_schema_is_refused_or_can_be_used(schema: object) -> None:
    protocol = definitions()
    v2(protocol)["Turn"] = schema
    with suppress(FactoryError):
        read = bundle(protocol)
        json.loads(generator_input(read))
        assert compare(read, read) == ()
        assert all(change.words for change in compare(read, bundle()))
