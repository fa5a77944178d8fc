"""The families of errors that users can see, and the exit code of each.

The message of an error is one sentence that says what went wrong; its hint says what to do
next. Code raises the family itself. A module defines a subclass only if code catches it by
name or raises it in several places; the exit codes are defined only here.

An exception means that something could not be done. A problem with a wheel is a finding, and
the result of an audit is a verdict; neither is an exception.
"""

from typing import ClassVar

EXIT_OK = 0
EXIT_AUDIT_DIFFERS = 10
EXIT_INCONCLUSIVE = 11
EXIT_NOTHING_TO_COMPARE = 12
EXIT_FAITHFUL_WITH_ERRORS = 24
"""A published wheel is what was released, and has errors: the exit code of `VerificationError`."""


class FactoryError(Exception):
    """Something that the factory could not do, with a message for the user.

    Attributes:
        exit_code: The exit status of the command. 1 and 2 are not used: Python exits with 1
            after a crash and argparse with 2.
        hint: What to do next, in one sentence.
    """

    exit_code: ClassVar[int]
    hint: str = ""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        if hint:
            self.hint = hint

    @property
    def with_hint(self) -> str:
        """The message and the hint, for a report that goes on after the error."""
        return f"{self}. {self.hint}" if self.hint else str(self)


class UsageError(FactoryError):
    """The request is invalid: a malformed tag, overlapping paths."""

    exit_code = 20


class UpstreamError(FactoryError):
    """A channel, an index or the network did not return what was requested."""

    exit_code = 21


class IntegrityError(FactoryError):
    """A file is not what it should be: a wrong digest, a damaged archive or document."""

    exit_code = 22


class BuildError(FactoryError):
    """A build step failed; the message names the phase and the log file."""

    exit_code = 23


class VerificationError(FactoryError):
    """A wheel has findings that make it unusable."""

    exit_code = 24


class HostError(FactoryError):
    """This machine cannot do it: a different zlib, a full disk, a read-only directory, no Docker."""

    exit_code = 25
