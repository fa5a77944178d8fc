"""Read a TOML file in which every key is known: a typo is an error with the nearest key, never ignored."""

import difflib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from factory.core.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class StrictTable:
    """A table of which all keys must be known.

    Attributes:
        where: The file and the table, for messages.
        hint: What to do about an error.
    """

    where: str
    hint: str
    members: Mapping[str, object]

    @classmethod
    def parse(cls, content: bytes, *, where: str, hint: str) -> "StrictTable":
        """Parse a whole file.

        Raises:
            UsageError: It is not TOML.
        """
        try:
            return cls(where=where, hint=hint, members=tomllib.loads(content.decode("utf-8")))
        except (ValueError, RecursionError) as error:  # a TOMLDecodeError or UnicodeDecodeError is one
            raise UsageError(f"{where}: not TOML ({error})", hint=hint) from error

    def only(self, *keys: str) -> "StrictTable":
        """Return the table after refusing every other key."""
        for key in self.members:
            if key not in keys:
                near = difflib.get_close_matches(key, keys, n=1)
                meant = f"did you mean {near[0]!r}?" if near else f"the keys are {', '.join(keys)}"
                raise self.wrong(f"unknown key {key!r}; {meant}")
        return self

    def text(self, key: str) -> str:
        """Return a string that is not empty."""
        value = self.members.get(key)
        if not isinstance(value, str) or not value.strip() or not value.isprintable():
            raise self.wrong(f"{key!r} should be a text of one line that is not empty")
        return value

    def text_or_none(self, key: str) -> str | None:
        """Return a string, or None if there is no such key."""
        return self.text(key) if key in self.members else None

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of strings that is not empty; one string counts as a list of one."""
        value = self.members.get(key)
        values = value if isinstance(value, list) else [value]
        if not values or not all(isinstance(one, str) and one and one.isprintable() for one in values):
            raise self.wrong(f"{key!r} should be a text or a list of texts")
        return tuple(values)

    def table(self, key: str) -> "StrictTable":
        """Return a table inside this one, empty if it is missing."""
        return self._table(key, self.members.get(key, {}))

    def tables(self, key: str) -> Iterator["StrictTable"]:
        """Yield the tables of a list, which may be missing."""
        values = self.members.get(key, [])
        if not isinstance(values, list):
            raise self.wrong(f"{key!r} should be written as [[{key}]]")
        for number, value in enumerate(values, start=1):
            yield self._table(f"{key} {number}", value)

    def wrong(self, problem: str) -> UsageError:
        """Return the error for a table."""
        return UsageError(f"{self.where}: {problem}", hint=self.hint)

    def _table(self, key: str, value: object) -> "StrictTable":
        if not isinstance(value, dict):
            raise self.wrong(f"{key!r} should be a table")
        return StrictTable(where=f"{self.where}, {key}", hint=self.hint, members=value)
