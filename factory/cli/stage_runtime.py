"""``factory stage-runtime``: upstream's staging command, for any platform on any machine."""

import argparse
from pathlib import Path

from factory.build.recipe import our_recipe
from factory.build.stage import StageRequest, stage
from factory.build.template import bundled_template
from factory.cli.console import print_json, say
from factory.cli.formats import Format, add_format_options
from factory.cli.options import add_release_options, named_release
from factory.core.errors import EXIT_OK
from factory.core.targets import Platform, platforms_of_target
from factory.release.payload import PackageSource
from factory.release.payload.named_target import named_target
from factory.verify.baseline.complete_payload import require_complete
from factory.verify.baseline.executables_file import bundled_executables

EPILOG = """\
examples:
  factory stage-runtime stage/ codex-package-x86_64-unknown-linux-musl.tar.gz \\
      --codex-version rust-v0.163.0 --platform-tag manylinux_2_17_x86_64
  python -m build --wheel stage/
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "directory", metavar="DIR", type=Path, help="directory to write; an earlier stage is replaced"
    )
    parser.add_argument(
        "source",
        metavar="SOURCE",
        type=Path,
        help="a release package, its unpacked directory, or a codex executable",
    )
    add_release_options(parser)
    parser.add_argument(
        "--platform",
        "--platform-tag",  # upstream's name
        dest="platform_tag",
        metavar="TAG",
        help="platform of the wheel (default: the first of the package's target in 'factory show platforms')",
    )
    add_format_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    tag = named_release(arguments)
    platform = _platform(arguments)
    request = StageRequest(
        destination=arguments.directory,
        tag=tag,
        recipe=our_recipe(platform, template=bundled_template()),
    )
    staged = stage(
        PackageSource.at(arguments.source),
        request,
        require=lambda payload: require_complete(payload, tag, bundled_executables()),
    )
    if arguments.format == Format.JSON:
        print_json({"path": str(staged.path), "version": tag.pep440, "platform": platform.tag})
    else:
        say(f"staged {tag.pep440} for {platform} in {staged.path}")
        say(f"build it with: python -m build --wheel {staged.path}")
    return EXIT_OK


def _platform(arguments: argparse.Namespace) -> Platform:
    if arguments.platform_tag is not None:
        return Platform.parse(arguments.platform_tag)
    return platforms_of_target(named_target(arguments.source))[0]
