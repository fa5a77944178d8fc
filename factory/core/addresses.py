"""Parse addresses of servers, and show them without the secrets that they may have."""

import re
from urllib.parse import SplitResult, urlsplit

INVALID = "an invalid address"
"""How an address is shown that cannot be parsed: it may be a mistyped one with a password."""

_LONGEST = 2048
_UNSAFE = re.compile(r"[\s\x00-\x1f\x7f]")
_CREDENTIALS = re.compile(r"(?<=//)[^/@\s'\"<>]*@")
_QUERY = re.compile(r"(?<=[^\s])\?[^\s'\"<>)\]]*")


def split_address(text: str) -> SplitResult | None:
    """Return the parts of an address with http or https; None if it is malformed or overlong."""
    if len(text) > _LONGEST or _UNSAFE.search(text) or not text.isprintable():
        return None
    try:
        parts = urlsplit(text)
        is_usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets that do not match, a port that is not a number
        return None
    return parts if is_usable else None


def redacted(address: str) -> str:
    """Return an address without its credentials and its query, which may hold a signature."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return INVALID
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def has_secrets(address: str) -> bool:
    """Return whether an address has credentials or a query."""
    parts = split_address(address)
    return parts is None or "@" in parts.netloc or bool(parts.query)


def scrubbed(text: str) -> str:
    """Return the message of a library without the credentials and queries of the addresses in it."""
    return _QUERY.sub("", _CREDENTIALS.sub("", text))
