"""The option that names the builder image, for commands that build."""

import argparse
from dataclasses import replace

from factory.cli.settings import Settings


def add_image_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--image``."""
    parser.add_argument(
        "--image",
        metavar="REF",
        help="the builder image: a name, NAME@sha256:... or an id (default: codex-wheel-factory:local)",
    )


def settings_with_image(arguments: argparse.Namespace) -> Settings:
    """Read the environment's settings; the option goes before the environment."""
    settings = Settings.from_environ()
    return settings if arguments.image is None else replace(settings, image=arguments.image)
