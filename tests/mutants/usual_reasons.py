"""Reasons that hold for a whole kind of mutants, so that the reviewed list has only the others."""

import re

_UNREACHABLE = "Equivalent: mypy proves that the case is never reached."
_WORDING = "Only the wording of a message changes."
_STRICT = "Equivalent: the sequences have the same length; `strict` states that."
_ENCODING = "Equivalent: the names of encodings ignore case."
_WHITE_SPACE = "Equivalent: white space does not change what is read back."
_STRING = re.compile(r"""f?(["'])(.*?)\1""")


def usual_reason(change: str) -> str | None:
    """Return why a change needs no test, if it is of a usual kind.

    Args:
        change: The removed lines with ``- `` and the added lines with ``+ ``.
    """
    before = "\n".join(line[1:].strip() for line in change.splitlines() if line.startswith("-"))
    after = "\n".join(line[1:].strip() for line in change.splitlines() if line.startswith("+"))
    if "assert_never(" in before and "assert_never(" not in before.replace("assert_never(", "", 1):
        return _UNREACHABLE
    if re.sub(r",? ?strict=\w+", "", before) == re.sub(r",? ?(strict=\w+)?(?=\))", "", after, count=0):
        return _STRICT
    if _folded(before, "utf-8") == _folded(after, "utf-8") and "utf-8" in before.casefold():
        return _ENCODING
    if re.sub(r"indent=\w+,? ?", "", before) == re.sub(r"indent=\w+,? ?", "", after):
        return _WHITE_SPACE
    return _WORDING if _is_rewording(before, after) else None


def _folded(text: str, word: str) -> str:
    return re.sub(re.escape(word), word, text, flags=re.IGNORECASE)


def _is_rewording(before: str, after: str) -> bool:
    """Whether the two differ only in the case of, or in XX around, strings with several words."""
    if before.replace("XX", "").casefold() != after.replace("XX", "").casefold():
        return False
    texts, others = _STRING.findall(before), _STRING.findall(after)
    changed = [text for (_, text), (_, other) in zip(texts, others, strict=False) if text != other]
    return bool(changed) and all(" " in text.strip() for text in changed)
