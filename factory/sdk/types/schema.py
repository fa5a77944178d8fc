"""Read the protocol's schema as a runtime writes it, merge its namespaces, and refuse unknown keywords.

The generator acts on keywords that are not part of JSON Schema, some of which name Python code to
import, and on references to other files and hosts. This module refuses both.
"""

import re
from collections.abc import Callable, Mapping
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
_NAMESPACE_PREFIX = f"{_NAMESPACE}/"
_OLDER = "V1"
_MAX_BYTES = 64 << 20
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_GENERIC = re.compile(r"[A-Za-z][A-Za-z0-9_]*<[A-Za-z0-9_(), <>]*>")
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
_TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")
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
        targets = _targets(outer, inner)
        merged = {targets[_NAMESPACE_PREFIX + name]: schema for name, schema in inner.items()}
        merged |= {targets[name]: schema for name, schema in outer.items()}
        try:
            return cls({name: _checked(name, merged[name], targets) for name in sorted(merged)})
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


def direct_parts(schema: Schema) -> tuple[Schema, ...]:
    """Return every direct subschema that is an object."""
    named = (part for keyword in _NAMED for part in members(schema.get(keyword)).values())
    found = (*named, *(schema.get(keyword) for keyword in _SINGLE), *parts(schema, *_LISTED))
    return tuple(part for part in found if isinstance(part, Mapping))


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


def without_annotations(schema: object) -> dict[str, object]:
    """Return a schema without the keywords that say nothing about the values that it allows."""
    return {key: value for key, value in members(schema).items() if key not in _ANNOTATIONS}


def _targets(outer: Mapping[str, object], inner: Mapping[str, object]) -> Mapping[str, str]:
    """Return the name of the definition that each reference means.

    Up to 0.104.0 the definitions outside of the namespace were those of an older protocol, and some have
    the name of another definition inside. Those get a suffix.
    """
    targets = {name: _class_name(name) for name in (*inner, *outer)}
    if len(set(targets.values())) < len(targets):
        raise UnusableSchema(BUNDLE, "has two definitions with the same class name")
    # 0.58.0 refers inside of the namespace to definitions that are only outside.
    targets |= {f"{_NAMESPACE_PREFIX}{name}": target for name, target in targets.items()}
    for name in outer.keys() & inner.keys():
        if without_annotations(outer[name]) != without_annotations(inner[name]):
            targets[name] = f"{name}{_OLDER}"
            if targets[name] in targets:
                raise UnusableSchema(name, f"is defined twice, and {targets[name]} is also defined")
    return targets


def _class_name(name: str) -> str:
    """Return a valid class name for a generic type of Rust, ``Option<()>``, and other names as they are."""
    return re.sub(r"[^A-Za-z0-9_]", "", name) if _GENERIC.fullmatch(name) else name


def _checked(name: str, schema: object, targets: Mapping[str, str]) -> Schema:
    if not _NAME.fullmatch(name):
        raise UnusableSchema(name, "is not a valid type name")
    return _checked_parts(JsonObject.of(schema, name).members, name, targets)


def _checked_parts(schema: Schema, where: str, targets: Mapping[str, str]) -> Schema:
    unknown = sorted(schema.keys() - _KNOWN)
    if unknown:
        raise UnusableSchema(where, f"has unknown keywords: {', '.join(unknown)}")
    types = schema.get("type", [])
    for kind in types if isinstance(types, list) else [types]:
        if kind not in _TYPES:
            raise UnusableSchema(where, f"has an unknown type: {kind!r}")
    flat = with_parts(schema, lambda keyword, part: _checked_parts(part, f"{where}: {keyword}", targets))
    if "$ref" in flat:
        flat["$ref"] = _REFERENCE + _target(flat["$ref"], where, targets)
    return flat


def _target(reference: object, where: str, targets: Mapping[str, str]) -> str:
    text = str(reference)
    name = targets.get(text.removeprefix(_REFERENCE))
    if not text.startswith(_REFERENCE) or name is None:
        raise UnusableSchema(where, f"refers to {text!r}, which it does not define")
    return name
