"""Where an SDK is brought from: options of every command that takes one."""

import argparse
import sys
from pathlib import Path

from factory.cli.settings import Settings
from factory.sdk.pip import Pip, Sources
from factory.system.process import Runner, SubprocessRunner


def add_sources(parser: argparse.ArgumentParser) -> None:
    """Add pip's options for local directories."""
    parser.add_argument(
        "--find-links",
        action="append",
        type=Path,
        default=[],
        metavar="DIR",
        help="let pip look in this directory, too; may be repeated",
    )
    parser.add_argument("--no-index", action="store_true", help="let pip look nowhere else")


def this_pip(arguments: argparse.Namespace, runner: Runner | None = None) -> Pip:
    """Return this interpreter's pip, with its user's own configuration and what the options add."""
    return Pip(
        python=Path(sys.executable),
        env=Settings.from_environ().environ,
        runner=runner or SubprocessRunner(),
        sources=Sources(find_links=tuple(arguments.find_links), is_local=arguments.no_index),
    )
