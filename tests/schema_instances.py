"""Make instances from a schema: minimal ones, or ones with every field."""

from collections.abc import Iterator, Mapping

from factory.sdk.types.schema import Schema, SchemaBundle, elements, members, parts, referred, texts

_DEPTH = 12
_SCALARS: Mapping[str, object] = {"null": None, "boolean": True, "integer": 7, "number": 1.5, "string": "/a"}


class Instances:
    """Makes instances of a bundle's definitions.

    Args:
        is_full: Include optional fields, down to a fixed depth, since a definition may refer to itself.
    """

    def __init__(self, bundle: SchemaBundle, *, is_full: bool) -> None:
        self._bundle = bundle
        self._is_full = is_full

    def of(self, name: str) -> list[object]:
        """Return a definition's examples and an instance of each of its variants."""
        schema = self._bundle.definitions[name]
        return [*elements(schema.get("examples")), *self._all(schema, 0)]

    def _all(self, schema: Schema, depth: int) -> Iterator[object]:
        target = referred(schema)
        variants = parts(schema, "oneOf", "anyOf")
        if target is not None:
            yield from self._all(self._bundle.definitions[target], depth + 1)
        elif variants:
            own = self._object(schema, depth) if "properties" in schema else None
            for variant in variants:
                for instance in self._all(variant, depth + 1):
                    yield instance if own is None else {**own, **members(instance)}
        elif "enum" in schema or "const" in schema:
            yield from elements(schema.get("enum")) or (schema["const"],)
        else:
            for kind in texts(schema.get("type")) or ("string",):
                yield self._plain(schema, kind, depth)

    def _one(self, schema: object, depth: int) -> object:
        return next(self._all(members(schema), depth))

    def _plain(self, schema: Schema, kind: str, depth: int) -> object:
        if kind == "array":
            items = schema.get("items")
            return [self._one(items, depth + 1)] if items and self._is_full and depth < _DEPTH else []
        if kind == "object":
            return self._object(schema, depth)
        return _SCALARS[kind]

    def _object(self, schema: Schema, depth: int) -> dict[str, object]:
        required = texts(schema.get("required"))
        fields = {
            name: self._one(part, depth + 1)
            for name, part in members(schema.get("properties")).items()
            if name in required or (self._is_full and depth < _DEPTH)
        }
        values = schema.get("additionalProperties")
        if self._is_full and isinstance(values, Mapping) and depth < _DEPTH:
            fields["key"] = self._one(values, depth + 1)
        return fields
