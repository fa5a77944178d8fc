"""The option that makes proved authorship a gate."""

import argparse


def add_authorship_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--require-authorship``; `Requirement.parse` reads its text."""
    parser.add_argument(
        "--require-authorship",
        metavar="PLATFORMS",
        default="",
        help="fail unless the author of every executable of these platforms is proved: platform tags, or"
        " linux, macos, windows, all; with commas",
    )
