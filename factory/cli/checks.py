"""``factory checks``: list the checks."""

import argparse
from dataclasses import asdict

from factory.cli.console import Column, print_json
from factory.cli.display import print_table
from factory.core.errors import EXIT_OK
from factory.verify.catalogue import catalogue

EPILOG = """\
examples:
  factory checks
  factory checks --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    entries = catalogue()
    if arguments.json:
        print_json([asdict(entry) for entry in entries])
        return EXIT_OK
    print_table(
        tuple(Column(heading=heading) for heading in ("check", "severity", "scope", "requirement")),
        [(entry.id, entry.severity.value, entry.scope.value, entry.title) for entry in entries],
    )
    return EXIT_OK
