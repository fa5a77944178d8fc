"""``factory show platforms``: list the supported platforms."""

import argparse

from factory.cli.console import Column
from factory.cli.formats import Format, add_format_options, show_table
from factory.core.errors import EXIT_OK
from factory.core.targets import PLATFORMS

EPILOG = """\
examples:
  factory show platforms
  factory show platforms --format json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_format_options(parser, Format.MARKDOWN)


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    rows = [
        (platform.tag, platform.target.value, platform.target.npm_suffix, platform.reason)
        for platform in PLATFORMS
    ]
    keys = ("platform", "target", "npm_suffix", "reason")
    show_table(
        arguments,
        [Column(heading=heading) for heading in ("platform", "target", "npm", "reason")],
        rows,
        document=lambda: [dict(zip(keys, row, strict=True)) for row in rows],
    )
    return EXIT_OK
