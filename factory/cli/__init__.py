"""The command line: parse, call, render, exit.

The only code that prints, and the only code that reads environment variables.
"""

import logging
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from factory.cli.parser import make_parser
from factory.core.errors import FactoryError

EXIT_NO_COMMAND = 2
EXIT_INTERRUPTED = 130
EXIT_UNREAD = 141
EXIT_TERMINATED = 143


class _Terminated(KeyboardInterrupt):
    """SIGTERM came: clean up as after Ctrl-C."""


@contextmanager
def _sigterm_interrupts() -> Iterator[None]:
    """Let SIGTERM, how CI engines end a job, unwind the program instead of killing it on the spot."""

    def interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
        raise _Terminated

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    This is the program's one error boundary: a `FactoryError` becomes a sentence
    and a hint, anything else is a bug and shows its traceback.
    """
    words = sys.argv[1:] if argv is None else argv
    parser = make_parser()
    if not words:
        parser.print_help(sys.stderr)
        return EXIT_NO_COMMAND
    arguments = parser.parse_args(words)
    # It warns that it works offline, which is how it is asked to work.
    logging.getLogger("sigstore").setLevel(logging.ERROR)
    try:
        with _sigterm_interrupts():
            status: int = arguments.command(arguments)
        sys.stdout.flush()
    except FactoryError as error:
        print(f"factory: {error}", file=sys.stderr)
        if error.hint:
            print(f"hint: {error.hint}", file=sys.stderr)
        return error.exit_code
    except _Terminated:
        print("factory: ended by SIGTERM; run the same command again to go on", file=sys.stderr)
        return EXIT_TERMINATED
    except KeyboardInterrupt:
        print("factory: interrupted; run the same command again to go on", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:  # the reader has seen enough: head, less
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_UNREAD
    return status
