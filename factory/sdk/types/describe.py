"""Describe a schema in words: the values that it allows, and labels for the variants of a union."""

import json
from collections.abc import Mapping
from typing import Final

from factory.sdk.types.schema import Schema, elements, members, parts, referred, texts

_NULL: Final = "null"
_BOUNDS: Final = {
    "minimum": "at least",
    "maximum": "at most",
    "exclusiveMinimum": "more than",
    "exclusiveMaximum": "less than",
    "minLength": "length at least",
    "maxLength": "length at most",
    "minItems": "items at least",
    "maxItems": "items at most",
    "pattern": "like",
}


def describe(schema: object) -> str:
    """Describe the values that a schema allows, ``list of Turn or null``, without the parts of an object."""
    if not isinstance(schema, Mapping) or not schema:
        return "nothing" if schema is False else "anything"
    inner, is_nullable = without_null(schema)
    text = _describe(inner)
    return f"{text} or null" if is_nullable and text != _NULL else text


def without_null(schema: Schema) -> tuple[Schema, bool]:
    """Return the schema ``X`` of ``X or null``, however that is written, and whether null was allowed."""
    kinds = elements(schema.get("type"))
    if _NULL in kinds:
        left = [kind for kind in kinds if kind != _NULL]
        return {**schema, "type": left[0] if len(left) == 1 else left}, True
    for keyword in ("anyOf", "oneOf"):
        variants = parts(schema, keyword)
        others: list[Schema] = [variant for variant in variants if variant.get("type") != _NULL]
        if len(others) == len(variants):
            continue
        rest: Schema = {key: value for key, value in schema.items() if key != keyword}
        return {**rest, **(others[0] if len(others) == 1 else {keyword: others})}, True
    return schema, False


def values_of(schema: Schema) -> Mapping[str, None]:
    """Return the values of an enumeration as JSON, in order, whether listed together or as variants."""
    single = (schema["const"],) if "const" in schema else ()
    own = [json.dumps(value, sort_keys=True) for value in (*elements(schema.get("enum")), *single)]
    inner = [value for variant in parts(schema, "oneOf", "anyOf") for value in values_of(variant)]
    return dict.fromkeys((*own, *inner))


def variants_of(schema: Schema) -> Mapping[str, Schema]:
    """Return the variants of a union by label, without null and the values of an enumeration."""
    return {
        label_of(variant): variant
        for variant in parts(schema, "oneOf", "anyOf")
        if not values_of(variant) and variant.get("type") != _NULL
    }


def label_of(variant: Schema) -> str:
    """Return a label for a variant: its definition's name, the value of its tag, or its fields."""
    name = referred(variant)
    if name is not None:
        return name
    properties = members(variant.get("properties"))
    tags = [
        f"{key} {value}"
        for key, part in sorted(properties.items())
        if isinstance(part, Mapping) and len(values_of(part)) == 1 and key in texts(variant.get("required"))
        for value in values_of(part)
    ]
    if tags:
        return tags[0]
    fields = texts(variant.get("required")) or tuple(sorted(properties))
    return f"with {', '.join(fields)}" if fields else describe(variant)


def _describe(schema: Schema) -> str:
    name = referred(schema)
    if name is not None:
        return name
    if parts(schema, "oneOf", "anyOf"):
        return "enumeration" if not variants_of(schema) else "union"
    if values_of(schema):
        return "enumeration"
    kinds = texts(schema.get("type"))
    if not kinds:
        return "anything"
    return " or ".join(_kind(kind, schema) for kind in kinds) + _bounds(schema)


def _kind(kind: str, schema: Schema) -> str:
    match kind:
        case "array":
            return f"list of {describe(schema.get('items'))}"
        case "object" if isinstance(schema.get("additionalProperties"), Mapping):
            return f"map to {describe(schema['additionalProperties'])}"
        case "object" if schema.get("additionalProperties") is False:
            return "object without other fields"
        case _:
            return f"{kind} {schema['format']}" if "format" in schema else kind


def _bounds(schema: Schema) -> str:
    bounds = [f"{words} {schema[keyword]}" for keyword, words in _BOUNDS.items() if keyword in schema]
    return f" ({', '.join(bounds)})" if bounds else ""
