"""Run the command line as ``python -m factory``."""

import signal
import sys


def run() -> int:
    """Run the command line; before and after it, Ctrl-C ends the process without a traceback."""
    _let_sigint_end_the_process()
    from factory.cli import main  # noqa: PLC0415 - importing takes most of the time of a short command

    try:
        return main()
    finally:
        _let_sigint_end_the_process()


def _let_sigint_end_the_process() -> None:
    """Use the default action of SIGINT, unless the caller has chosen to ignore it."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


if __name__ == "__main__":
    sys.exit(run())
