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

from factory.audit.index_settings.pip_settings import pip_settings
from factory.audit.index_settings.setting import KeyringProvider, Setting, SettingsFiles
from factory.audit.index_settings.uv_settings import uv_settings
from factory.core.addresses import split_address
from factory.system.process import Command, Runner

PROGRAM = "keyring"
_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyring:
    """The programs that ask the user's keyring.

    Attributes:
        programs: How each is started, in the order in which they are asked.
        runner: Starts them.
        env: Their environment, which they need to find the user's keyring.
    """

    programs: tuple[tuple[str, ...], ...]
    runner: Runner
    env: Mapping[str, str]

    def answers(self, words: tuple[str, ...], parts: SplitResult, *user: str) -> Iterator[str]:
        """Ask each program for the address and then for the host of an index; yield the last line of each."""
        for program in self.programs:
            for service in _services(parts):
                command = Command(argv=(*program, *words, service, *user), env=self.env, timeout_s=_TIMEOUT_S)
                done = self.runner.run(command)
                if done.returncode == 0:
                    yield done.output.strip().rpartition("\n")[2]


def keyring_providers(
    environ: Mapping[str, str], files: SettingsFiles, *, project: str
) -> tuple[KeyringProvider, ...]:
    """Return how the settings of pip and uv allow the keyring to be asked, in this order.

    A provider that is named goes before ``auto``, pip's default. Without one, pip's ``no-input`` turns the
    keyring off, since it may ask the user. ``disabled`` in one client is not overridden by the other.

    Raises:
        UsageError: A file cannot be read, or names an unknown provider.
    """
    clients = (*pip_settings(environ, files), *uv_settings(environ, files, project=project))
    named = {client.keyring for client in clients} - {None, KeyringProvider.AUTO}
    if KeyringProvider.DISABLED in named or (not named and any(client.is_silent for client in clients)):
        return ()
    both = (KeyringProvider.IMPORT, KeyringProvider.SUBPROCESS)
    return tuple(provider for provider in both if not named or provider in named)


def lacks_password(index: Setting) -> bool:
    """Whether the address of an index has a user name without a password."""
    parts = split_address(index.value)
    return parts is not None and bool(parts.username) and parts.password is None


def with_password(index: Setting, keyring: Keyring) -> Setting:
    """Return an index that `lacks_password` with one from the keyring, if that has it."""
    parts = split_address(index.value)
    if parts is None or not parts.username:
        return index
    user = unquote(parts.username)
    for password in keyring.answers(("get",), parts, user):
        if password:
            return _with(index, parts, user, password, "password")
    return index


def lacks_credentials(index: Setting) -> bool:
    """Whether the address of an index has no credentials; after a 401, those that it has are wrong."""
    parts = split_address(index.value)
    return parts is not None and parts.username is None


def with_credentials(index: Setting, keyring: Keyring) -> Setting | None:
    """Return an index that `lacks_credentials` with some from the keyring; None if it has none."""
    parts = split_address(index.value)
    if parts is None:
        return None
    for found in keyring.answers(("--mode", "creds", "--output", "json", "get"), parts):
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
