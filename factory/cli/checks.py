"""``factory show checks``: list the checks."""

import argparse
from dataclasses import asdict

from factory.cli.console import Column
from factory.cli.formats import Format, add_format_options, show_table
from factory.core.errors import EXIT_OK
from factory.verify.catalogue import catalogue

EPILOG = """\
examples:
  factory show checks
  factory show checks --format json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_format_options(parser, Format.MARKDOWN)


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    entries = catalogue()
    show_table(
        arguments,
        tuple(Column(heading=heading) for heading in ("check", "severity", "scope", "requirement")),
        [(entry.id, entry.severity.value, entry.scope.value, entry.title) for entry in entries],
        document=lambda: [asdict(entry) for entry in entries],
    )
    return EXIT_OK
