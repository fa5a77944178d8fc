"""``factory pin``: the exact requirement that a manifest justifies."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from factory.cli.command import Commands, add_command
from factory.cli.console import print_json, say
from factory.core.codec import to_plain
from factory.core.errors import EXIT_OK
from factory.core.targets import Platform

if TYPE_CHECKING:
    from factory.verify.proof import ProvenManifest, Terms


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
    parser.add_argument(
        "--require-acceptance",
        action="store_true",
        help="ask that some wheel was accepted whole with an SDK ('factory accept')",
    )


def terms_of(arguments: argparse.Namespace) -> "Terms":
    """Return what was said with the options that `add_terms` adds."""
    from factory.verify.proof import Terms  # noqa: PLC0415 - it imports every check

    return Terms(
        accepts_waivers=arguments.accept_waivers,
        without=tuple(Platform.parse(text) for text in arguments.without),
        needs_acceptance=arguments.require_acceptance,
    )


def _run(arguments: argparse.Namespace) -> int:
    # The proof imports every check, which other commands need none of.
    from factory.sdk.pin import PinFormat, render_pin, requirement  # noqa: PLC0415
    from factory.verify.proof import prove  # noqa: PLC0415

    proven = prove(arguments.manifest, terms_of(arguments))
    _tell_acceptance(proven)
    if arguments.json:
        print_json(
            {
                "requirement": requirement(proven),
                "tag": str(proven.manifest.tag),
                "wheels": [
                    {
                        "name": wheel.name,
                        "sha256": str(wheel.sha256),
                        "size_bytes": wheel.size_bytes,
                        "acceptance": to_plain(wheel.acceptance),
                    }
                    for wheel in proven.wheels
                ],
            }
        )
    elif arguments.format is not None:
        print(render_pin(proven, PinFormat(arguments.format)), end="")
    else:
        print("\n".join(f"# {form}\n{render_pin(proven, form)}" for form in PinFormat), end="")
    return EXIT_OK


def _tell_acceptance(proven: "ProvenManifest") -> None:
    """Say on stderr what the pin rests on besides the checks; what was not tried is told, too."""
    tried = [(wheel.platform, wheel.acceptance) for wheel in proven.wheels if wheel.acceptance is not None]
    for platform, acceptance in tried:
        say(f"{platform} with {acceptance.summary}")
    untried = len(proven.wheels) - len(tried)
    if untried:
        say(f"{untried} of {len(proven.wheels)} wheels were not tried with an SDK ('factory accept')")
