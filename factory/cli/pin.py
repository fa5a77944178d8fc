"""``factory pin``: the exact requirement that a manifest justifies."""

import argparse
from pathlib import Path

from factory.cli.command import Commands, add_command
from factory.cli.console import print_json
from factory.errors import EXIT_OK
from factory.targets import Platform


def register(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "pin",
        summary="print the exact requirement, with hashes, that a manifest justifies",
        examples=(
            "factory pin dist/0.163.0",
            "factory pin dist/0.163.0/manifest.json --format requirements > requirements-codex.txt",
            "factory pin dist/0.163.0 --format pylock > dist/0.163.0/pylock.toml",
            "factory pin dist/0.144.4 --without win_arm64",
        ),
        run=_run,
    )
    parser.add_argument(
        "manifest", type=Path, metavar="MANIFEST", help="a manifest.json, or the directory that has it"
    )
    parser.add_argument(
        "--format",
        choices=("requirement", "requirements", "pylock", "commands"),
        help="print this form alone (default: all of them, each under its name)",
    )
    add_terms(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def add_terms(parser: argparse.ArgumentParser) -> None:
    """Add what may be short of the whole."""
    parser.add_argument(
        "--accept-waivers", action="store_true", help="accept error findings that a waiver accepts"
    )
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        metavar="PLATFORM",
        help="accept that this platform's wheel is missing; may be repeated",
    )


def _run(arguments: argparse.Namespace) -> int:
    # The proof imports every check, which other commands need none of.
    from factory.sdk.pin import PinFormat, render_pin, requirement  # noqa: PLC0415
    from factory.sdk.proof import Terms, prove  # noqa: PLC0415

    terms = Terms(
        accepts_waivers=arguments.accept_waivers,
        without=tuple(Platform.parse(text) for text in arguments.without),
    )
    proven = prove(arguments.manifest, terms)
    if arguments.json:
        print_json(
            {
                "requirement": requirement(proven),
                "tag": str(proven.manifest.tag),
                "wheels": [
                    {"name": wheel.name, "sha256": str(wheel.sha256), "size_bytes": wheel.size_bytes}
                    for wheel in proven.wheels
                ],
            }
        )
    elif arguments.format is not None:
        print(render_pin(proven, PinFormat(arguments.format)), end="")
    else:
        print("\n".join(f"# {form}\n{render_pin(proven, form)}" for form in PinFormat), end="")
    return EXIT_OK
