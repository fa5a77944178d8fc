"""Choose the index of an audit: the one from which pip and uv would download, if there is only one."""

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from factory.audit.index_settings.local_places import may_link, may_list
from factory.audit.index_settings.pip_settings import pip_settings
from factory.audit.index_settings.setting import (
    GIVE_INDEX_URL,
    ClientSettings,
    Setting,
    SettingsFiles,
    checked_address,
)
from factory.audit.index_settings.uv_settings import uv_settings
from factory.core.errors import UsageError


def choose_index(
    flag: str | None,
    environ: Mapping[str, str],
    files: SettingsFiles,
    *,
    project: str,
    default: str,
) -> Setting:
    """Return the index to ask, with its place.

    Args:
        flag: The value of ``--index-url``, which overrides all settings; None if it was not given.
        environ: The environment variables.
        files: Where the configuration files are.
        project: The normalised name of the project.
        default: The address of the index that pip and uv use without any setting.

    Raises:
        UsageError: The settings name several indexes, no index, or another place that could serve the
            project's files; or they cannot be read.
    """
    if flag is not None:
        setting = Setting(value=flag, place="--index-url")
        return Setting(value=checked_address(setting), place=setting.place)
    clients = (*pip_settings(environ, files), *uv_settings(environ, files, project=project))
    _require_on(clients)
    index = _only_index(clients) or Setting(value=default, place="the default of pip and uv")
    rivals = _rivals(index, clients, files, project)
    if rivals:
        raise UsageError(
            f"pip or uv could download {project} from several places: {_listed([index, *rivals])}",
            hint=GIVE_INDEX_URL,
        )
    return index


def _require_on(clients: Iterable[ClientSettings]) -> None:
    for client in clients:
        if client.no_index is not None:
            raise UsageError(
                f"the settings allow no package index: {client.no_index.place}",
                hint=f"{GIVE_INDEX_URL} A local file can be audited with --wheel FILE --no-index.",
            )


def _only_index(clients: Iterable[ClientSettings]) -> Setting | None:
    """Return the index that all clients name, as far as they name one; one with credentials is preferred."""
    named: dict[tuple[str, str], Setting] = {}
    for client in clients:
        if client.index is not None:
            setting = Setting(value=checked_address(client.index), place=client.index.place)
            named.setdefault(_identity(setting.value), setting)
    with_login = {key: setting for key, setting in named.items() if key[1]}
    if len({address for address, _ in named}) > 1 or len(with_login) > 1:
        raise UsageError(
            f"the settings of pip and uv name different package indexes: {_listed(named.values())}",
            hint=GIVE_INDEX_URL,
        )
    return next(iter((with_login or named).values()), None)


def _rivals(
    index: Setting, clients: Iterable[ClientSettings], files: SettingsFiles, project: str
) -> tuple[Setting, ...]:
    """Return the other places from which pip or uv could download files of the project."""
    address = _identity(index.value)[0]
    rivals: dict[str, Setting] = {}
    for client in clients:
        for setting in client.extra_indexes:
            if _identity(setting.value)[0] != address and may_list(setting.value, project, files):
                rivals.setdefault(setting.shown, setting)
        for setting in client.find_links:
            if may_link(setting.value, project, files):
                rivals.setdefault(setting.shown, setting)
    return tuple(rivals.values())


def _listed(settings: Iterable[Setting]) -> str:
    return ", ".join(setting.shown for setting in settings)


def _identity(value: str) -> tuple[str, str]:
    """Return an address in the form in which equal addresses are equal, and its credentials."""
    try:
        parts = urlsplit(value.strip())
    except ValueError:
        return value, ""
    login, _, host = parts.netloc.rpartition("@")
    plain = parts._replace(scheme=parts.scheme.lower(), netloc=host.lower(), path=parts.path.rstrip("/"))
    return plain._replace(fragment="").geturl(), login
