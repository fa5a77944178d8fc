"""``factory stage-runtime``: upstream's command line for staging, for any platform on any host."""

import argparse
from pathlib import Path

from factory.build.recipe import our_recipe
from factory.build.stage import StageRequest, stage
from factory.build.template import bundled_template
from factory.cli.command import Commands, add_command
from factory.cli.console import print_json, say
from factory.core.errors import EXIT_OK, UsageError
from factory.core.tags import CodexTag
from factory.core.targets import Platform
from factory.release.payload import PackageSource


class DisagreeingVersions(UsageError):
    """Two options name the release differently."""

    hint = "Give only --codex-version; --runtime-version is its older name."

    def __init__(self, codex: CodexTag, runtime: CodexTag) -> None:
        super().__init__(f"--codex-version says {codex.pep440}, --runtime-version {runtime.pep440}")


def register(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "stage-runtime",
        summary="stage a runtime: a directory that any front end builds into one wheel",
        examples=(
            "factory stage-runtime stage/ codex-package-x86_64-unknown-linux-musl.tar.gz \\",
            "    --codex-version rust-v0.163.0 --platform-tag manylinux_2_17_x86_64",
            "python -m build --wheel stage/",
        ),
        run=_run,
    )
    parser.add_argument(
        "directory", metavar="DIR", type=Path, help="where to stage; an earlier stage is replaced"
    )
    parser.add_argument(
        "source",
        metavar="SOURCE",
        type=Path,
        help="a release package, its directory, or one codex executable",
    )
    add_release_options(parser)
    parser.add_argument(
        "--platform-tag", metavar="TAG", required=True, help="the wheel's platform; see 'factory targets'"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def _run(arguments: argparse.Namespace) -> int:
    platform = Platform.parse(arguments.platform_tag)
    tag = named_release(arguments)
    request = StageRequest(
        destination=arguments.directory, recipe=our_recipe(platform, template=bundled_template())
    )
    staged = stage(PackageSource.at(arguments.source), request, tag=tag)
    if arguments.json:
        print_json({"path": str(staged.path), "version": tag.pep440, "platform": platform.tag})
    else:
        say(f"staged {tag.pep440} for {platform} in {staged.path}")
        say(f"build it: python -m build --wheel {staged.path}")
    return EXIT_OK


def add_release_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that `named_release` reads: upstream's, under both of their names."""
    parser.add_argument("--codex-version", metavar="TAG", help="the runtime's release, in any spelling")
    parser.add_argument("--runtime-version", metavar="TAG", help="the older name of --codex-version")


def named_release(arguments: argparse.Namespace) -> CodexTag:
    """Return the release that ``--codex-version``, or its older name, says.

    Raises:
        DisagreeingVersions: Both are given, and differ.
        UsageError: Neither is.
    """
    texts = [text for text in (arguments.codex_version, arguments.runtime_version) if text is not None]
    if not texts:
        raise UsageError("the release is not named", hint="Give --codex-version rust-v0.163.0.")
    tags = [CodexTag.parse(text) for text in texts]
    if tags[0] != tags[-1]:
        raise DisagreeingVersions(tags[0], tags[-1])
    return tags[0]
