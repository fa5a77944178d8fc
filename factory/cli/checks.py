"""``factory show checks``: list the checks, or explain some."""

import argparse
from dataclasses import asdict

from factory.cli.console import Column
from factory.cli.explain import explain
from factory.cli.formats import Format, add_format_options, show_table
from factory.core.errors import EXIT_OK
from factory.verify.catalogue import catalogue, entry

EPILOG = """\
examples:
  factory show checks
  factory show checks elf-musl
  factory show checks --format json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("checks", metavar="ID", nargs="*", help="explain these checks (default: list all)")
    add_format_options(parser, Format.MARKDOWN)


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    entries = [entry(one) for one in arguments.checks] or catalogue()
    if arguments.checks and arguments.format == Format.TABLE:
        explain(entries)
        return EXIT_OK
    show_table(
        arguments,
        tuple(Column(heading=heading) for heading in ("check", "severity", "scope", "requirement")),
        [(one.id, one.severity.value, one.scope.value, one.title) for one in entries],
        document=lambda: [asdict(one) for one in entries],
    )
    return EXIT_OK
