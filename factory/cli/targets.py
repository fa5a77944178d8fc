"""``factory targets``: the platform table."""

import argparse

from factory.cli.command import Commands, add_command
from factory.cli.console import Column, print_json, print_table
from factory.core.targets import PLATFORMS


def register(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "targets",
        summary="list the platforms, the targets that feed them, and why each tag is honest",
        examples=("factory targets", "factory targets --json"),
        run=_run,
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def _run(arguments: argparse.Namespace) -> int:
    if arguments.json:
        print_json(
            [
                {
                    "platform": platform.tag,
                    "target": platform.target.value,
                    "npm_suffix": platform.target.npm_suffix,
                    "reason": platform.reason,
                }
                for platform in PLATFORMS
            ]
        )
        return 0
    print_table(
        (Column(heading="platform"), Column(heading="target"), Column(heading="npm"), Column(heading="why")),
        [
            (platform.tag, platform.target.value, platform.target.npm_suffix, platform.reason)
            for platform in PLATFORMS
        ],
    )
    return 0
