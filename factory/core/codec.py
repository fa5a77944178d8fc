"""Convert dataclass values to plain JSON data and back.

A field's name is the member's name, and its type decides the form: checked texts such as
`Sha256` or `CodexTag`, paths, times and enumerations are strings, bytes are base64, tuples are
lists, other dataclasses are objects. A document must have every member except those that may be
None; unknown members are ignored.

This is our own code because the libraries do not fit. msgspec reads every dataclass as an
object, so `Sha256` could not be a string. cattrs converts 5 to "5" unless each basic type gets
a hook, needs more hooks for our types, and takes 35 ms to import.
"""

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import Field, fields
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from pathlib import PurePath, PurePosixPath
from types import UnionType
from typing import TYPE_CHECKING, TypeVar, cast, get_args, get_origin

from factory.core.digests import Digest, MalformedDigest, Sha256
from factory.core.form import Form
from factory.core.json_reader import JsonObject, MalformedJson
from factory.core.tags import CodexTag, MalformedTag

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Value = TypeVar("Value", bound=DataclassInstance)

_TEXTS: Mapping[object, Callable[[str], object]] = {
    str: str,
    CodexTag: CodexTag.parse,
    Digest: Digest.parse,
    PurePosixPath: PurePosixPath,
    Sha256: Sha256,
    bytes: partial(b64decode, validate=True),
    datetime: datetime.fromisoformat,
}
"""How each type that JSON has as a string is parsed."""


def to_json(value: "DataclassInstance") -> dict[str, object]:
    """Return a value as a JSON object, its members in the order of its fields."""
    members: dict[str, object] = {}
    for field in fields(value):
        member = getattr(value, field.name)
        if Form.FLATTENED in field.metadata:
            members |= to_json(member)
        elif member is not None or Form.OMITTED_IF_NONE not in field.metadata:
            members[_key(field)] = _write_field(field, member)
    return members


def _key(field: "Field[object]") -> str:
    return str(field.metadata.get(Form.KEY, field.name))


def _write_field(field: "Field[object]", member: object) -> object:
    if Form.OCTAL in field.metadata:
        return f"{member:04o}"
    plain = to_plain(member)
    kinds: Mapping[str, type] = field.metadata.get(Form.KINDS, {})
    for kind, each in kinds.items():
        if isinstance(member, each) and isinstance(plain, dict):
            return {"kind": kind, **plain}
    if isinstance(plain, dict):
        shared = field.metadata.get(Form.SHARED, {})
        return {key: item for key, item in plain.items() if key not in shared}
    return plain


def to_plain(value: object) -> object:
    """Return any value of a field as JSON has it: a text, a number, a list, an object or None."""
    match value:
        case StrEnum() | CodexTag() | Digest() | PurePath() | Sha256() | bytes() | datetime():
            return _text(value)
        case None | str() | int():
            return value
        case tuple():
            return [to_plain(item) for item in value]
        case Mapping():
            return {key: to_plain(item) for key, item in sorted(value.items())}
        case _:
            return to_json(cast("DataclassInstance", value))


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return b64encode(value).decode()
    return format_utc(value) if isinstance(value, datetime) else str(value)


def from_json(kind: "type[Value]", data: JsonObject) -> "Value":
    """Read a value.

    Raises:
        MalformedJson: A member is missing, or does not have the form that the field's type asks for.
    """
    arguments = {
        field.name: _read_field(field, data)
        for field in fields(kind)
        if Form.MAY_BE_MISSING not in field.metadata or data.members.get(_key(field)) is not None
    }
    return cast("Callable[..., Value]", kind)(**arguments)


def _read_field(field: "Field[object]", data: JsonObject) -> object:
    if Form.FLATTENED in field.metadata:
        return from_json(cast("type[DataclassInstance]", field.type), data)
    key = _key(field)
    value = data.members.get(key)
    if Form.OCTAL in field.metadata:
        return _parse(lambda text: int(text, 8), value, data.where, key)
    if Form.KINDS in field.metadata:
        return _read_kind(field.metadata[Form.KINDS], JsonObject.of(value, f"{data.where}: {key}"))
    if isinstance(value, dict):
        shared = field.metadata.get(Form.SHARED, {})
        value = value | {inner: data.members.get(outer) for inner, outer in shared.items()}
    return _read(field.type, value, data.where, key)


def _read_kind(kinds: Mapping[str, "type[DataclassInstance]"], data: JsonObject) -> object:
    kind = kinds.get(data.text("kind"))
    if kind is None:
        raise MalformedJson(data.where, f"'kind' should be one of {', '.join(kinds)}")
    return from_json(kind, data)


def _read(kind: object, value: object, where: str, key: str) -> object:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is UnionType:  # X | None
        return None if value is None else _read(arguments[0], value, where, key)
    if origin is tuple:
        if not isinstance(value, list):
            raise MalformedJson(where, f"{key!r} should be a list")
        return tuple(_read(arguments[0], item, where, f"{key}[{index}]") for index, item in enumerate(value))
    if origin is Mapping:
        return JsonObject.of(value, f"{where}: {key}").text_members()
    return _read_single(cast("type[object]", kind), value, where, key)


def _read_single(kind: type[object], value: object, where: str, key: str) -> object:
    if kind is bool:
        if not isinstance(value, bool):
            raise MalformedJson(where, f"{key!r} should be true or false")
        return value
    if kind is int:
        return JsonObject({key: value}, where).integer(key)
    if kind in _TEXTS or issubclass(kind, StrEnum):
        return _parse(_TEXTS.get(kind, kind), value, where, key)
    return from_json(cast("type[DataclassInstance]", kind), JsonObject.of(value, f"{where}: {key}"))


def _parse(parse: Callable[[str], object], value: object, where: str, key: str) -> object:
    if not isinstance(value, str):
        raise MalformedJson(where, f"{key!r} should be a string")
    try:
        return parse(value)
    except (ValueError, MalformedDigest, MalformedTag) as error:
        raise MalformedJson(where, f"{key!r}: {error}") from error


def format_utc(moment: datetime) -> str:
    """Write a time in UTC to the second, ``2026-10-15T20:18:40Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
