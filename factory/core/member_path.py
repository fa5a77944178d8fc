"""Names of archive members as paths: which of them stay inside the directory that they are unpacked to."""

import re
import unicodedata

from factory.core.printable import CONTROL_CATEGORIES

LONGEST_PART_BYTES = 255
"""The longest part of a path that common file systems allow (POSIX NAME_MAX)."""

_DRIVE = re.compile(r"\A[A-Za-z]:")


def why_outside(name: str) -> str:
    """Return why a path leads outside, or is read differently on another system; empty if it does not."""
    if name.startswith("/") or _DRIVE.match(name):
        return "the path is absolute"
    parts = name.removesuffix("/").split("/")
    if ".." in parts:
        return "the path leads out of the directory that it is installed to"
    if "" in parts or "." in parts:
        return "the path has an empty or '.' component"
    return ""


def is_plain(name: str) -> bool:
    """Whether a member of an untrusted archive can be written below a directory under its own name."""
    longest = max(len(part.encode("utf-8", "replace")) for part in name.split("/"))
    has_control = any(unicodedata.category(char) in CONTROL_CATEGORIES for char in name)
    return not why_outside(name) and "\\" not in name and not has_control and longest <= LONGEST_PART_BYTES
