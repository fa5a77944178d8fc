"""Run the command line as ``python -m factory``."""

import sys
from types import TracebackType


def run() -> int:
    """Run the command line; before and after it, Ctrl-C ends the process without a traceback."""
    sys.excepthook = _without_interrupts
    _let_sigint_end_the_process()
    from factory.cli import main  # noqa: PLC0415 - importing takes most of the time of a short command

    try:
        return main()
    finally:
        _let_sigint_end_the_process()


def _without_interrupts(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    """Print a traceback, but not of Ctrl-C: Python then ends with the status of the signal."""
    if not issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, traceback)


def _let_sigint_end_the_process() -> None:
    """Use the default action of SIGINT, unless the caller has chosen to ignore it."""
    import signal  # noqa: PLC0415 - imported with Ctrl-C already handled

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


if __name__ == "__main__":
    sys.exit(run())
