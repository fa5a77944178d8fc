"""Defaults of options from ``factory.toml``, or from ``[tool.factory]`` in ``pyproject.toml``.

Both are read in the current directory only. Not every option can be set: none that makes a verdict
milder, since a directory that somebody unpacks may bring such a file, and not the address of
GitHub's API, to which the token of the environment would be sent.
"""

import difflib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from factory.core.errors import UsageError

FILE = "factory.toml"
PROJECT_FILE = "pyproject.toml"
TABLE = "tool.factory"
_WAIVERS = "waivers"  # `factory.verify.waiver_file` reads them, from the project's file only

SETTINGS: Mapping[str, tuple[str, ...]] = {
    "cache-limit": (),
    "channel": (),
    "deflate-limit": ("FACTORY_DEFLATE_LIMIT",),
    "directory": (),
    "image": ("FACTORY_IMAGE",),
    "index-url": ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX"),
    "jobs": (),
    "max-time": (),
    "min-rate": (),
    "min-rate-time": (),
    "npm-registry": ("FACTORY_NPM_REGISTRY",),
    "offline": (),
    "require-acceptance": (),
    "require-authorship": (),
}
"""The options that can be set for all commands, and the environment variables that go before each."""
COMMAND_SETTINGS = frozenset({*SETTINGS, "builder", "engine", "format", "out", "platform", "sdk-out"})
"""The options that can be set for one command, in a table with its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Default:
    """The value of an option in a file, which is not checked yet.

    Attributes:
        option: Its long name without the dashes.
        place: Where it is, for messages.
        is_for_command: It is in the table of a command, which then must have the option.
    """

    option: str
    value: object
    place: str
    is_for_command: bool

    def refuse(self, problem: str) -> UsageError:
        """Return the error for a value that the option does not take."""
        return UsageError(
            f"{self.place}: {self.option}: {problem}",
            hint="'factory COMMAND --help' describes the option of that name.",
        )


def read_defaults(
    command: tuple[str, ...], commands: frozenset[tuple[str, ...]], *, environ: Mapping[str, str]
) -> tuple[Default, ...]:
    """Return the defaults for one command; those of its own table go before general ones.

    Args:
        command: Its words, ``("sdk", "pin")``.
        commands: The words of all commands.
        environ: The environment; a variable goes before the same setting of a file.

    Raises:
        UsageError: A file is not TOML or has an unknown key, or both files have settings.
    """
    found = _table()
    if found is None:
        return ()
    place, table = found
    every = list(_flattened(table, place, (), commands))
    usable = [(words, one) for words, one in every if not any(map(environ.get, SETTINGS.get(one.option, ())))]
    own = {one.option: one for words, one in usable if words == command}
    general = {one.option: one for words, one in usable if not words}
    return tuple((general | own).values())


def _table() -> tuple[str, Mapping[str, object]] | None:
    """Return the table of settings and where it is."""
    own, project = _read(Path(FILE)), _read(Path(PROJECT_FILE))
    in_project = project
    for name in TABLE.split("."):
        value = in_project.get(name, {})
        if not isinstance(value, dict):
            raise UsageError(f"{PROJECT_FILE}: {name} should be a table", hint=f"Write [{TABLE}].")
        in_project = value
    in_project = {name: value for name, value in in_project.items() if name != _WAIVERS}
    if own and in_project:
        raise UsageError(
            f"{FILE} and [{TABLE}] in {PROJECT_FILE} both have settings",
            hint=f"Move the settings of {PROJECT_FILE}, apart from waivers, to {FILE}.",
        )
    if own:
        return FILE, own
    return (f"{PROJECT_FILE}, [{TABLE}]", in_project) if in_project else None


def _read(path: Path) -> dict[str, object]:
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise UsageError(
            f"cannot read {path}: {error.strerror or error}", hint="Make it readable, or move it away."
        ) from error
    if path.name == PROJECT_FILE and b"factory" not in content:
        return {}  # most projects have no settings for this program
    try:
        return tomllib.loads(content.decode())
    except (ValueError, RecursionError) as error:  # TOMLDecodeError and UnicodeDecodeError are ValueErrors
        raise UsageError(f"{path} is not TOML ({error})", hint="Correct the file.") from error


def _flattened(
    table: Mapping[str, object], place: str, words: tuple[str, ...], commands: frozenset[tuple[str, ...]]
) -> Iterator[tuple[tuple[str, ...], Default]]:
    """Yield each setting, with the words of the command that it is for; none is for all commands."""
    known = COMMAND_SETTINGS if words in commands else frozenset(SETTINGS) if not words else frozenset()
    tables = {each[len(words)] for each in commands if len(each) > len(words) and each[: len(words)] == words}
    for key, value in table.items():
        if isinstance(value, dict) and key in tables:
            yield from _flattened(value, f"{place}, table {key}", (*words, key), commands)
        elif key in known:
            yield words, Default(option=key, value=value, place=place, is_for_command=bool(words))
        else:
            raise _unknown(key, place, known | tables)


def _unknown(key: str, place: str, known: frozenset[str]) -> UsageError:
    close = difflib.get_close_matches(key, known, n=1)
    names = f"Did you mean {close[0]}?" if close else f"Possible here: {', '.join(sorted(known))}."
    if key in COMMAND_SETTINGS:
        names = f"{key} can be set in the table of a command only: [wheels], [sdk.pin]."
    if key == _WAIVERS:
        names = f"Waivers are in {PROJECT_FILE}, or in the file that --waivers names."
    return UsageError(f"{place}: unknown key {key!r}", hint=names)
