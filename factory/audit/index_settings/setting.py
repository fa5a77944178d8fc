"""The settings of pip and uv that decide from where a file comes, as values with their places."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from factory.core.addresses import redacted, split_address
from factory.core.errors import UsageError

GIVE_INDEX_URL = "Name the index with --index-url."
_NOT_PRINTABLE = re.compile(r"[\s\x00-\x1f\x7f]")


class KeyringProvider(StrEnum):
    """How a client asks the keyring; uv knows two of them."""

    AUTO = "auto"
    DISABLED = "disabled"
    IMPORT = "import"
    SUBPROCESS = "subprocess"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A value, and where it is set.

    Attributes:
        value: An address can have credentials, so this must not be shown; see `shown`.
        place: An environment variable, or a key and its file.
    """

    value: str
    place: str

    @property
    def shown(self) -> str:
        """The value without credentials and query, and its place."""
        return f"{shown_address(self.value)} ({self.place})"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """From where one client would download a file.

    Attributes:
        index: The default index; None if no setting names one.
        extra_indexes: Indexes that the client asks in addition.
        find_links: Directories and pages of files that it searches in addition.
        no_index: The setting that turns all indexes off, if one does.
        keyring: How it asks the keyring; None if no setting says so.
        is_silent: It must not ask the user.
    """

    index: Setting | None = None
    extra_indexes: tuple[Setting, ...] = ()
    find_links: tuple[Setting, ...] = ()
    no_index: Setting | None = None
    keyring: KeyringProvider | None = None
    is_silent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsFiles:
    """Where the configuration files of pip and uv are on this machine; they need not exist.

    Attributes:
        pip_global: For all users; a later file overrides an earlier one.
        pip_user: For this user, the older place first.
        pip_sites: One for each Python environment that is in use.
        uv_user: For this user.
        uv_system: For all users; only the first one that exists counts.
        directory: The working directory, where projects are searched.
        home: The user's home directory.
    """

    pip_global: tuple[Path, ...]
    pip_user: tuple[Path, ...]
    pip_sites: tuple[Path, ...]
    uv_user: Path
    uv_system: tuple[Path, ...]
    directory: Path
    home: Path


def read_settings(path: Path, *, encoding: str) -> str | None:
    """Return the content of a configuration file; None if it does not exist.

    Raises:
        UsageError: It exists and cannot be read. pip ignores such a file, and then uses another index
            than the one that it names.
    """
    try:
        return path.read_text(encoding=encoding)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise unusable(path, error) from error


def unusable(path: Path, error: Exception | str) -> UsageError:
    """Return the error for a configuration file that cannot be read or parsed."""
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return UsageError(
        f"cannot read the configuration file {path}: {' '.join(reason.split())}",
        hint=f"Correct it. {GIVE_INDEX_URL}",
    )


def checked_address(setting: Setting) -> str:
    """Return the address in a setting.

    Raises:
        UsageError: It is not the address of an index that can be asked over http or https. The value is
            not repeated, since it may be a mistyped address with a password.
    """
    value = setting.value.strip()
    if split_address(value) is None:
        raise UsageError(
            f"{setting.place} is not the address of an index, with https:// or http://",
            hint="Name an index that answers over https with --index-url.",
        )
    return value


def keyring_provider(setting: Setting | None, known: Iterable[KeyringProvider]) -> KeyringProvider | None:
    """Return the provider that a setting names; None if it is missing or empty.

    Raises:
        UsageError: The client does not know it. The value is not repeated: it may be a password.
    """
    if setting is None or not setting.value:
        return None
    for provider in known:
        if provider.value == setting.value:
            return provider
    raise UsageError(
        f"{setting.place} is not the name of a keyring provider",
        hint=f"Set it to one of {', '.join(known)}, or give the index's address with its credentials.",
    )


def shown_address(value: str) -> str:
    """Return an address or a path as it can be shown: without credentials, query and fragment."""
    if "://" not in value:
        return value if "@" not in value else "an invalid address"
    return redacted(value)
