"""Add a command to the parser, with its help and its examples."""

import argparse
from collections.abc import Callable
from typing import TypeAlias

from factory.cli.log import add_log_options

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001
"""The return type of ``add_subparsers``; argparse has no public name for it."""


def add_command(commands: Commands, name: str, *, summary: str) -> argparse.ArgumentParser:
    """Add a command and return its parser, which has no options yet."""
    parser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_log_options(parser)
    return parser


def finish_command(
    parser: argparse.ArgumentParser, *, epilog: str, run: Callable[[argparse.Namespace], int]
) -> None:
    """Set the text below a command's options, and the function that runs the command."""
    parser.epilog = epilog
    parser.set_defaults(command=run)
