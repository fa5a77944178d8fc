"""Waivers in a ``pyproject.toml``, where reviewers see them: check, pattern and reason.

A table a check, in it a line a pattern: under ``[tool.factory.waivers.metadata-licence-text]``
the line ``"*" = "the licences are in the release notes"``.
"""

import tomllib
from collections.abc import Iterator
from pathlib import Path

from factory.core.errors import UsageError
from factory.verify.waivers import Waiver

_TABLE = "tool.factory.waivers"


class MalformedWaiverFile(UsageError):
    """A file of waivers cannot be read or is not what it should be."""

    hint = f'Write a table a check, [{_TABLE}.ID], with lines "PATTERN" = "REASON".'

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{path}: {problem}")


def read_waivers(path: Path) -> tuple[Waiver, ...] | None:
    """Read the waivers of a file; None where it has no such table.

    Raises:
        MalformedWaiverFile: It cannot be read, is not TOML, or the table is malformed.
        CannotBeWaived: A waiver is for a check that says that a wheel was not looked at.
    """
    try:
        value: object = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise MalformedWaiverFile(path, error.strerror or str(error)) from error
    except (ValueError, RecursionError) as error:  # TOMLDecodeError and UnicodeDecodeError are ValueErrors
        raise MalformedWaiverFile(path, f"not TOML ({error})") from error
    for name in _TABLE.split("."):
        if not isinstance(value, dict):
            raise MalformedWaiverFile(path, f"{name} should be in a table")
        if name not in value:
            return None
        value = value[name]
    return tuple(_waivers(path, value))


def _waivers(path: Path, table: object) -> Iterator[Waiver]:
    if not isinstance(table, dict):
        raise MalformedWaiverFile(path, f"{_TABLE} should be a table")
    for check, reasons in table.items():
        if not isinstance(reasons, dict):
            raise MalformedWaiverFile(path, f"{_TABLE}.{check} should be a table of patterns and reasons")
        for pattern, reason in reasons.items():
            if not isinstance(reason, str) or not reason.strip() or not pattern:
                raise MalformedWaiverFile(path, f"{_TABLE}.{check}: {pattern!r} needs a reason")
            yield Waiver(check=check, pattern=pattern, reason=reason.strip())
