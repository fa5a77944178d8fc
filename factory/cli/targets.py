"""``factory targets``: list the supported platforms."""

import argparse

from factory.cli.console import Column, print_json
from factory.cli.display import print_table
from factory.core.errors import EXIT_OK
from factory.core.targets import PLATFORMS

EPILOG = """\
examples:
  factory targets
  factory targets --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    rows = [
        (platform.tag, platform.target.value, platform.target.npm_suffix, platform.reason)
        for platform in PLATFORMS
    ]
    if arguments.json:
        keys = ("platform", "target", "npm_suffix", "reason")
        print_json([dict(zip(keys, row, strict=True)) for row in rows])
    else:
        print_table([Column(heading=heading) for heading in ("platform", "target", "npm", "reason")], rows)
    return EXIT_OK
