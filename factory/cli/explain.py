"""``factory explain``: explain one check."""

import argparse
from dataclasses import asdict

from factory.cli.console import print_json
from factory.core.errors import EXIT_OK
from factory.verify.catalogue import entry

EPILOG = """\
examples:
  factory explain elf-glibc-floor
  factory explain macho-minimum-macos --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("check", metavar="ID", help="ID of the check; see 'factory checks'")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    found = entry(arguments.check)
    if arguments.json:
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
