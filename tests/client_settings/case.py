"""Settings of pip and uv, and the indexes that the clients then ask.

The unit tests read the settings; the integration tests run the clients with them, against a server.
In all texts, ``{U}`` is the server's address and ``{D}`` the directory of the files.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from factory.audit.index_settings.setting import ClientSettings, SettingsFiles

PIP_USER = "home/.config/pip/pip.conf"
PIP_LEGACY = "home/.pip/pip.conf"
PIP_GLOBAL = "etc/pip/pip.conf"
UV_USER = "home/.config/uv/uv.toml"
UV_SYSTEM = "etc/uv/uv.toml"
PROJECT = '[project]\nname = "{name}"\nversion = "1"\nrequires-python = ">=3.8"\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Some settings.

    Attributes:
        id: What is special about them.
        asked: The index that is asked, by the first part of its path; empty for none but the client's own.
        also: The other indexes and pages that are asked.
        env: Environment variables.
        files: Configuration files by path below a directory.
        command: The client's command.
        directory: The working directory, below the same directory.
    """

    id: str
    asked: str
    also: frozenset[str] = frozenset()
    env: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    command: str
    directory: str = "work"

    def write(self, root: Path, server: str) -> None:
        """Write the files."""
        (root / "home").mkdir()
        (root / self.directory).mkdir(parents=True)
        for name, text in self.files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.replace("{U}", server), encoding="utf-8")

    def environ(self, root: Path, server: str) -> dict[str, str]:
        """Return the environment variables."""
        return {
            name: value.replace("{U}", server).replace("{D}", str(root)) for name, value in self.env.items()
        }

    def settings_files(self, root: Path) -> SettingsFiles:
        """Return where the clients find their files on Linux."""
        return SettingsFiles(
            pip_global=(root / PIP_GLOBAL,),
            pip_user=(root / PIP_LEGACY, root / PIP_USER),
            pip_sites=(root / "venv/pip.conf",),
            uv_user=root / UV_USER,
            uv_system=(root / UV_SYSTEM,),
            directory=root / self.directory,
            home=root / "home",
        )


def names(settings: ClientSettings) -> tuple[str, frozenset[str]]:
    """Return the index and the other places of some settings, each by the first part of its path."""
    if settings.no_index is not None:
        return "", frozenset(_name(setting.value) for setting in settings.find_links)
    index = "" if settings.index is None else _name(settings.index.value)
    others = (*settings.extra_indexes, *settings.find_links)
    return index, frozenset(_name(setting.value) for setting in others)


def _name(address: str) -> str:
    return address.strip().split("/")[3]


def _case(
    title: str,
    asked: str,
    *also: str,
    command: str,
    env: Mapping[str, str] | None = None,
    files: Mapping[str, str] | None = None,
    directory: str = "work",
) -> Case:
    return Case(
        id=title,
        asked=asked,
        also=frozenset(also),
        env=env or {},
        files=files or {},
        command=command,
        directory=directory,
    )


pip = partial(_case, command="download")
uv = partial(_case, command="pip")


def conf(key: str, *values: str, section: str = "global") -> str:
    """Return a file of pip with one key; several values are on lines of their own."""
    addresses = [f"{{U}}/{value}/simple/" for value in values]
    return f"[{section}]\n{key} = " + "\n    ".join(addresses) + "\n"


def url(name: str) -> str:
    """Return the address of an index."""
    return f"{{U}}/{name}/simple/"


def index(path: str, /, *, prefix: str = "", **members: str) -> str:
    """Return an entry of uv's list of indexes."""
    lines = [f'url = "{url(path)}"', *(f"{key} = {value}" for key, value in members.items())]
    return "\n".join([f"[[{prefix}index]]", *lines, ""])


def index_url(name: str) -> str:
    """Return uv's key for the default index in the older form."""
    return f'index-url = "{url(name)}"\n'


def extra(name: str) -> str:
    """Return uv's key for additional indexes in the older form."""
    return f'extra-index-url = ["{url(name)}"]\n'
