"""The command line: parse, call, render, exit.

The only code that prints, and the only code that reads environment variables.
"""

import sys
from collections.abc import Sequence

from factory.cli.parser import make_parser
from factory.errors import FactoryError

EXIT_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    This is the program's one error boundary: a `FactoryError` becomes a sentence
    and a hint, anything else is a bug and shows its traceback.
    """
    arguments = make_parser().parse_args(argv)
    try:
        status: int = arguments.command(arguments)
    except FactoryError as error:
        print(f"factory: {error}", file=sys.stderr)
        if error.hint:
            print(f"hint: {error.hint}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("factory: interrupted; run the same command again to go on", file=sys.stderr)
        return EXIT_INTERRUPTED
    return status
