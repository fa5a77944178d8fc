"""Numbers with their nouns."""


def counted(count: int, one: str, many: str | None = None) -> str:
    """Return a number with a noun that agrees with it: ``1 wheel``, ``2 wheels``, ``0 entries``.

    Args:
        count: The number.
        one: The words after a 1.
        many: The words after another number; None for ``one`` with an s.
    """
    return f"{count} {one if count == 1 else many or f'{one}s'}"
