"""``factory merge``: one release directory of what several machines made."""

import argparse
from pathlib import Path

from factory.cli.command import Commands, add_command
from factory.cli.console import Column, human_size, print_json, print_table, shown_progress
from factory.core.errors import EXIT_OK
from factory.manifest.dist import Dist


def register(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "merge",
        summary="make one release directory of what several machines made, as if one had made it all",
        examples=(
            "factory merge parts/*/0.163.0",
            "factory merge linux/manifest.json windows/manifest.json --out release/",
        ),
        run=_run,
    )
    parser.add_argument(
        "manifests",
        nargs="+",
        type=Path,
        metavar="MANIFEST",
        help="a manifest.json with its wheels beside it, or the directory that has it",
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="the release's directory (default: dist/<version>)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON: the manifest")


def _run(arguments: argparse.Namespace) -> int:
    from factory.ci.merge import merge  # noqa: PLC0415 - it imports every check, which other commands need none of

    with shown_progress() as progress:
        release = merge(arguments.manifests, progress)
        manifest = release.manifest
        dist = Dist(directory=arguments.out or Path("dist", manifest.tag.pep440))
        release.write(dist)
    if arguments.json:
        print_json(manifest.to_json())
        return EXIT_OK
    print_table(
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
        title=str(dist.directory),
    )
    return EXIT_OK
