"""Read the protocol's schema as a runtime writes it, merge its namespaces, and refuse unknown keywords.

The generator acts on keywords that are not part of JSON Schema, some of which name Python code to
import, and on references to other files and hosts. This module refuses both.
"""

import re
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self, TypeAlias

from factory.core.errors import IntegrityError
from factory.core.json_reader import JsonObject

Schema: TypeAlias = Mapping[str, object]
"""A JSON schema that is an object; the schemas true and false have no parts."""

BUNDLE: Final = "codex_app_server_protocol.schemas.json"
"""The file with all definitions; the other files repeat parts of it."""

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
    """A schema does not have the form of an app-server schema."""

    hint = "Check that the file is complete. If the form is new, the factory needs an update for it."

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"the protocol's schema cannot be used: {where}: {problem}")


@dataclass(frozen=True, slots=True)
class SchemaBundle:
    """All definitions of a release's protocol, by name; the references between them are valid."""

    definitions: Mapping[str, Schema]

    @classmethod
    def read(cls, directory: Path) -> Self:
        """Read the output directory of ``codex app-server generate-json-schema``.

        Raises:
            UnusableSchema: The bundle is missing or has another form.
            MalformedJson: The bundle is not JSON.
        """
        return cls.parse(_content(directory / BUNDLE))

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Parse the content of the bundle's file; see `read`."""
        outer = dict(JsonObject.parse(content, where=BUNDLE).child("definitions").members)
        inner = JsonObject.of(outer.pop(_NAMESPACE, {}), f"{BUNDLE}: {_NAMESPACE}").members
        for name in sorted(outer.keys() & inner.keys()):
            if _without_annotations(outer[name]) != _without_annotations(inner[name]):
                raise UnusableSchema(name, f"is defined twice, differently, outside and inside {_NAMESPACE}")
        merged = inner | outer
        try:
            return cls({name: _checked(name, merged[name], merged.keys()) for name in sorted(merged)})
        except RecursionError as error:
            raise UnusableSchema(BUNDLE, "is nested too deeply") from error


def with_parts(schema: Schema, change: Callable[[str, Schema], Schema]) -> dict[str, object]:
    """Return a copy with every direct subschema replaced by ``change(keyword, subschema)``."""

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
    """Return the members of an object, or nothing for another value."""
    return value if isinstance(value, Mapping) else {}


def elements(value: object) -> tuple[object, ...]:
    """Return the elements of a list, or nothing for another value."""
    return tuple(value) if isinstance(value, list) else ()


def texts(value: object) -> tuple[str, ...]:
    """Return the strings of a list, or a string as the only element."""
    return tuple(item for item in (*elements(value), value) if isinstance(item, str))


def parts(schema: Schema, *keywords: str) -> tuple[Schema, ...]:
    """Return the subschemas listed under these keywords."""
    return tuple(part for key in keywords for part in elements(schema.get(key)) if isinstance(part, Mapping))


def referred(schema: Schema) -> str | None:
    """Return the definition that a schema refers to, directly or as the only ``allOf``."""
    all_of = elements(schema.get("allOf"))
    reference = members(all_of[0] if len(all_of) == 1 else schema).get("$ref")
    return reference.removeprefix(_REFERENCE) if isinstance(reference, str) else None


def _content(path: Path) -> bytes:
    if not path.is_file():  # reading a pipe or device might never end
        raise UnusableSchema(str(path), "is not a file")
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


def _checked(name: str, schema: object, names: Container[str]) -> Schema:
    if not _NAME.fullmatch(name):
        raise UnusableSchema(name, "is not a valid type name")
    return _checked_parts(JsonObject.of(schema, name).members, name, names)


def _checked_parts(schema: Schema, where: str, names: Container[str]) -> Schema:
    unknown = sorted(schema.keys() - _KNOWN)
    if unknown:
        raise UnusableSchema(where, f"has unknown keywords: {', '.join(unknown)}")
    flat = with_parts(schema, lambda keyword, part: _checked_parts(part, f"{where}: {keyword}", names))
    if "$ref" in flat:
        flat["$ref"] = _REFERENCE + _target(flat["$ref"], where, names)
    return flat


def _target(reference: object, where: str, names: Container[str]) -> str:
    text = str(reference)
    name = text.removeprefix(_REFERENCE).removeprefix(f"{_NAMESPACE}/")
    if not text.startswith(_REFERENCE) or name not in names:
        raise UnusableSchema(where, f"refers to {text!r}, which it does not define")
    return name
