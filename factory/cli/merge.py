"""``factory ci merge``: merge wheels built on several machines into one release."""

import argparse
from pathlib import Path

from factory.ci.merge import merge
from factory.cli.console import Column, human_size
from factory.cli.display import shown_progress
from factory.cli.formats import Format, add_format_options, show_table
from factory.core.errors import EXIT_OK
from factory.manifest.dist import Dist

EPILOG = """\
examples:
  factory ci merge parts/*/0.163.0
  factory ci merge linux/manifest.json windows/manifest.json --out release/
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "manifests",
        nargs="+",
        type=Path,
        metavar="MANIFEST",
        help="a manifest.json with its wheels beside it, or its directory",
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="write the release to DIR (default: dist/<version>)"
    )
    add_format_options(parser, Format.MARKDOWN, json="the manifest")


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    with shown_progress() as progress:
        release = merge(arguments.manifests, progress)
        manifest = release.manifest
        dist = Dist(directory=arguments.out or Path("dist", manifest.tag.pep440))
        release.write(dist)
    show_table(
        arguments,
        (
            Column(heading="wheel", is_for_pipes=True),
            Column(heading="platform"),
            Column(heading="size", is_number=True),
            Column(heading="sha256", is_cut=True),
        ),
        [
            (wheel.name, wheel.platform, human_size(wheel.size_bytes), str(wheel.sha256))
            for wheel in manifest.wheels
        ],
        document=manifest.to_json,
        title=str(dist.directory),
    )
    return EXIT_OK
