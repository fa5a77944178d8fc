"""Read the settings of pip as pip does, without pip.

The rules are those of pip 23.2 to 26.3: https://pip.pypa.io/en/stable/topics/configuration/. A later
file overrides an earlier one key by key; then the section of a command overrides ``[global]``, and
an environment variable overrides both. An empty value overrides, too, and then counts as no value.
"""

import os
from collections.abc import Iterator, Mapping
from configparser import Error, RawConfigParser
from locale import getpreferredencoding
from pathlib import Path

from factory.audit.index_settings.setting import (
    GIVE_INDEX_URL,
    ClientSettings,
    KeyringProvider,
    Setting,
    SettingsFiles,
    keyring_provider,
    read_settings,
    unusable,
)
from factory.core.errors import UsageError

COMMANDS = ("install", "download")
"""The commands that download a wheel; each has a section of its own."""

_ENVIRONMENT = ":env:"
_PREFIX = "PIP_"
_TRUE = frozenset({"y", "yes", "t", "true", "on", "1"})
_FALSE = frozenset({"n", "no", "f", "false", "off", "0"})
_INDEX_KEYS = frozenset({"index-url", "pypi-url"})

Sections = dict[str, dict[str, Setting]]


class _Parser(RawConfigParser):
    def optionxform(self, optionstr: str) -> str:
        return _key(optionstr)


def pip_settings(environ: Mapping[str, str], files: SettingsFiles) -> tuple[ClientSettings, ...]:
    """Return the settings of each command of pip, in each Python environment.

    Raises:
        UsageError: A file cannot be read or parsed, or ``PIP_CONFIG_FILE`` names none.
    """
    return tuple(
        _of_command(command, sections)
        for site in files.pip_sites
        for sections in [_sections(environ, files, site)]
        for command in COMMANDS
    )


def _key(name: str) -> str:
    return name.lower().replace("_", "-").removeprefix("--")


def _sections(environ: Mapping[str, str], files: SettingsFiles, site: Path) -> Sections:
    sections: Sections = {}
    for path in _used_files(environ, files, site):
        for section, keys in _read(path).items():
            sections.setdefault(section, {}).update(keys)
    sections[_ENVIRONMENT] = {
        _key(name.removeprefix(_PREFIX)): Setting(value=value, place=name)
        for name, value in environ.items()
        if name.startswith(_PREFIX)
    }
    return sections


def _used_files(environ: Mapping[str, str], files: SettingsFiles, site: Path) -> Iterator[Path]:
    """Yield the files in the order in which they override each other."""
    named = environ.get("PIP_CONFIG_FILE", "")
    if named == os.devnull:
        return
    if named and not Path(named).exists():
        # pip ignores it silently, and then uses another index than the user wants.
        raise UsageError(
            f"PIP_CONFIG_FILE names a file that does not exist: {named}",
            hint=f"Correct or unset it. {GIVE_INDEX_URL}",
        )
    yield from files.pip_global
    if not named:
        yield from files.pip_user
    yield site
    if named:
        yield Path(named)


def _read(path: Path) -> Sections:
    text = read_settings(path, encoding=getpreferredencoding(False))  # noqa: FBT003 - as pip calls it
    parser = _Parser()
    try:
        parser.read_string(text or "", source=str(path))
    except Error as error:
        raise unusable(path, error) from error
    return {
        section: {
            key: Setting(value=value, place=f"{key} in [{section}] of {path}")
            for key, value in parser.items(section)
        }
        for section in parser.sections()
    }


def _of_command(command: str, sections: Sections) -> ClientSettings:
    index: Setting | None = None
    others: dict[str, Setting] = {}
    for section in ("global", command, _ENVIRONMENT):
        for key, setting in sections.get(section, {}).items():
            if setting.value and key in _INDEX_KEYS:
                index = setting
            elif setting.value:
                others[key] = setting
    no_index, no_input = others.get("no-index"), others.get("no-input")
    return ClientSettings(
        index=index,
        extra_indexes=_words(others.get("extra-index-url")),
        find_links=_words(others.get("find-links")),
        no_index=no_index if no_index is not None and _is_true(no_index) else None,
        keyring=keyring_provider(others.get("keyring-provider"), KeyringProvider),
        is_silent=no_input is not None and _is_true(no_input),
    )


def _words(setting: Setting | None) -> tuple[Setting, ...]:
    if setting is None:
        return ()
    return tuple(Setting(value=word, place=setting.place) for word in setting.value.split())


def _is_true(setting: Setting) -> bool:
    value = setting.value.lower()
    if value not in _TRUE | _FALSE:
        raise UsageError(f"{setting.place} is neither true nor false", hint=f"Correct it. {GIVE_INDEX_URL}")
    return value in _TRUE
