"""``factory show check``: explain checks."""

import argparse
import shutil
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import asdict

from factory.cli.console import print_json
from factory.cli.formats import Format, add_format_options
from factory.core.errors import EXIT_OK
from factory.verify.catalogue import CheckDescription, entry

EPILOG = """\
examples:
  factory show check elf-glibc-floor
  factory show check elf-musl elf-policy
  factory show check macho-minimum-macos --format json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("checks", metavar="ID", nargs="+", help="ID of a check; see 'factory show checks'")
    add_format_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    found = [entry(one) for one in arguments.checks]
    if arguments.format == Format.JSON:
        described = [asdict(one) for one in found]
        print_json(described[0] if len(described) == 1 else described)
    else:
        explain(found)
    return EXIT_OK


def explain(checks: Sequence[CheckDescription]) -> None:
    """Print an explanation of each check, with an empty line between two."""
    for number, found in enumerate(checks):
        if number:
            print()
        _explain(found)


def _explain(found: CheckDescription) -> None:
    waiver = f"--allow '{found.id}:PATTERN=REASON'"
    for heading, text in (
        (found.id, f"{found.title}."),
        ("severity", found.severity.value),
        ("scope", found.scope.value),
        ("protects", found.protects),
        ("standard", found.standard),
        ("remedy", found.remedy),
        ("waiver", waiver if found.is_waivable else "not possible: the wheel was not fully checked"),
    ):
        print(_folded(f"{heading}: {text}"))


def _folded(line: str) -> str:
    """Fold a line at words on a terminal; a pipe gets it whole."""
    if not sys.stdout.isatty():
        return line
    width = shutil.get_terminal_size().columns
    return textwrap.fill(line, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
