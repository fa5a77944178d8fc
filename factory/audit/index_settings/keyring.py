"""Credentials for an index from the keyring, asked for as pip and uv do.

If an address has a user name without a password, the keyring is asked for the password before the first
request: ``keyring get SERVICE USER``. If it has neither and the index answers 401, the keyring is asked for
both. So no window of the keyring opens for an index that needs none. The service is the address of the
index, then its host. The credentials go to the server of that address only.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, unquote

from factory.audit.index_settings.setting import Setting
from factory.core.addresses import split_address
from factory.system.process import Command, Runner

PROGRAM = "keyring"
_PROVIDERS = ("PIP_KEYRING_PROVIDER", "UV_KEYRING_PROVIDER")
_TIMEOUT_S = 60.0
_YES = {"1", "true", "yes", "on", "y", "t"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyring:
    """The ``keyring`` program.

    Attributes:
        argv: How it is started; empty if it is not installed.
        runner: Starts it.
        env: Its environment, which it needs to find the user's keyring.
    """

    argv: tuple[str, ...]
    runner: Runner
    env: Mapping[str, str]

    @property
    def is_used(self) -> bool:
        """Whether it is installed, and not turned off by the settings of pip and uv.

        pip's ``--no-input`` turns it off too, unless a provider is named: a keyring may ask the user.
        """
        providers = {self.env[name] for name in _PROVIDERS if name in self.env}
        is_silent = self.env.get("PIP_NO_INPUT", "").lower() in _YES and not providers - {"auto"}
        return bool(self.argv) and "disabled" not in providers and not is_silent

    def ask(self, *words: str) -> str:
        """Run the program; return the last line of its output, empty if it failed."""
        command = Command(argv=(*self.argv, *words), env=self.env, timeout_s=_TIMEOUT_S)
        done = self.runner.run(command)
        return "" if done.returncode else done.output.strip().rpartition("\n")[2]


def with_password(index: Setting, keyring: Keyring) -> Setting:
    """Return the index with a password from the keyring, if its address has only a user name."""
    parts = split_address(index.value)
    if not keyring.is_used or parts is None or not parts.username or parts.password is not None:
        return index
    user = unquote(parts.username)
    for service in _services(parts):
        if password := keyring.ask("get", service, user):
            return _with(index, parts, user, password, "password")
    return index


def with_credentials(index: Setting, keyring: Keyring) -> Setting | None:
    """Return an index that answered 401 with credentials from the keyring.

    None if the keyring has none, or if the address has some: those are wrong, as far as pip is concerned.
    """
    parts = split_address(index.value)
    if not keyring.is_used or parts is None or parts.username is not None:
        return None
    for service in _services(parts):
        found = keyring.ask("--mode", "creds", "--output", "json", "get", service)
        try:
            credentials = json.loads(found)
            user, password = credentials["username"], credentials["password"]
        except (ValueError, KeyError, TypeError):  # none, or a keyring before 25.2
            continue
        if isinstance(user, str) and isinstance(password, str) and password:
            return _with(index, parts, user, password, "credentials")
    return None


def _services(parts: SplitResult) -> Iterator[str]:
    host = _host(parts)
    yield parts._replace(netloc=host, query="", fragment="").geturl()
    yield host


def _host(parts: SplitResult) -> str:
    return parts.netloc.rpartition("@")[2]


def _with(index: Setting, parts: SplitResult, user: str, password: str, what: str) -> Setting:
    netloc = f"{quote(user, safe='')}:{quote(password, safe='')}@{_host(parts)}"
    place = f"{index.place}, with the {what} of the keyring"
    return Setting(value=parts._replace(netloc=netloc).geturl(), place=place)
