"""The command line: parse, call, render, exit.

Only this package prints and reads environment variables.
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
EXIT_BROKEN_PIPE = 141
EXIT_TERMINATED = 143


class _Terminated(KeyboardInterrupt):
    """SIGTERM arrived: clean up as after Ctrl-C."""


@contextmanager
def _sigterm_interrupts() -> Iterator[None]:
    """Let SIGTERM, with which CI systems end a job, unwind the program instead of killing it."""

    def interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
        raise _Terminated

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    This is the only place that catches errors: a `FactoryError` is printed with its hint,
    anything else is a bug and shows its traceback.
    """
    words = sys.argv[1:] if argv is None else argv
    if not words:
        make_parser("").print_help(sys.stderr)
        return EXIT_NO_COMMAND
    command = next((word for word in words if not word.startswith("-")), "")
    arguments = make_parser(command).parse_args(words)
    # sigstore warns about working offline, which is how it is used here.
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
        print("factory: ended by SIGTERM; run the same command again to continue", file=sys.stderr)
        return EXIT_TERMINATED
    except KeyboardInterrupt:
        print("factory: interrupted; run the same command again to continue", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:  # the reader has closed the pipe: head, less
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_BROKEN_PIPE
    return status
