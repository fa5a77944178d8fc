"""The optional parts of this program, which an installer leaves out unless the user asks for them.

Without a part, no question gets a milder answer: what needs the part is not decided (exit status
11), or cannot be done on this machine (25), and the hint has the command that installs it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

from factory.core.errors import EXIT_INCONCLUSIVE, FactoryError, HostError

DISTRIBUTION = "codex-wheel-factory"


class Extra(StrEnum):
    """The extras of this distribution, as in ``pyproject.toml``."""

    DOCKER = "docker"
    REPORT = "report"
    SIGN = "sign"


class NotDecided(FactoryError):
    """A question cannot be answered here, since a part of this program is not installed."""

    exit_code = EXIT_INCONCLUSIVE


@contextmanager
def needs(extra: Extra, what: str) -> Iterator[None]:
    """Import what a question needs, in this context.

    Raises:
        NotDecided: The extra is not installed.
    """
    with _explained(extra, what, NotDecided):
        yield


@contextmanager
def needs_to_work(extra: Extra, what: str) -> Iterator[None]:
    """Import what an action needs, in this context.

    Raises:
        HostError: The extra is not installed.
    """
    with _explained(extra, what, HostError):
        yield


@contextmanager
def _explained(extra: Extra, what: str, error: type[FactoryError]) -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as missing:
        raise error(
            f"{what} needs the Python package {missing.name}, which is not installed",
            hint=f"Install it: python -m pip install '{DISTRIBUTION}[{extra}]'",
        ) from missing
