"""A schema in words: what kind of value it admits, and what tells the variants of a union apart."""

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
    """Say what a schema admits, ``list of Turn or null``; not what is inside of objects and unions."""
    if not isinstance(schema, Mapping) or not schema:
        return "nothing" if schema is False else "anything"
    inner, is_nullable = without_null(schema)
    said = _describe(inner)
    return f"{said} or null" if is_nullable and said != _NULL else said


def without_null(schema: Schema) -> tuple[Schema, bool]:
    """Take the null out of ``X or null``, however it is written; say whether there was one."""
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
    """Return the values that an enumeration lists, as JSON, in its order; also where each is a variant."""
    single = (schema["const"],) if "const" in schema else ()
    own = [json.dumps(value, sort_keys=True) for value in (*elements(schema.get("enum")), *single)]
    inner = [value for variant in parts(schema, "oneOf", "anyOf") for value in values_of(variant)]
    return dict.fromkeys((*own, *inner))


def variants_of(schema: Schema) -> Mapping[str, Schema]:
    """Return a union's variants by what tells them apart; those that are values are not among them."""
    return {
        label_of(variant): variant
        for variant in parts(schema, "oneOf", "anyOf")
        if not values_of(variant) and variant.get("type") != _NULL
    }


def label_of(variant: Schema) -> str:
    """Return what tells a variant from the others: a tag's value, a name, or its fields."""
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
    said = [f"{words} {schema[keyword]}" for keyword, words in _BOUNDS.items() if keyword in schema]
    return f" ({', '.join(said)})" if said else ""
