"""The two kinds of programs that a change of the protocol can break."""

from enum import StrEnum


class Side(StrEnum):
    """The programs that a change can break."""

    READERS = "readers"
    WRITERS = "writers"
