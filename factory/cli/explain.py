"""``factory show check``: explain one check."""

import argparse
from dataclasses import asdict

from factory.cli.console import print_json
from factory.cli.formats import Format, add_format_options
from factory.core.errors import EXIT_OK
from factory.verify.catalogue import entry

EPILOG = """\
examples:
  factory show check elf-glibc-floor
  factory show check macho-minimum-macos --format json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("check", metavar="ID", help="ID of the check; see 'factory show checks'")
    add_format_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    found = entry(arguments.check)
    if arguments.format == Format.JSON:
        print_json(asdict(found))
        return EXIT_OK
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
        print(f"{heading}: {text}")
    return EXIT_OK
