"""Read the settings of uv as uv does, without uv.

The rules are those of uv 0.13: https://docs.astral.sh/uv/concepts/indexes/. Environment variables come
first, then the files of the project, of the user and of the system; lists are joined. The first
default index counts, and all other indexes are asked before it. An explicit index is asked only for
the projects that ``sources`` assigns to it. ``uv tool``, which ignores projects, is not considered.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from packaging.utils import canonicalize_name

from factory.audit.index_settings.setting import (
    ClientSettings,
    KeyringProvider,
    Setting,
    SettingsFiles,
    keyring_provider,
)
from factory.audit.index_settings.toml_table import TomlTable
from factory.audit.index_settings.uv_files import uv_tables

_PROVIDERS = (KeyringProvider.DISABLED, KeyringProvider.SUBPROCESS)
_NAMED = re.compile(r"(?P<name>[A-Za-z0-9._-]+)=(?P<url>.+)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Index:
    """An index in uv's list.

    Attributes:
        is_flat: It is a page of files and not an index.
    """

    setting: Setting
    name: str | None = None
    is_default: bool = False
    is_explicit: bool = False
    is_flat: bool = False


def uv_settings(
    environ: Mapping[str, str], files: SettingsFiles, *, project: str
) -> tuple[ClientSettings, ...]:
    """Return the settings of uv, and those of ``uv pip``, which has a table of its own.

    Args:
        environ: The environment variables.
        files: Where the configuration files are.
        project: The normalised name of the project to download.

    Raises:
        UsageError: A file cannot be read or parsed, or ``UV_CONFIG_FILE`` names none.
    """
    tables = tuple(uv_tables(environ, files))
    pip_tables = tuple(table.table("pip") for table in tables)
    return _settings(environ, tables, (), project), _settings(environ, tables, pip_tables, project)


def _settings(
    environ: Mapping[str, str], tables: Sequence[TomlTable], pip: Sequence[TomlTable], project: str
) -> ClientSettings:
    configured = [index for table in tables for index in _listed(table)]
    indexes = _distinct([*_of_environ(environ, configured), *configured, *_plain((*pip, *tables))])
    default = next((index for index in indexes if index.is_default), None)
    others = [index for index in indexes if not index.is_default and not index.is_explicit]
    links = [setting for table in (*pip, *tables) for setting in table.texts("find-links")]
    flat = [index.setting for index in (default, *others) if index is not None and index.is_flat]
    return ClientSettings(
        index=None if default is None or default.is_flat else _with_login(default, environ),
        extra_indexes=(
            *(index.setting for index in others if not index.is_flat),
            *_sources(tables, project, indexes),
        ),
        find_links=(*_split(environ, "UV_FIND_LINKS", ","), *links, *flat),
        no_index=_no_index((*pip, *tables)) or _without_default(default),
        keyring=_keyring(environ, (*pip, *tables)),
    )


def _listed(table: TomlTable) -> Iterator[_Index]:
    """Yield the indexes of a file's list ``index``."""
    for entry in table.tables("index"):
        url, name, form = entry.text("url"), entry.text("name"), entry.text("format")
        if url is not None:
            yield _Index(
                setting=url,
                name=None if name is None else name.value,
                is_default=entry.flag("default") or False,
                is_explicit=entry.flag("explicit") or False,
                is_flat=form is not None and form.value == "flat",
            )


def _plain(tables: Iterable[TomlTable]) -> Iterator[_Index]:
    """Yield the indexes of files in the older form, as pip has it."""
    for table in tables:
        for setting in table.texts("extra-index-url"):
            yield _Index(setting=setting)
        url = table.text("index-url")
        if url is not None:
            yield _Index(setting=url, is_default=True)


