"""``factory sdk stage``: upstream's staging command for the SDK, with a check of the pinned runtime."""

import argparse
import tempfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from factory.cli.console import print_json, say
from factory.cli.formats import Format, add_format_options
from factory.cli.generate_types import open_maker
from factory.cli.options import (
    add_pip_options,
    add_release_options,
    add_terms_options,
    named_release,
    terms_of,
    this_pip,
)
from factory.cli.own_sdk import add_own_sdk_options, require_no_own_sdk_options, stage_own
from factory.core.codec import to_json
from factory.core.errors import EXIT_OK, UsageError
from factory.core.tags import CodexTag
from factory.core.targets import Platform
from factory.sdk.pip import fetch_sdk
from factory.sdk.regenerate.regenerate import regeneration_by
from factory.sdk.stage_record import CHANGES_FILE
from factory.sdk.staged_sdk import SdkOrder, StagedSdk, require_stageable, stage_sdk
from factory.verify.proof import prove

EPILOG = """\
examples:
  factory sdk stage sdk/ --sdk-source checkout/sdk/python \\
      --codex-version rust-v0.163.0 --manifest dist/0.163.0
  factory sdk stage sdk/ --sdk-source openai_codex-0.163.0.tar.gz \\
      --codex-version 0.163.0
  factory sdk stage sdk/ --sdk-source openai-codex==0.163.0 \\
      --codex-version 0.164.0
  factory sdk stage sdk/ --codex-version 0.171.0
  factory sdk stage sdk/ --sdk-source openai-codex==0.163.0 \\
      --codex-version 0.171.0 --regenerate
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
        help="refuse to pin unless this manifest can be pinned; see 'factory sdk pin'",
    )
    add_terms_options(parser)
    add_pip_options(parser)
    add_own_sdk_options(parser)
    _add_regenerate_options(parser)
    add_format_options(parser)


def _add_regenerate_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("options to change the SDK's code")
    group.add_argument(
        "--regenerate",
        action="store_true",
        help="replace the SDK's generated types, registry and methods by those of the release;"
        f" {CHANGES_FILE} lists the changes",
    )
    group.add_argument(
        "--raise-minimum",
        action="store_true",
        help="make the release the oldest runtime that the SDK accepts",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    tag = named_release(arguments)
    if arguments.manifest is not None:
        _require_proof(arguments, tag)
    version = arguments.sdk_version or tag.pep440
    if arguments.sdk_source is None:
        _require_no_changes(arguments)
        staged = stage_own(arguments, tag, version)
    else:
        require_no_own_sdk_options(arguments)
        staged = _stage_source(arguments, tag, version)
    _show(staged, as_json=arguments.format == Format.JSON)
    return EXIT_OK


def _require_no_changes(arguments: argparse.Namespace) -> None:
    if arguments.regenerate or arguments.raise_minimum:
        raise UsageError(
            "--regenerate and --raise-minimum have no use without --sdk-source",
            hint="Name the SDK to change, such as --sdk-source openai-codex==0.163.0.",
        )


def _stage_source(arguments: argparse.Namespace, tag: CodexTag, version: str) -> StagedSdk:
    with tempfile.TemporaryDirectory(prefix="factory-sdk-") as scratch, ExitStack() as stack:
        source = fetch_sdk(arguments.sdk_source, pip=this_pip(arguments), scratch=Path(scratch))
        order = SdkOrder(
            source=source,
            destination=arguments.destination,
            runtime=tag,
            version=version,
            raises_minimum=arguments.raise_minimum,
            missing=tuple(Platform.parse(text) for text in arguments.without),
        )
        if arguments.regenerate:
            require_stageable(order)
            maker = stack.enter_context(open_maker(arguments))
            order = replace(order, regeneration=regeneration_by(maker, tag))
        return stage_sdk(order)


def _show(staged: StagedSdk, *, as_json: bool) -> None:
    if not as_json:
        for change in staged.changes:
            say(change)
        say(f"staged {staged.name} {staged.version} with {staged.requirement} in {staged.path}")
        say(f"build it with: python -m build {staged.path}")
        return
    document: dict[str, object] = {
        "path": str(staged.path),
        "name": staged.name,
        "version": staged.version,
        "requirement": staged.requirement,
    }
    if staged.record is not None:
        document |= {"changes": list(staged.changes), **to_json(staged.record)}
    print_json(document)


def _require_proof(arguments: argparse.Namespace, tag: CodexTag) -> None:
    proven = prove(arguments.manifest, terms_of(arguments))
    if proven.manifest.tag != tag:
        raise UsageError(
            f"the manifest is of {proven.manifest.tag}, not of {tag}",
            hint="Give the manifest of that release, or its version as --codex-version.",
        )
