"""``factory sdk model-server``: a model on the loopback address, to try an SDK without an account."""

import argparse
import threading
from pathlib import Path

from factory.cli.console import say
from factory.core.errors import EXIT_OK, UsageError
from factory.sdk.model_server import Echo, model_server
from factory.system.files import writing

EPILOG = """\
examples:
  factory sdk model-server codex-home
  CODEX_HOME=$PWD/codex-home codex exec --skip-git-repo-check "Repeat this."
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "directory", metavar="DIR", type=Path, help="new CODEX_HOME directory that names the server"
    )


def run(arguments: argparse.Namespace) -> int:
    """Serve until the process is interrupted."""
    directory: Path = arguments.directory
    if directory.exists():
        raise UsageError(
            f"{directory} exists already, and its config.toml could be yours",
            hint="Name a directory that does not exist; remove one of an earlier server yourself.",
        )
    with model_server([Echo()]) as server:
        with writing(directory):
            server.configure(directory)
        say(f"the model at {server.address} repeats what it is asked; CODEX_HOME={directory.absolute()}")
        threading.Event().wait()
    return EXIT_OK
