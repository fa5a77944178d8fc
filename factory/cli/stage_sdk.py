"""``factory stage-sdk``: upstream's command line for staging an SDK, with a gate before the pin."""

import argparse
import tempfile
from pathlib import Path

from factory.cli.command import Commands, add_command
from factory.cli.console import print_json, say
from factory.cli.pin import add_terms, terms_of
from factory.cli.sdk_options import add_sources, this_pip
from factory.cli.stage import add_release_options, named_release
from factory.core.errors import EXIT_OK, UsageError
from factory.core.tags import CodexTag


class ManifestOfAnotherRelease(UsageError):
    """The manifest proves another release than the SDK shall pin."""

    hint = "Give the manifest of that release, or leave --codex-version to it."

    def __init__(self, asked: CodexTag, proven: CodexTag) -> None:
        super().__init__(f"the manifest proves {proven}, where {asked} was asked for")


def register(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "stage-sdk",
        summary="stage an SDK that pins one runtime: a project that its own backend builds",
        examples=(
            "factory stage-sdk sdk/ --sdk-source checkout/sdk/python --codex-version rust-v0.163.0 \\",
            "    --manifest dist/0.163.0",
            "factory stage-sdk sdk/ --sdk-source openai_codex-0.163.0.tar.gz --codex-version 0.163.0",
            "factory stage-sdk sdk/ --sdk-source openai-codex==0.163.0 --codex-version 0.164.0",
            "python -m build sdk/",
        ),
        run=_run,
    )
    parser.add_argument(
        "directory", metavar="DIR", type=Path, help="where to stage; an earlier stage is replaced"
    )
    parser.add_argument(
        "--sdk-source",
        metavar="PATH|REQUIREMENT",
        required=True,
        help="the SDK's checkout, sdist or wheel, or an exact version of it that pip brings",
    )
    add_release_options(parser)
    parser.add_argument(
        "--sdk-version", metavar="VERSION", help="the SDK's own version (default: the runtime's)"
    )
    parser.add_argument(
        "--manifest",
        metavar="MANIFEST",
        type=Path,
        help="pin only what this manifest proves, as 'factory pin' does",
    )
    add_terms(parser)
    add_sources(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def _run(arguments: argparse.Namespace) -> int:
    # Slow, and other commands need none of it.
    from factory.sdk.pip import fetch_sdk  # noqa: PLC0415
    from factory.sdk.staged_sdk import SdkOrder, stage_sdk  # noqa: PLC0415

    tag = named_release(arguments)
    if arguments.manifest is not None:
        _require_proof(arguments, tag)
    with tempfile.TemporaryDirectory(prefix="factory-sdk-") as scratch:
        staged = stage_sdk(
            SdkOrder(
                source=fetch_sdk(arguments.sdk_source, pip=this_pip(arguments), scratch=Path(scratch)),
                destination=arguments.directory,
                runtime=tag,
                version=arguments.sdk_version or tag.pep440,
            )
        )
    if arguments.json:
        print_json(
            {
                "path": str(staged.path),
                "name": staged.name,
                "version": staged.version,
                "requirement": staged.requirement,
            }
        )
    else:
        say(f"staged {staged.name} {staged.version} with {staged.requirement} in {staged.path}")
        say(f"build it: python -m build {staged.path}")
    return EXIT_OK


def _require_proof(arguments: argparse.Namespace, tag: CodexTag) -> None:
    from factory.verify.proof import prove  # noqa: PLC0415 - it imports every check

    proven = prove(arguments.manifest, terms_of(arguments))
    if proven.manifest.tag != tag:
        raise ManifestOfAnotherRelease(tag, proven.manifest.tag)
