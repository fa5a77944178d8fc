"""The credentials for an npm registry: which request gets them, and what to do if they are refused.

The rules are npm's (``npm-registry-fetch``, ``auth.js``): a key of the configuration begins with the address
that it is for, ``//mirror.example.invalid/npm/:_authToken``, and the longest address counts. Files on
the registry's own host get the registry's credentials. A host that no setting names gets none.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote

from factory.core.addresses import redacted, split_address
from factory.core.errors import UsageError
from factory.release.channels.npm_settings import NpmSetting
from factory.system.http import HttpStatusError

_PORTS = {"http": 80, "https": 443}
_REFUSALS = frozenset({401, 403})
_LAST_PART = re.compile(r"([^/]+|/)$")
_HEADER_VALUE = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A value of the Authorization header.

    Attributes:
        header: A secret, so the representation leaves it out.
        place: Where it is set.
    """

    header: str = field(repr=False)
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NpmLogin:
    """A registry with the credentials of npm's configuration.

    Attributes:
        registry: The address, without credentials.
        place: Where the address is set.
        settings: npm's settings by their keys.
        in_address: The user name and password in the address; npm's settings override them.
    """

    registry: str
    place: str
    settings: Mapping[str, NpmSetting] = field(repr=False)
    in_address: Credential | None = None

    @classmethod
    def of(cls, address: str, place: str, settings: Mapping[str, NpmSetting]) -> "NpmLogin":
        """Take the user name and password out of the address of a registry.

        Raises:
            UsageError: The address is not usable. It is not repeated, since it may have a password.
        """
        parts = split_address(address.strip())
        if parts is None or re.search(r"\s", address.strip()):
            raise UsageError(
                f"the npm registry ({place}) is not an address with https:// or http://",
                hint="Give the address of the registry with --npm-registry.",
            )
        login, _, host = parts.netloc.rpartition("@")
        user, _, password = login.partition(":")
        credential = None
        if login:
            header = _basic(unquote(user), unquote(password))
            credential = Credential(header=header, place=f"the address in {place}")
        plain = parts._replace(netloc=host).geturl().rstrip("/")
        return cls(registry=plain, place=place, settings=settings, in_address=credential)

    def headers_for(self, url: str) -> dict[str, str]:
        """Return the header that a request for a URL needs; none for a host that no setting names.

        Raises:
            UsageError: The configured credentials cannot be used.
        """
        credential = self.credential_for(url)
        return {} if credential is None else {"Authorization": credential.header}

    def credential_for(self, url: str) -> Credential | None:
        """Return the credential for a URL.

        Raises:
            UsageError: It refers to a variable that is not set, or is not a header value.
        """
        parts, registry = split_address(url), split_address(self.registry)
        if parts is None or registry is None:
            return None
        # Only a user who configured a registry with plain http accepts that others read the token.
        if parts.scheme == "http" and _origin(parts) != _origin(registry):
            return None
        found = self._of_settings(parts)
        if found is None and _origin(parts) == _origin(registry):
            found = self._of_settings(_with_slash(registry)) or self.in_address
        return found

    def refusal_hint(self, url: str) -> str:
        """Return what to do if the server answers a request for a URL with 401 or 403."""
        credential = self.credential_for(url)
        if credential is not None:
            return (
                f"The credentials of {credential.place} were sent. Check that they are valid and allow"
                " reading the package, for example with 'npm whoami' or 'npm view'."
            )
        unscoped = next((self.settings[k].place for k in ("_authToken", "_auth") if k in self.settings), None)
        ignored = f" The setting {unscoped} is not used, since it names no address." if unscoped else ""
        return (
            f"No credentials for {redacted(url)} were found.{ignored} Log in with"
            f" 'npm login --registry {self.registry}/', or set"
            f" {self.registry.partition(':')[2]}/:_authToken in ~/.npmrc."
        )

    @contextmanager
    def explaining_refusals(self, url: str) -> Iterator[None]:
        """Give an error with the status 401 or 403 a hint that fits the registry and the settings."""
        try:
            yield
        except HttpStatusError as error:
            if error.status in _REFUSALS:
                error.hint = self.refusal_hint(url)
            raise

    def _of_settings(self, parts: SplitResult) -> Credential | None:
        """Search the longest address in the settings that a URL begins with."""
        key = f"//{_host(parts)}{parts.path}"
        while len(key) > len("//"):
            found = self._at(key)
            if found is not None:
                return found
            key = _LAST_PART.sub("", key)
        return None

    def _at(self, key: str) -> Credential | None:
        """Return the credential of one address; a token goes before ``_auth``, and that before a password."""
        if (token := self._usable(f"{key}:_authToken")) is not None:
            return Credential(header=f"Bearer {token.value}", place=token.place)
        if (login := self._usable(f"{key}:_auth")) is not None:
            return Credential(header=f"Basic {login.value}", place=login.place)
        user, password = self.settings.get(f"{key}:username"), self._usable(f"{key}:_password")
        if user is None or password is None or not user.value:
            return None
        try:
            decoded = base64.b64decode(password.value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise UsageError(
                f"the npm setting {password.place} is not base64",
                hint="npm keeps passwords in base64; 'npm login' writes them so.",
            ) from error
        return Credential(header=_basic(user.value, decoded), place=password.place)

    def _usable(self, key: str) -> NpmSetting | None:
        setting = self.settings.get(key)
        if setting is None or not setting.required:
            return None
        if not _HEADER_VALUE.fullmatch(setting.value):
            raise UsageError(
                f"the npm setting {setting.place} has a character that no token has",
                hint="Correct the value: it has no spaces, line ends or other special characters.",
            )
        return setting


def _basic(user: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def _host(parts: SplitResult) -> str:
    """Return the host and a port that is not the usual one, as browsers write them."""
    host = parts.netloc.rpartition("@")[2].lower()
    return host.removesuffix(f":{_PORTS[parts.scheme]}")


def _origin(parts: SplitResult) -> tuple[str, str]:
    return parts.scheme, _host(parts)


def _with_slash(parts: SplitResult) -> SplitResult:
    return parts._replace(path=f"{parts.path.rstrip('/')}/")
