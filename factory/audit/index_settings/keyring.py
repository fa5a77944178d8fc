"""A password for an index from the keyring, asked for as pip and uv do: ``keyring get SERVICE USER``.

The service is the address of the index, then its host. The keyring is asked only if an address has a
user name without a password, so no window of the keyring opens for an index that needs none, and the
password goes to the server of that address only.
"""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import SplitResult, quote, unquote

from factory.audit.index_settings.setting import Setting
from factory.core.addresses import split_address
from factory.system.process import Command, Runner

PROGRAM = "keyring"
_OFF = {"PIP_KEYRING_PROVIDER": "disabled", "UV_KEYRING_PROVIDER": "disabled"}
"""The settings of pip and uv that turn the keyring off."""
_TIMEOUT_S = 60.0


def with_password(index: Setting, program: Path | None, runner: Runner, *, env: Mapping[str, str]) -> Setting:
    """Return the index with a password from the keyring, if its address has only a user name.

    Args:
        index: The index.
        program: The ``keyring`` program; None if it is not installed.
        runner: Starts it.
        env: Its environment, which it needs to find the user's keyring.
    """
    parts = split_address(index.value)
    if program is None or parts is None or not parts.username or parts.password is not None:
        return index
    if any(env.get(name) == value for name, value in _OFF.items()):
        return index
    host = parts.netloc.rpartition("@")[2]
    user = unquote(parts.username)
    for service in (parts._replace(netloc=host, query="", fragment="").geturl(), host):
        done = runner.run(Command(argv=(str(program), "get", service, user), env=env, timeout_s=_TIMEOUT_S))
        password = done.output.strip().rpartition("\n")[2]
        if done.returncode == 0 and password:
            return _with(index, parts, password)
    return index


def _with(index: Setting, parts: SplitResult, password: str) -> Setting:
    user, host = parts.netloc.rpartition("@")[0], parts.netloc.rpartition("@")[2]
    address = parts._replace(netloc=f"{user.rstrip(':')}:{quote(password, safe='')}@{host}").geturl()
    return Setting(value=address, place=f"{index.place}, with the password of the keyring")
