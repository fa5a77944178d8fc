"""Find the places of the configuration files of pip, uv and npm on this machine."""

import os
import platform
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import platformdirs

from factory.audit.index_settings.setting import SettingsFiles
from factory.cli.settings import Settings


def client_files(settings: Settings) -> SettingsFiles:
    """Return where pip and uv have their configuration files, for this and the active environment.

    The places of pip are those of its module ``appdirs``; those of uv are in its documentation.
    """
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 - a machine without a home directory is no error
    active = settings.environ.get("VIRTUAL_ENV")
    environments = dict.fromkeys((sys.prefix, active or sys.prefix))
    name = "pip.ini" if _is_windows() else "pip.conf"
    return SettingsFiles(
        pip_global=tuple(directory / name for directory in _pip_global()),
        pip_user=tuple(directory / name for directory in _pip_user(home)),
        pip_sites=tuple(Path(prefix) / name for prefix in environments),
        uv_user=_uv_user(settings.environ, home) / "uv/uv.toml",
        uv_system=tuple(directory / "uv/uv.toml" for directory in _uv_system(settings.environ)),
        directory=Path.cwd(),
        home=home,
    )


def npm_files(settings: Settings) -> tuple[Path, ...]:
    """Return the npmrc files of the project, the user and the machine, in npm's order of precedence."""
    environ = {name.lower(): value for name, value in settings.environ.items()}
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 - as above
    user = Path(environ.get("npm_config_userconfig") or home / ".npmrc")
    return (_npm_project() / ".npmrc", user, _npm_global(environ, settings.search_path))


def _npm_project() -> Path:
    """Return the nearest directory that npm takes for a project, else the working directory."""
    here = Path.cwd()
    places = (here, *here.parents)
    markers = ("package.json", "node_modules")
    return next((place for place in places if any((place / name).exists() for name in markers)), here)


def _npm_global(environ: Mapping[str, str], search_path: str) -> Path:
    """Return the file for all users, below the directory in which Node.js is installed."""
    if named := environ.get("npm_config_globalconfig"):
        return Path(named)
    prefix = environ.get("npm_config_prefix") or environ.get("prefix")
    node = shutil.which("node", path=search_path)
    if prefix is None and node is not None:
        place = Path(node).resolve().parent
        prefix = str(place if _is_windows() else place.parent)
    return Path(prefix or "/usr/local") / "etc" / "npmrc"


def _is_windows() -> bool:
    return platform.system() == "Windows"


def _pip_global() -> list[Path]:
    if platform.system() in {"Windows", "Darwin"}:
        return _paths(platformdirs.site_data_dir("pip", appauthor=False, multipath=True))
    return [*_paths(platformdirs.site_config_dir("pip", appauthor=False, multipath=True)), Path("/etc")]


def _pip_user(home: Path) -> tuple[Path, Path]:
    place = Path(platformdirs.user_config_dir("pip", appauthor=False, roaming=True))
    if platform.system() == "Darwin" and not place.is_dir():
        place = home / ".config/pip"
    return home / ("pip" if _is_windows() else ".pip"), place


def _uv_user(environ: Mapping[str, str], home: Path) -> Path:
    named = environ.get("APPDATA" if _is_windows() else "XDG_CONFIG_HOME")
    return Path(named) if named else home / ".config"


def _uv_system(environ: Mapping[str, str]) -> list[Path]:
    if _is_windows():
        return [Path(environ.get("PROGRAMDATA", "C:/ProgramData"))]
    return [*_paths(environ.get("XDG_CONFIG_DIRS") or "/etc/xdg"), Path("/etc")]


def _paths(text: str) -> list[Path]:
    return [Path(part) for part in text.split(os.pathsep) if part]
