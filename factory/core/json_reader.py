"""Read JSON from outside the process, checking the type of every value before it is used."""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from factory.core.counted import counted
from factory.core.errors import IntegrityError

_MAX_VALUES = 1_000_000
_LONGEST_REASON = 200
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class MalformedJson(IntegrityError):
    """A JSON document does not follow its format."""

    hint = "The file may be damaged, or written by another version; create it again."

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"{where}: {problem}")


def parse_json(text: str | bytes, *, where: str) -> object:
    """Parse a document with limits: a few megabytes of braces take gigabytes of memory.

    Raises:
        MalformedJson: It is not JSON in UTF-8; or it is nested too deeply, or has too many values, a
            member twice, a number without end or a character that cannot be written.
    """
    commas, braces, brackets = (b",", b"{", b"[") if isinstance(text, bytes) else (",", "{", "[")
    if text.count(commas) + text.count(braces) + text.count(brackets) > _MAX_VALUES:  # type: ignore[arg-type]
        raise MalformedJson(where, f"has more than {counted(_MAX_VALUES, 'value')}")
    try:
        decoded = text.decode("utf-8") if isinstance(text, bytes) else text
        value: object = json.loads(
            decoded,
            object_pairs_hook=without_duplicates,
            parse_constant=_without_constants,
            parse_float=_finite,
        )
        if _SURROGATE.search(decoded) or not decoded.isascii():
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise MalformedJson(where, f"not JSON ({_shortened(str(error))})") from error
    return value


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_REASON else f"{text[:_LONGEST_REASON]}..."


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{_shortened(text)} is too large a number")
    return number


def _without_constants(name: str) -> object:
    raise ValueError(f"{name} is not a number in JSON")


@dataclass(frozen=True, slots=True)
class JsonObject:
    """A parsed JSON object.

    Attributes:
        where: The document and the path in it, for error messages: ``manifest.json: wheels[3]``.
    """

    members: dict[str, object]
    where: str

    @classmethod
    def parse(cls, text: str | bytes, *, where: str) -> Self:
        """Parse a document that must be an object.

        Raises:
            MalformedJson: It is not JSON, or not an object, or has a member twice: readers differ in
                which of the two they take.
        """
        return cls.of(parse_json(text, where=where), where)

    @classmethod
    def of(cls, value: object, where: str) -> Self:
        """Return a parsed value that must be an object."""
        if not isinstance(value, dict):
            raise MalformedJson(where, "should be an object")
        return cls(value, where)

    def text(self, key: str) -> str:
        """Return a string member."""
        value = self.members.get(key)
        if not isinstance(value, str):
            raise MalformedJson(self.where, f"{key!r} should be a string")
        return value

    def text_or_none(self, key: str) -> str | None:
        """Return a string member, or None where it is absent or null."""
        return None if self.members.get(key) is None else self.text(key)

    def integer(self, key: str) -> int:
        """Return a non-negative integer member."""
        value = self.members.get(key)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise MalformedJson(self.where, f"{key!r} should be a non-negative integer")
        return value

    def integer_or_none(self, key: str) -> int | None:
        """Return a non-negative integer member, or None where it is absent or null."""
        return None if self.members.get(key) is None else self.integer(key)

    def child(self, key: str) -> "JsonObject":
        """Return an object member."""
        return JsonObject.of(self.members.get(key), f"{self.where}: {key}")

    def child_or_none(self, key: str) -> "JsonObject | None":
        """Return an object member, or None where it is absent or null."""
        return None if self.members.get(key) is None else self.child(key)

    def objects(self, key: str) -> "tuple[JsonObject, ...]":
        """Return a member that is a list of objects."""
        return tuple(JsonObject.of(item, where) for item, where in self._items(key))

    def objects_or_none(self, key: str) -> "tuple[JsonObject, ...]":
        """Return a member that is a list of objects; an absent one counts as empty."""
        return self.objects(key) if key in self.members else ()

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a member that is a list of strings."""
        return tuple(self._text_item(item, where) for item, where in self._items(key))

    def text_members(self) -> dict[str, str]:
        """Return the whole object, whose members must all be strings."""
        return {key: self.text(key) for key in self.members}

    def _items(self, key: str) -> Iterator[tuple[object, str]]:
        value = self.members.get(key)
        if not isinstance(value, list):
            raise MalformedJson(self.where, f"{key!r} should be a list")
        for index, item in enumerate(value):
            yield item, f"{self.where}: {key}[{index}]"

    @staticmethod
    def _text_item(item: object, where: str) -> str:
        if not isinstance(item, str):
            raise MalformedJson(where, "should be a string")
        return item


def without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return the members of an object; ``object_pairs_hook`` of `json.loads`.

    Raises:
        ValueError: A member occurs twice.
    """
    members: dict[str, object] = {}
    for key, value in pairs:
        if key in members:
            raise ValueError(f"{key!r} occurs twice")
        members[key] = value
    return members
