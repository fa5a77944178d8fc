"""The protocol's schema as a runtime writes it: read whole, one namespace, and nothing unknown let in.

The generator acts on keywords that JSON Schema does not know, among them some that name
Python code to import, and on references to other files and hosts. Neither gets through here.
"""

import re
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self, TypeAlias

from factory.core.errors import IntegrityError
from factory.core.json_reader import JsonObject

Schema: TypeAlias = Mapping[str, object]
"""A JSON schema that is an object; one that is true or false says nothing to walk over."""

BUNDLE: Final = "codex_app_server_protocol.schemas.json"
"""The file that holds every definition; those beside it repeat parts of it."""

_REFERENCE = "#/definitions/"
_NAMESPACE = "v2"
_MAX_BYTES = 64 << 20
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_NAMED = ("properties",)
_SINGLE = ("items", "additionalProperties")
_LISTED = ("oneOf", "anyOf", "allOf")
_ANNOTATIONS = (
    *("$schema", "title", "description", "default"),
    *("examples", "deprecated", "readOnly", "writeOnly"),
)
_ASSERTIONS = (
    *("$ref", "type", "enum", "const", "format", "pattern", "required", "multipleOf"),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
    *("minLength", "maxLength", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties"),
)
_KNOWN = frozenset((*_NAMED, *_SINGLE, *_LISTED, *_ANNOTATIONS, *_ASSERTIONS))


class UnusableSchema(IntegrityError):
    """A schema is not of the form that app-server schemas have."""

    hint = "Check that it was written whole; a form that is new must be taught to the factory."

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"the protocol's schema cannot be used: {where}: {problem}")


@dataclass(frozen=True, slots=True)
class SchemaBundle:
    """All definitions of a release's protocol, by name, references between them checked."""

    definitions: Mapping[str, Schema]

    @classmethod
    def read(cls, directory: Path) -> Self:
        """Read what ``codex app-server generate-json-schema`` wrote.

        Raises:
            UnusableSchema: It is missing, or of another form.
            MalformedJson: It is not JSON.
        """
        return cls.parse(_content(directory / BUNDLE))

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Parse the bundle's file; see `read`."""
        outer = dict(JsonObject.parse(content, where=BUNDLE).child("definitions").members)
        inner = JsonObject.of(outer.pop(_NAMESPACE, {}), f"{BUNDLE}: {_NAMESPACE}").members
        for name in sorted(outer.keys() & inner.keys()):
            if _without_annotations(outer[name]) != _without_annotations(inner[name]):
                raise UnusableSchema(name, f"is defined twice, differently, outside and inside {_NAMESPACE}")
        written = inner | outer
        try:
            return cls({name: _admitted(name, written[name], written.keys()) for name in sorted(written)})
        except RecursionError as error:
            raise UnusableSchema(BUNDLE, "is nested too deeply") from error


def with_parts(schema: Schema, change: Callable[[str, Schema], Schema]) -> dict[str, object]:
    """Return a schema with the schemas directly below it changed; the change is told their keyword."""

    def changed(keyword: str, part: object) -> object:
        return change(keyword, part) if isinstance(part, Mapping) else part

    result = dict(schema)
    for keyword in _NAMED:
        if keyword in schema:
            result[keyword] = {
                name: changed(keyword, part) for name, part in members(schema[keyword]).items()
            }
    for keyword in _SINGLE:
        if keyword in schema:
            result[keyword] = changed(keyword, schema[keyword])
    for keyword in _LISTED:
        if keyword in schema:
            result[keyword] = [changed(keyword, part) for part in elements(schema[keyword])]
    return result


def members(value: object) -> Mapping[str, object]:
    """Return an object's members; anything else has none."""
    return value if isinstance(value, Mapping) else {}


def elements(value: object) -> tuple[object, ...]:
    """Return a list's elements; anything else has none."""
    return tuple(value) if isinstance(value, list) else ()


def texts(value: object) -> tuple[str, ...]:
    """Return the strings of a list, and a string by itself."""
    return tuple(item for item in (*elements(value), value) if isinstance(item, str))


def parts(schema: Schema, *keywords: str) -> tuple[Schema, ...]:
    """Return the schemas that are listed at keywords."""
    return tuple(part for key in keywords for part in elements(schema.get(key)) if isinstance(part, Mapping))


def referred(schema: Schema) -> str | None:
    """Return the definition that a schema is a reference to, straight or as the only ``allOf``."""
    all_of = elements(schema.get("allOf"))
    reference = members(all_of[0] if len(all_of) == 1 else schema).get("$ref")
    return reference.removeprefix(_REFERENCE) if isinstance(reference, str) else None


def _content(path: Path) -> bytes:
    if not path.is_file():  # a runtime's pipe or device would be read for ever
        raise UnusableSchema(str(path), "there is no such file")
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise UnusableSchema(str(path), error.strerror or str(error)) from error
    if len(content) > _MAX_BYTES:
        raise UnusableSchema(str(path), f"is larger than {_MAX_BYTES >> 20} MiB")
    return content


def _without_annotations(schema: object) -> dict[str, object]:
    return {key: value for key, value in members(schema).items() if key not in _ANNOTATIONS}


def _admitted(name: str, schema: object, names: Container[str]) -> Schema:
    if not _NAME.fullmatch(name):
        raise UnusableSchema(name, "is no name for a type")
    return _admit(JsonObject.of(schema, name).members, name, names)


def _admit(schema: Schema, where: str, names: Container[str]) -> Schema:
    unknown = sorted(schema.keys() - _KNOWN)
    if unknown:
        raise UnusableSchema(where, f"has keywords that are not known: {', '.join(unknown)}")
    flat = with_parts(schema, lambda keyword, part: _admit(part, f"{where}: {keyword}", names))
    if "$ref" in flat:
        flat["$ref"] = _REFERENCE + _target(flat["$ref"], where, names)
    return flat


def _target(reference: object, where: str, names: Container[str]) -> str:
    text = str(reference)
    name = text.removeprefix(_REFERENCE).removeprefix(f"{_NAMESPACE}/")
    if not text.startswith(_REFERENCE) or name not in names:
        raise UnusableSchema(where, f"refers to {text!r}, which is no definition of it")
    return name
