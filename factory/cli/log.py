"""The options ``-q``, ``-v`` and ``--log-file``: how much a command says, and where it is kept.

Messages go through the logger ``factory``. The rooms log what they ask servers and which processes
they start, at the level DEBUG, and never credentials: an address is logged without its user name,
password and query.
"""

import argparse
import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LOGGER = "factory"
ENDING = "factory.ending"
"""How the command ended, for the log file only: the terminal shows it in another form."""


def add_log_options(parser: argparse.ArgumentParser) -> None:
    """Add the options; a value before the name of the command is kept."""
    group = parser.add_argument_group("output options")
    amount = group.add_mutually_exclusive_group()
    amount.add_argument(
        "-q",
        "--quiet",
        action="store_true",
        default=argparse.SUPPRESS,
        help="print no progress and no messages, only results and errors",
    )
    amount.add_argument(
        "-v",
        "--verbose",
        action="store_true",
        default=argparse.SUPPRESS,
        help="also print each request and each process",
    )
    group.add_argument(
        "--log-file",
        type=Path,
        metavar="FILE",
        default=argparse.SUPPRESS,
        help="append all messages to this file, with the time",
    )


@contextmanager
def logging_to(arguments: argparse.Namespace) -> Iterator[None]:
    """Let messages go where the options say, until the context ends.

    Raises:
        CannotWrite: The log file cannot be written.
    """
    logger = logging.getLogger(LOGGER)
    is_quiet = getattr(arguments, "quiet", False)
    handlers: list[logging.Handler] = [_StderrHandler(logging.WARNING if is_quiet else logging.INFO)]
    if getattr(arguments, "verbose", False):
        handlers[0].setLevel(logging.DEBUG)
    path = getattr(arguments, "log_file", None)
    if path is not None:
        handlers.append(_file_handler(path))
    before = logger.level, logger.propagate
    logger.setLevel(min(handler.level for handler in handlers))
    logger.propagate = False
    for handler in handlers:
        logger.addHandler(handler)
    try:
        yield
    finally:
        for handler in handlers:
            logger.removeHandler(handler)
            handler.close()
        logger.setLevel(before[0])
        logger.propagate = before[1]


class _StderrHandler(logging.Handler):
    """Prints the messages as they are; `sys.stderr` may be replaced while the program runs."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.name != ENDING:
            with suppress(OSError):  # a full disk there does not end the work
                print(record.getMessage(), file=sys.stderr)


def _file_handler(path: Path) -> logging.Handler:
    from factory.system.files import writing  # noqa: PLC0415 - most runs have no log file

    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(path, encoding="utf-8")
    formatter = logging.Formatter("%(asctime)s.%(msecs)03dZ %(levelname)-7s %(message)s", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    handler.setLevel(logging.DEBUG)
    return handler
