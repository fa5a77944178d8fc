"""Make instances of a protocol's messages: together they have every variant and value of each type."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from factory.sdk.types.describe import label_of, without_null
from factory.sdk.types.directions import references
from factory.sdk.types.schema import Schema, SchemaBundle, elements, members, parts, referred, texts

_DEPTH: Final = 40
_UNIONS: Final = ("oneOf", "anyOf")
_SCALARS: Final[Mapping[str, object]] = {
    "null": None,
    "boolean": True,
    "integer": 7,
    "number": 1.5,
    "string": "/text",
}
_ABSENT: Final = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """A valid instance, and what it is an example of.

    Attributes:
        example: The type and its variant, value or field, ``ThreadItem (type "plan")``.
    """

    example: str
    value: object


@dataclass(frozen=True)
class InstanceMaker:
    """Makes instances of the types of a protocol."""

    bundle: SchemaBundle
    _forms: dict[str, tuple[Instance, ...]] = field(default_factory=dict)
    _smallest: dict[str, object] = field(default_factory=dict)

    def of_message(self, name: str) -> Iterator[Instance]:
        """Return instances of a type that have, one at a time, each form of each type inside of it."""
        users: dict[str, str | None] = {name: None}
        waiting = deque(users)
        while waiting:
            inner = waiting.popleft()
            for form in self.forms(inner):
                value = self._inside(users, inner, form.value)
                if value is not _ABSENT:
                    yield Instance(example=form.example, value=value)
            for used in references(self.bundle.definitions[inner]):
                if used not in users:
                    users[used] = inner
                    waiting.append(used)

    def forms(self, name: str) -> tuple[Instance, ...]:
        """Return an instance for each variant, value and field of a type."""
        if name not in self._forms:
            found = self._alternatives(self.bundle.definitions[name])
            self._forms[name] = tuple(
                Instance(example=f"{name} ({label})" if label else name, value=value)
                for label, value in found
            )
        return self._forms[name]

    def _inside(self, users: Mapping[str, str | None], name: str, value: object) -> object:
        """Put an instance of a type into one of the type that uses it, and so on up to the message."""
        user = users[name]
        while user is not None and value is not _ABSENT:
            value = self._placed(self.bundle.definitions[user], name, value)
            name, user = user, users[user]
        return value

    def _placed(self, schema: Schema, name: str, value: object) -> object:
        """Return an instance of a schema with the value where it refers to a type."""
        if referred(schema) == name:
            return value
        for part, wrap in self._places(schema):
            placed = self._placed(part, name, value)
            if placed is not _ABSENT:
                return wrap(placed)
        return _ABSENT

    def _places(self, schema: Schema) -> Iterator[tuple[Schema, Callable[[object], object]]]:
        """Return the parts of a schema, and how an instance of each becomes one of the schema."""
        smallest = members(self.smallest(schema))
        for key, part in members(schema.get("properties")).items():
            yield members(part), partial(_with_member, smallest, key)
        for variant in parts(schema, *_UNIONS):
            yield variant, partial(_with_members, self._object(schema))
        if isinstance(schema.get("items"), Mapping):
            yield members(schema["items"]), lambda value: [value]
        if isinstance(schema.get("additionalProperties"), Mapping):
            yield members(schema["additionalProperties"]), partial(_with_member, {}, "key")

    def _alternatives(self, schema: Schema) -> Iterator[tuple[str, object]]:
        """Return labelled instances of a schema, which do not vary the types that it refers to."""
        variants = parts(schema, *_UNIONS)
        own = self._object(schema) if "properties" in schema else None
        if variants:
            for variant in variants:
                label = label_of(variant)
                for inner, value in self._alternatives(variant):
                    merged = value if own is None else {**own, **members(value)}
                    yield ", ".join(text for text in (label, inner) if text), merged
            if own is not None:
                yield from self._with_each_field(schema, members(self.smallest(schema)))
        elif "enum" in schema or "const" in schema:
            yield from ((str(value), value) for value in elements(schema.get("enum")) or (schema["const"],))
        elif own is not None:
            yield "", own
            yield from self._with_each_field(schema, own)
        elif isinstance(schema.get("items"), Mapping):
            yield "", []
            yield from ((label, [item]) for label, item in self._alternatives(members(schema["items"])))
        else:
            yield "", self.smallest(schema)

    def _with_each_field(self, schema: Schema, own: Mapping[str, object]) -> Iterator[tuple[str, object]]:
        properties = members(schema.get("properties"))
        full = {key: self.smallest(without_null(members(part))[0]) for key, part in properties.items()}
        yield "all fields", {**own, **full}
        for key, part in properties.items():
            for label, value in self._alternatives(members(part)):
                if value not in (own.get(key, _ABSENT), full[key]):
                    yield f"{key} {label}".strip(), {**own, key: value}

    def _object(self, schema: Schema) -> dict[str, object]:
        properties, required = members(schema.get("properties")), texts(schema.get("required"))
        return {key: self.smallest(members(part)) for key, part in properties.items() if key in required}

    def smallest(self, schema: Schema, depth: int = 0) -> object:
        """Return an instance of a schema with required fields and first alternatives only."""
        target = referred(schema)
        variants = parts(schema, *_UNIONS)
        if depth > _DEPTH:
            return None
        if target is not None:
            if target not in self._smallest:
                self._smallest[target] = self.smallest(self.bundle.definitions[target], depth + 1)
            return self._smallest[target]
        if "enum" in schema or "const" in schema:
            return (elements(schema.get("enum")) or (schema["const"],))[0]
        required = texts(schema.get("required"))
        own = {
            key: self.smallest(members(part), depth + 1)
            for key, part in members(schema.get("properties")).items()
            if key in required
        }
        if variants:
            value = self.smallest(variants[0], depth + 1)
            return _with_members(own, value)
        kind = next(iter(texts(schema.get("type"))), "object" if own else "string")
        return own if kind == "object" else [] if kind == "array" else _SCALARS[kind]


def _with_member(own: Mapping[str, object], key: str, value: object) -> object:
    return {**own, key: value}


def _with_members(own: Mapping[str, object], value: object) -> object:
    return {**own, **value} if isinstance(value, dict) else value
