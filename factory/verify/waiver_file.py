"""Read waivers from a ``pyproject.toml``, where reviewers see them.

There is one table for each check and one line for each pattern: for example, the line
``"*" = "the licences are in the release notes"`` in ``[tool.factory.waivers.metadata-licence-text]``.
"""

import tomllib
from collections.abc import Iterator
from pathlib import Path

from factory.core.errors import UsageError
from factory.verify.waivers import Waiver

_TABLE = "tool.factory.waivers"


def read_waivers(path: Path) -> tuple[Waiver, ...] | None:
    """Read the waivers in a file; None if it has no such table.

    Raises:
        UsageError: The file cannot be read, is not TOML, or has a malformed or forbidden waiver.
    """
    try:
        value: object = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise malformed(path, error.strerror or str(error)) from error
    except (ValueError, RecursionError) as error:  # TOMLDecodeError and UnicodeDecodeError are ValueErrors
        raise malformed(path, f"not TOML ({error})") from error
    for name in _TABLE.split("."):
        if not isinstance(value, dict):
            raise malformed(path, f"{name} should be in a table")
        if name not in value:
            return None
        value = value[name]
    return tuple(_waivers(path, value))


def malformed(path: Path, problem: str) -> UsageError:
    """Return the error for a file of waivers."""
    hint = f'Write one table for each check, [{_TABLE}.ID], with lines "PATTERN" = "REASON".'
    return UsageError(f"{path}: {problem}", hint=hint)


def _waivers(path: Path, table: object) -> Iterator[Waiver]:
    if not isinstance(table, dict):
        raise malformed(path, f"{_TABLE} should be a table")
    for check, reasons in table.items():
        if not isinstance(reasons, dict):
            raise malformed(path, f"{_TABLE}.{check} should be a table of patterns and reasons")
        for pattern, reason in reasons.items():
            if not isinstance(reason, str) or not reason.strip() or not pattern:
                raise malformed(path, f"{_TABLE}.{check}: {pattern!r} needs a reason")
            yield Waiver(check=check, pattern=pattern, reason=reason.strip())
