"""Change a schema so that its models have the form of the official SDK's, by rules about its parts.

The official models differ from what a generator makes of the schema as it is. A text that earlier
releases listed the values of stays an enumeration, an image is a class with fields and not a union in
a union, and a field that may be null may be left out.
"""

from collections.abc import Iterator, Mapping

from factory.sdk.types.describe import without_null
from factory.sdk.types.known_values import known_values
from factory.sdk.types.schema import Schema, SchemaBundle, elements, members, parts, texts, with_parts

_UNIONS = ("oneOf", "anyOf")
_STRING = "string"
_TYPE = "type"


def normal_form(bundle: SchemaBundle) -> SchemaBundle:
    """Return the schema in the form that the generator reads."""
    known = known_values()
    definitions = {
        name: _with_values(_normal(schema, is_variant=False), known.get(name, ()))
        for name, schema in bundle.definitions.items()
    }
    return SchemaBundle(definitions)


def _with_values(schema: Schema, values: tuple[str, ...]) -> Schema:
    """List the known values of a text that earlier releases listed them of."""
    if schema.get(_TYPE) != _STRING or "enum" in schema or not values:
        return schema
    return {**schema, "enum": list(values)}


def _normal(schema: Schema, *, is_variant: bool) -> Schema:
    inner = with_parts(schema, lambda keyword, part: _normal(part, is_variant=keyword in _UNIONS))
    for keyword in _UNIONS:
        if keyword in inner:
            variants = [flat for variant in parts(inner, keyword) for flat in _flat_variants(variant)]
            inner[keyword] = list(_without_listed_texts(variants))
    return inner if is_variant else _with_optional_fields(inner)


def _flat_variants(variant: Schema) -> Iterator[Schema]:
    """Split a variant that is a union of objects with common fields; the first part keeps its name."""
    keyword = next((word for word in _UNIONS if parts(variant, word)), None)
    alternatives = () if keyword is None else parts(variant, keyword)
    if keyword is None or not all("properties" in part for part in (variant, *alternatives)):
        yield variant
        return
    common = {key: value for key, value in variant.items() if key != keyword}
    for index, alternative in enumerate(alternatives):
        merged = {**alternative, **common} if index == 0 else {**common, **alternative}
        merged["properties"] = {**members(common["properties"]), **members(alternative["properties"])}
        merged["required"] = [*texts(common.get("required")), *texts(alternative.get("required"))]
        yield merged


def _without_listed_texts(variants: list[Schema]) -> Iterator[Schema]:
    """Remove any text from a union with an enumeration of texts, whose class accepts every text."""
    has_values = any(variant.get(_TYPE) == _STRING and elements(variant.get("enum")) for variant in variants)
    for variant in variants:
        kinds = texts(variant.get(_TYPE))
        if not has_values or _STRING not in kinds or "enum" in variant:
            yield variant
            continue
        others = [kind for kind in kinds if kind != _STRING]
        if others:
            yield {**variant, _TYPE: others[0] if len(others) == 1 else others}


def _with_optional_fields(schema: Schema) -> Schema:
    """Make the fields optional that may be null; in a union they stay, to distinguish its variants."""
    properties = members(schema.get("properties"))
    required = [name for name in texts(schema.get("required")) if not _is_nullable(properties.get(name))]
    return {**schema, "required": required} if "required" in schema else schema


def _is_nullable(schema: object) -> bool:
    return isinstance(schema, Mapping) and without_null(schema)[1]