def _of_environ(environ: Mapping[str, str], configured: Sequence[_Index]) -> Iterator[_Index]:
    for setting in _split(environ, "UV_INDEX"):
        yield _named(setting, configured, is_default=False)
    for setting in _split(environ, "UV_DEFAULT_INDEX", "\0"):
        yield _named(setting, configured, is_default=True)
    for setting in _split(environ, "UV_INDEX_URL", "\0"):
        yield _Index(setting=setting, is_default=True)
    for setting in _split(environ, "UV_EXTRA_INDEX_URL"):
        yield _Index(setting=setting)


def _named(setting: Setting, configured: Sequence[_Index], *, is_default: bool) -> _Index:
    """Return an index given as a URL, as ``name=URL``, or as the name of a configured index."""
    match = _NAMED.fullmatch(setting.value)
    if match is not None:
        url = Setting(value=match["url"], place=setting.place)
        return _Index(setting=url, name=match["name"], is_default=is_default)
    for index in configured:
        if index.name == setting.value:
            place = f"{setting.place}, which names {index.setting.place}"
            url = Setting(value=index.setting.value, place=place)
            return _Index(setting=url, name=index.name, is_default=is_default, is_flat=index.is_flat)
    return _Index(setting=setting, is_default=is_default)


def _distinct(indexes: Iterable[_Index]) -> list[_Index]:
    """Keep only the first of several indexes with one name."""
    kept: dict[object, _Index] = {}
    for position, index in enumerate(indexes):
        kept.setdefault(position if index.name is None else index.name, index)
    return list(kept.values())


def _with_login(index: _Index, environ: Mapping[str, str]) -> Setting:
    """Return the setting of a named index with the credentials that variables have for its name."""
    prefix = f"UV_INDEX_{re.sub('[^A-Z0-9]', '_', (index.name or '').upper())}"
    login = [environ.get(f"{prefix}_{part}", "") for part in ("USERNAME", "PASSWORD")]
    head, separator, tail = index.setting.value.partition("://")
    if index.name is None or not any(login) or "@" in tail.partition("/")[0]:
        return index.setting
    quoted = ":".join(quote(part, safe="") for part in login)
    return Setting(value=f"{head}{separator}{quoted}@{tail}", place=index.setting.place)


def _split(environ: Mapping[str, str], name: str, separator: str | None = None) -> tuple[Setting, ...]:
    """Return the parts of a variable's value: None separates at white space, and a NUL nowhere."""
    parts = (part.strip() for part in environ.get(name, "").split(separator))
    return tuple(Setting(value=part, place=name) for part in parts if part)


def _sources(tables: Sequence[TomlTable], project: str, indexes: Sequence[_Index]) -> Iterator[Setting]:
    """Yield the indexes and other places that a source assigns to the project."""
    for table in tables:
        sources = table.table("sources")
        for name in sources.members:
            if canonicalize_name(name) == project:
                for source in sources.tables(name):
                    yield _source(source, indexes)


def _source(source: TomlTable, indexes: Sequence[_Index]) -> Setting:
    name = source.text("index")
    for index in indexes:
        if name is not None and index.name == name.value:
            return Setting(value=index.setting.value, place=name.place)
    values = (source.text(key) for key in ("url", "path", "git"))
    other = next((setting for setting in values if setting is not None), name)
    return other or Setting(value="another source", place=source.prefix + f"* in {source.path}")


def _no_index(tables: Iterable[TomlTable]) -> Setting | None:
    for table in tables:
        flag = table.flag("no-index")
        if flag is not None:
            return Setting(value="true", place=table.place("no-index")) if flag else None
    return None


def _keyring(environ: Mapping[str, str], tables: Iterable[TomlTable]) -> KeyringProvider | None:
    variable = Setting(value=environ.get("UV_KEYRING_PROVIDER", ""), place="UV_KEYRING_PROVIDER")
    settings = (variable, *(table.text("keyring-provider") for table in tables))
    return next(filter(None, (keyring_provider(setting, _PROVIDERS) for setting in settings)), None)


def _without_default(default: _Index | None) -> Setting | None:
    """Return the default index if it is explicit: then uv asks no index for other projects."""
    return None if default is None or not default.is_explicit else default.setting
