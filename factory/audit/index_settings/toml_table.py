"""Read typed values from the tables of a TOML configuration file; a value of another type is an error."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from factory.audit.index_settings.setting import Setting, read_settings, unusable


@dataclass(frozen=True, slots=True, kw_only=True)
class TomlTable:
    """A table of a configuration file.

    Attributes:
        path: The file.
        prefix: The names of the tables around the members, each with a dot after it.
    """

    path: Path
    prefix: str
    members: Mapping[str, object]

    def text(self, key: str) -> Setting | None:
        """Return a string; None if it is missing."""
        value = self.members.get(key)
        if value is None:
            return None
        if not isinstance(value, str):
            raise self._wrong(key, "a string")
        return self._setting(key, value)

    def texts(self, key: str) -> tuple[Setting, ...]:
        """Return a list of strings; it may be missing."""
        values = self.members.get(key, [])
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise self._wrong(key, "a list of strings")
        return tuple(self._setting(key, value) for value in values)

    def flag(self, key: str) -> bool | None:
        """Return a boolean; None if it is missing."""
        value = self.members.get(key)
        if value is not None and not isinstance(value, bool):
            raise self._wrong(key, "true or false")
        return value

    def place(self, key: str) -> str:
        """Say where a member is."""
        return f"{self.prefix}{key} in {self.path}"

    def table(self, key: str) -> "TomlTable":
        """Return a table inside this one, empty if it is missing."""
        return self._table(key, self.members.get(key, {}))

    def tables(self, key: str) -> tuple["TomlTable", ...]:
        """Return a list of tables; one table counts as a list of one."""
        values = self.members.get(key, [])
        return tuple(self._table(key, value) for value in (values if isinstance(values, list) else [values]))

    def _table(self, key: str, value: object) -> "TomlTable":
        if not isinstance(value, dict):
            raise self._wrong(key, "a table")
        return TomlTable(path=self.path, prefix=f"{self.prefix}{key}.", members=value)

    def _setting(self, key: str, value: str) -> Setting:
        return Setting(value=value, place=self.place(key))

    def _wrong(self, key: str, form: str) -> Exception:
        return unusable(self.path, f"{self.prefix}{key} should be {form}")


def read_toml(path: Path) -> TomlTable | None:
    """Read a TOML file; return None if it does not exist.

    Raises:
        UsageError: It exists and cannot be read or parsed.
    """
    text = read_settings(path, encoding="utf-8")
    if text is None:
        return None
    try:
        return TomlTable(path=path, prefix="", members=tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise unusable(path, error) from error
