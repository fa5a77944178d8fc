"""Escape text of other people's files before it is printed: a control character could fake output."""

import unicodedata

CONTROL_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""The Unicode categories of control, formatting and undecodable characters, and of line separators."""


def escaped(text: str) -> str:
    """Escape control, formatting and undecodable characters."""
    if text.isprintable():
        return text
    return "".join(
        char.encode("unicode_escape").decode() if unicodedata.category(char) in CONTROL_CATEGORIES else char
        for char in text
    )


def escaped_lines(text: str) -> str:
    """Escape the characters of a text, but not its line ends."""
    return "\n".join(map(escaped, text.split("\n")))
