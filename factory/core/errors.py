"""The errors a user can meet, and the exit code of each family.

Every error says in one sentence what went wrong and in its hint what to do
next. Subclasses take structured arguments and write the sentence themselves, so
that no caller formats a message. A module may define its own subclasses next to
the code that raises them; the families and their exit codes are only here.

An exception means that something could not be done. A wheel that is wrong is a
finding, and an audit's answer is a verdict; neither is an exception.
"""

from typing import ClassVar

EXIT_OK = 0
EXIT_AUDIT_DIFFERS = 10
EXIT_INCONCLUSIVE = 11


class FactoryError(Exception):
    """Something the factory could not do, told to a person.

    Attributes:
        exit_code: The process's exit status when this ends a command. 1 and 2 stay
            free: Python exits with 1 on a crash and argparse with 2.
        hint: What to do next, one sentence.
    """

    exit_code: ClassVar[int]
    hint: str = ""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        if hint:
            self.hint = hint


class UsageError(FactoryError):
    """What was asked for makes no sense: a malformed tag, overlapping paths."""

    exit_code = 20


class UpstreamError(FactoryError):
    """A channel, an index or the network did not give what was asked for."""

    exit_code = 21


class IntegrityError(FactoryError):
    """Bytes are not what somebody promised: a wrong digest, a damaged archive."""

    exit_code = 22


class BuildError(FactoryError):
    """A build step failed; the message names the phase and the kept log."""

    exit_code = 23


class VerificationError(FactoryError):
    """A wheel has findings that forbid using it."""

    exit_code = 24


class HostError(FactoryError):
    """This machine cannot do it: wrong zlib, no disk, a read-only output, no docker."""

    exit_code = 25
