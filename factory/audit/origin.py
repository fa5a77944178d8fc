"""Who vouches for the digest of a wheel: an index that lists it, or only the file itself."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from factory.core.codec import format_utc
from factory.core.digests import Sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedIndex:
    """An index at the time when its project page was requested.

    Attributes:
        address: The address of the simple API, without credentials, query and fragment.
        asked_at: In UTC.
    """

    address: str
    asked_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedOrigin:
    """An index lists the SHA-256 of the wheel under its file name.

    Attributes:
        index: The address of the index, without credentials, query and fragment.
        asked_at: When the index was asked, in UTC.
        sha256: The digest that it lists.
        yanked: The reason given for a yanked file, possibly empty; None if it is not yanked.
    """

    index: str
    asked_at: datetime
    sha256: Sha256
    yanked: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalOrigin:
    """The wheel is a file on this machine, and no index vouches for its SHA-256.

    Attributes:
        name: The file name.
    """

    name: str


Origin: TypeAlias = ListedOrigin | LocalOrigin


def origin_word(origin: Origin) -> str:
    """Return the origin as a cell of a table."""
    match origin:
        case ListedOrigin(yanked=None):
            return "index"
        case ListedOrigin(yanked=reason):
            return f"index, yanked: {reason}" if reason else "index, yanked"
        case LocalOrigin():
            return "local file"


def origin_sentence(origin: Origin) -> str:
    """Return the origin as a sentence for a person."""
    match origin:
        case ListedOrigin():
            listed = f"{origin.index} listed this SHA-256 at {format_utc(origin.asked_at)}"
            return (
                listed
                if origin.yanked is None
                else f"{listed} as yanked: {origin.yanked or 'no reason given'}"
            )
        case LocalOrigin():
            return "It is a local file; no index vouches for its SHA-256."
