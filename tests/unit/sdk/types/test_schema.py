"""The schema as it is read: one namespace, and nothing in it that JSON Schema does not know."""

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
from tests.protocols import bundle, definitions

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


def v2(protocol: dict[str, object]) -> dict[str, object]:
    inner = protocol["v2"]
    assert isinstance(inner, dict)
    return inner


def test_the_namespaces_become_one() -> None:
    read = bundle()
    assert {"Turn", "ServerNotification"} <= read.definitions.keys()
    assert "v2" not in read.definitions
    assert read.definitions["TurnStartParams"]["properties"] == {
        "input": {"type": "array", "items": {"$ref": "#/definitions/UserInput"}}
    }


def test_a_definition_may_be_repeated_with_other_words() -> None:
    protocol = definitions()
    protocol["TurnStatus"] = {
        "title": "TurnStatus",
        "$schema": "draft",
        "type": "string",
        "enum": ["completed", "failed"],
    }
    assert bundle(protocol).definitions["TurnStatus"]["enum"] == ["completed", "failed"]


def test_a_definition_may_not_be_two() -> None:
    protocol = definitions()
    protocol["TurnStatus"] = {"type": "string"}
    with pytest.raises(UnusableSchema, match="TurnStatus: is defined twice, differently"):
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
def test_a_reference_leads_to_a_definition(reference: object) -> None:
    protocol = definitions()
    v2(protocol)["Turn"] = {"properties": {"status": {"$ref": reference}}}
    with pytest.raises(UnusableSchema, match="Turn: properties: refers to "):
        bundle(protocol)


@pytest.mark.parametrize("keyword", ["customTypePath", "customBasePath", "x-python-import", "$dynamicRef"])
def test_a_keyword_that_only_a_generator_knows_is_refused(keyword: str) -> None:
    protocol = definitions()
    v2(protocol)["Turn"] = {"items": {"oneOf": [{keyword: "os.system"}]}}
    with pytest.raises(UnusableSchema, match=rf"keywords that are not known: {keyword.replace('$', '.')}"):
        bundle(protocol)


@pytest.mark.parametrize("name", ["Turn-2", "", "2Turn", "a\nimport os"])
def test_a_definition_has_a_name_that_a_class_can_have(name: str) -> None:
    protocol = definitions()
    v2(protocol)[name] = {"type": "string"}
    with pytest.raises(UnusableSchema, match="is no name for a type"):
        bundle(protocol)


def test_what_is_too_deep_is_refused() -> None:
    deep = b'{"definitions":{"A":' + b'{"items":' * 700 + b"true" + b"}" * 702
    with pytest.raises((UnusableSchema, MalformedJson)):
        SchemaBundle.parse(deep)


@pytest.mark.parametrize(
    "written", [b"", b"Segmentation fault", b"[]", b"{}", b'{"definitions": 3}', b"\xff\xfe"]
)
def test_garbage_is_told(written: bytes) -> None:
    with pytest.raises(MalformedJson, match=BUNDLE):
        SchemaBundle.parse(written)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnusableSchema, match="there is no such file"):
        SchemaBundle.read(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="POSIX only")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / BUNDLE)
    with pytest.raises(UnusableSchema, match="there is no such file"):
        SchemaBundle.read(tmp_path)


def test_a_file_without_end_is_not_read_whole(tmp_path: Path) -> None:
    with (tmp_path / BUNDLE).open("wb") as file:
        file.truncate((64 << 20) + 1)
    with pytest.raises(UnusableSchema, match="larger than 64 MiB"):
        SchemaBundle.read(tmp_path)


@given(anything)
def test_any_schema_is_refused_or_can_be_worked_with(schema: object) -> None:
    protocol = definitions()
    v2(protocol)["Turn"] = schema
    with suppress(FactoryError):
        read = bundle(protocol)
        json.loads(generator_input(read))
        assert compare(read, read) == ()
        assert all(change.words for change in compare(read, bundle()))
