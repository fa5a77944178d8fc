"""``factory trust``: who made the executables, as far as their own bytes prove it."""

import argparse
from pathlib import Path

from factory.cli.authorship_option import add_authorship_option
from factory.cli.command import Commands, add_command, positive


def register(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "trust",
        summary="say of every executable how much is known of who made it",
        examples=(
            "factory trust dist/0.163.0",
            "factory trust openai_codex_cli_bin-0.163.0-py3-none-win_amd64.whl --json",
            "factory trust codex.exe",
            "factory trust codex --bundle codex-x86_64-unknown-linux-musl.sigstore",
            "factory trust wheels/ --require-authorship macos,windows",
        ),
        run=_run,
    )
    parser.add_argument(
        "paths",
        nargs="+",
        type=Path,
        metavar="PATH",
        help="a wheel, an executable, a manifest.json, or a directory of these",
    )
    parser.add_argument("--json", action="store_true", help="print JSON (docs/trust.schema.json)")
    parser.add_argument(
        "--jobs", type=positive, metavar="N", help="how many files at once (default: all cores)"
    )
    parser.add_argument(
        "--bundle",
        type=Path,
        metavar="FILE",
        help="the sigstore bundle that was released beside the one executable that is named",
    )
    add_authorship_option(parser)


def _run(arguments: argparse.Namespace) -> int:
    from factory.cli.trust_run import run_trust  # noqa: PLC0415 - cryptography; other commands need none

    return run_trust(arguments)
