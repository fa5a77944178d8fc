"""``factory stage-sdk``: upstream's staging command for the SDK, with a check of the pinned runtime."""

import argparse
import tempfile
from pathlib import Path

from factory.cli.console import print_json, say
from factory.cli.options import (
    add_pip_options,
    add_release_options,
    add_terms_options,
    named_release,
    terms_of,
    this_pip,
)
from factory.cli.own_sdk import add_own_sdk_options, require_no_own_sdk_options, stage_own
from factory.core.errors import EXIT_OK, UsageError
from factory.core.tags import CodexTag
from factory.sdk.pip import fetch_sdk
from factory.sdk.staged_sdk import SdkOrder, StagedSdk, stage_sdk
from factory.verify.proof import prove

EPILOG = """\
examples:
  factory stage-sdk sdk/ --sdk-source checkout/sdk/python \\
      --codex-version rust-v0.163.0 --manifest dist/0.163.0
  factory stage-sdk sdk/ --sdk-source openai_codex-0.163.0.tar.gz \\
      --codex-version 0.163.0
  factory stage-sdk sdk/ --sdk-source openai-codex==0.163.0 \\
      --codex-version 0.164.0
  factory stage-sdk sdk/ --codex-version 0.171.0
  python -m build sdk/
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "destination", metavar="DIR", type=Path, help="directory to write; an earlier stage is replaced"
    )
    parser.add_argument(
        "--sdk-source",
        metavar="PATH|REQUIREMENT",
        help="the SDK: a checkout, sdist or wheel, or an exact version for pip to download"
        " (default: an SDK that is generated from the release's schema)",
    )
    add_release_options(parser)
    parser.add_argument(
        "--sdk-version", metavar="VERSION", help="version of the SDK (default: that of the runtime)"
    )
    parser.add_argument(
        "--manifest",
        metavar="MANIFEST",
        type=Path,
        help="refuse to pin unless this manifest can be pinned; see 'factory pin'",
    )
    add_terms_options(parser)
    add_pip_options(parser)
    add_own_sdk_options(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    tag = named_release(arguments)
    if arguments.manifest is not None:
        _require_proof(arguments, tag)
    version = arguments.sdk_version or tag.pep440
    if arguments.sdk_source is None:
        staged = stage_own(arguments, tag, version)
    else:
        require_no_own_sdk_options(arguments)
        staged = _stage_source(arguments, tag, version)
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
        say(f"build it with: python -m build {staged.path}")
    return EXIT_OK


def _stage_source(arguments: argparse.Namespace, tag: CodexTag, version: str) -> StagedSdk:
    with tempfile.TemporaryDirectory(prefix="factory-sdk-") as scratch:
        source = fetch_sdk(arguments.sdk_source, pip=this_pip(arguments), scratch=Path(scratch))
        order = SdkOrder(source=source, destination=arguments.destination, runtime=tag, version=version)
        return stage_sdk(order)


def _require_proof(arguments: argparse.Namespace, tag: CodexTag) -> None:
    proven = prove(arguments.manifest, terms_of(arguments))
    if proven.manifest.tag != tag:
        raise UsageError(
            f"the manifest is of {proven.manifest.tag}, not of {tag}",
            hint="Give the manifest of that release, or its version as --codex-version.",
        )
