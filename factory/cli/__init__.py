"""The command line: parse, call, render, exit.

The only code that prints, and the only code that reads environment variables.
"""

import os
import sys
from collections.abc import Sequence

from factory.cli.parser import make_parser
from factory.errors import FactoryError

EXIT_NO_COMMAND = 2
EXIT_INTERRUPTED = 130
EXIT_UNREAD = 141


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
    try:
        status: int = arguments.command(arguments)
        sys.stdout.flush()
    except FactoryError as error:
        print(f"factory: {error}", file=sys.stderr)
        if error.hint:
            print(f"hint: {error.hint}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("factory: interrupted; run the same command again to go on", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:  # the reader has seen enough: head, less
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_UNREAD
    return status
