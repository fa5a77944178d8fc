"""Keep the standard streams usable: closed ones, full ones, and text that they cannot encode."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO, cast

from factory.core.errors import HostError


class CannotPrint(HostError):
    """The output of a command cannot be written."""

    hint = "Write it to another place."

    def __init__(self, error: OSError) -> None:
        super().__init__(f"cannot write to standard output: {error.strerror or error}")


class _Output:
    """A stream that raises `CannotPrint`, so that a full disk there is not taken for another one.

    argparse would ignore an `OSError`.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        with _explained():
            return self._stream.write(text)

    def flush(self) -> None:
        with _explained():
            self._stream.flush()


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:  # the reader has read enough: no error
        raise
    except OSError as error:
        raise CannotPrint(error) from error


@contextmanager
def usable_streams() -> Iterator[None]:
    """Open the standard streams that the caller has closed on the null device.

    Otherwise the next file that the program opens would get the number of a standard stream, and
    child processes would write into it. Names of files may have bytes that are not UTF-8; they are
    written as escapes.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # it gets the lowest free number
    before = sys.stdout
    stream = before or open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - not a path
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - as above
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
    sys.stdout = cast("TextIO", _Output(stream))
    try:
        yield
    finally:
        sys.stdout = before


def discard_stdout() -> None:
    """Write the rest of the output to the null device, so that the exit of Python does not fail."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
