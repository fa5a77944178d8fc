"""The command line: parse, call, render, exit.

Only this package prints and reads environment variables.
"""

import argparse
import logging
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

from factory.cli.log import ENDING, logging_to
from factory.cli.parser import EXIT_NO_COMMAND, make_parser, short_help
from factory.cli.streams import CannotPrint, discard_stdout, usable_streams
from factory.core.errors import FactoryError, UsageError

EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141
EXIT_TERMINATED = 143


class _Terminated(KeyboardInterrupt):
    """SIGTERM arrived: clean up as after Ctrl-C."""


@contextmanager
def _signals_interrupt() -> Iterator[None]:
    """Let SIGINT, and SIGTERM, with which CI systems end a job, unwind the program.

    A second signal of the same kind ends the process at once. An ignored signal stays ignored.
    """

    def interrupt(number: int, _frame: FrameType | None) -> NoReturn:
        signal.signal(number, signal.SIG_DFL)
        raise _Terminated if number == signal.SIGTERM else KeyboardInterrupt

    caught = [
        number for number in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(number) != signal.SIG_IGN
    ]
    before = {number: signal.signal(number, interrupt) for number in caught}
    try:
        yield
    finally:
        for number, action in before.items():
            signal.signal(number, action)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    This is the only place that catches errors: a `FactoryError` is printed with its hint, and so
    is a full or broken disk, wherever it was noticed. Anything else is a bug and shows its traceback.
    """
    try:
        with _signals_interrupt(), usable_streams():
            return _status_of(sys.argv[1:] if argv is None else argv)
    except _Terminated:
        return _say("ended by SIGTERM; run the same command again to continue", EXIT_TERMINATED)
    except KeyboardInterrupt:
        return _say("interrupted; run the same command again to continue", EXIT_INTERRUPTED)


def _status_of(words: Sequence[str]) -> int:
    try:
        status = _run(words)
        sys.stdout.flush()
    except CannotPrint as error:
        discard_stdout()
        return _report(error)
    except FactoryError as error:
        return _report(error)
    except BrokenPipeError:  # the reader has closed the pipe: head, less
        discard_stdout()
        return EXIT_BROKEN_PIPE
    except OSError as error:
        return _report(_explained(error))
    return status


def _run(words: Sequence[str]) -> int:
    if not words:
        print(short_help(), end="", file=sys.stderr)
        return EXIT_NO_COMMAND
    try:
        arguments = make_parser().parse_args(words)
    except SystemExit:  # after --help and --version, or an invalid option
        sys.stdout.flush()
        raise
    # sigstore warns about working offline, which is how it is used here.
    logging.getLogger("sigstore").setLevel(logging.ERROR)
    from factory.cli.formats import written_report  # noqa: PLC0415 - the help does not need it

    with logging_to(arguments):
        try:
            with written_report(getattr(arguments, "output", None)):
                status: int = arguments.command(arguments)
        except Exception as error:
            if isinstance(error, UsageError):
                _name_defaults(error, arguments)
            # Only for the log file: `_report` prints it, or Python its traceback.
            logging.getLogger(ENDING).debug("failed: %s", error, exc_info=not isinstance(error, FactoryError))
            raise
        logging.getLogger(ENDING).debug("exit status %d", status)
    return status


def _name_defaults(error: UsageError, arguments: argparse.Namespace) -> None:
    """Add to the hint which options came from a file, since an option there can contradict another one."""
    used: tuple[str, ...] = getattr(arguments, "defaults_used", ())
    if used:
        error.hint = f"{error.hint} Options from a file: {', '.join(used)}.".lstrip()


def _explained(error: OSError) -> FactoryError:
    """Return the error for a cause outside the program; any other one is a bug, and raised again."""
    from factory.system.files import unexpected  # noqa: PLC0415 - the help of a command does not need it

    failure = unexpected(error)
    if failure is None:
        raise error
    return failure


def _report(error: FactoryError) -> int:
    return _say(f"{error}\nhint: {error.hint}" if error.hint else str(error), error.exit_code)


def _say(message: str, status: int) -> int:
    with suppress(OSError):  # stderr is full or closed; the status still says what happened
        print(f"factory: {message}", file=sys.stderr)
    return status
