"""``factory sdk types``: generate Python types of a release's app-server protocol."""

import argparse
import difflib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from factory.cli.compare_types import ANY, compare, parse_with_sdk
from factory.cli.console import print_json, say
from factory.cli.formats import Format, add_format_options
from factory.cli.options import (
    add_channel_options,
    add_pip_options,
    add_refresh_option,
    add_release_options,
    named_release,
)
from factory.cli.session import open_session
from factory.cli.settings import Settings
from factory.core.counted import counted
from factory.core.errors import EXIT_OK, UsageError, VerificationError
from factory.core.targets import Platform
from factory.sdk.types.side import Side

if TYPE_CHECKING:
    from factory.sdk.types.maker import TypesMaker
    from factory.sdk.types.types_package import FileDifference, TypesPackage

EPILOG = """\
examples:
  factory sdk types --codex-version rust-v0.163.0 --out src/generated
  factory sdk types --codex-version 0.163.0 --out src/generated --check
  factory sdk types --compare 0.147.0 0.163.0 --fail-on readers
  factory sdk types --codex-version 0.171.0 --sdk openai-codex==0.163.0
  factory sdk types --schema-dir schema/ --out types/
"""
_JSON_VERSION = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_release_options(parser)
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="write the package to DIR; an earlier package is replaced"
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="only compare the package in DIR; exit with status 24 if it is out of date",
    )
    parser.add_argument(
        "--compare", nargs=2, metavar=("TAG1", "TAG2"), help="print the changes between two releases"
    )
    parser.add_argument(
        "--fail-on",
        choices=(*Side, ANY),
        help="with --compare: exit with status 24 if a change breaks readers, writers, or any of them",
    )
    parser.add_argument(
        "--sdk",
        metavar="PATH|REQUIREMENT",
        help="list the messages of the release (of TAG2 with --compare) that this SDK cannot parse, and exit"
        " with status 24 if there are any; the SDK's modules are imported",
    )
    parser.add_argument(
        "--schema-dir",
        type=Path,
        metavar="DIR",
        help="use the schema that 'codex app-server generate-json-schema' wrote to DIR;"
        " no runtime is started",
    )
    parser.add_argument(
        "--platform", metavar="TAG", help="run the runtime of this platform (default: this machine's)"
    )
    add_refresh_option(parser)
    add_pip_options(parser)
    add_format_options(parser)
    add_channel_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    _require_compatible(arguments)
    if arguments.compare is not None:
        with open_maker(arguments) as maker:
            return compare(arguments, maker)
    if arguments.sdk is not None:
        named_release(arguments)
        with open_maker(arguments) as maker:
            return parse_with_sdk(arguments, maker)
    return _check(arguments) if arguments.check else _generate(arguments)


def _require_compatible(arguments: argparse.Namespace) -> None:
    """Refuse options that cannot be combined."""
    output = (arguments.out, arguments.schema_dir, arguments.check or None)
    releases = (arguments.codex_version, arguments.runtime_version)
    if arguments.compare is None and arguments.sdk is None and arguments.out is None:
        raise UsageError("no output given", hint="Give --out DIR, or --compare TAG1 TAG2.")
    if arguments.compare is None and arguments.fail_on is not None:
        raise UsageError("--fail-on needs --compare", hint="Give --compare TAG1 TAG2, or --check instead.")
    if arguments.compare is not None and any(other is not None for other in (*output, *releases)):
        raise UsageError(
            "--compare generates no types",
            hint="Leave out --out, --check, --schema-dir, --codex-version and --runtime-version.",
        )
    if arguments.sdk is not None and any(other is not None for other in output):
        raise UsageError("--sdk generates no types", hint="Leave out --out, --check and --schema-dir.")


def _generate(arguments: argparse.Namespace) -> int:
    from factory.sdk.types.types_package import publish, require_destination  # noqa: PLC0415 - slow, as the maker

    require_destination(arguments.out)
    with open_maker(arguments) as maker:
        package = _make(arguments, maker)
        publish(package, arguments.out)
    if arguments.format == Format.JSON:
        names = list(package.files)
        document = {"path": str(arguments.out), "files": names, "models": package.models}
        print_json({"version": _JSON_VERSION, **document, "methods": package.methods})
    else:
        generated = f"{counted(package.models, 'model')} for {counted(package.methods, 'method')}"
        say(f"generated {generated} in {arguments.out}")
    return EXIT_OK


def _check(arguments: argparse.Namespace) -> int:
    from factory.sdk.types.types_package import differences  # noqa: PLC0415 - slow, as the maker

    with open_maker(arguments) as maker:
        found = differences(_make(arguments, maker), arguments.out)
    if arguments.format == Format.JSON:
        files = [{"name": difference.name, "state": difference.state} for difference in found]
        print_json({"version": _JSON_VERSION, "is_current": not files, "files": files})
    else:
        sys.stdout.writelines(line for difference in found for line in _diff(difference))
    if found:
        names = ", ".join(difference.name for difference in found)
        raise VerificationError(
            f"{arguments.out} is out of date: {names}",
            hint="Generate the types again: the same command without --check.",
        )
    if arguments.format != Format.JSON:
        say(f"{arguments.out} is up to date")
    return EXIT_OK


def _make(arguments: argparse.Namespace, maker: "TypesMaker") -> "TypesPackage":
    if arguments.schema_dir is None:
        return maker.make(named_release(arguments))
    has_release = (arguments.codex_version, arguments.runtime_version) != (None, None)
    return maker.make_from(arguments.schema_dir, named_release(arguments) if has_release else None)


def _diff(difference: "FileDifference") -> Iterator[str]:
    name = difference.name
    if difference.copy is None or difference.generated is None:
        yield f"{difference.state}: {name}\n"
        return
    before, after = (
        content.decode("utf-8", "replace").splitlines(keepends=True)
        for content in (difference.copy, difference.generated)
    )
    yield from difflib.unified_diff(before, after, f"{name} (copy)", f"{name} (generated)")


@contextmanager
def open_maker(arguments: argparse.Namespace) -> Iterator["TypesMaker"]:
    """Open what generates types, from the options for channels and platforms."""
    with (
        open_session(arguments, Settings.from_environ()) as session,
        # On the disk of the cache: a runtime is 300 MB, too much for a /tmp in memory.
        session.context.cache.lease.scratch("types") as scratch,
    ):
        from factory.cli.host import this_host  # noqa: PLC0415 - slow, and the session has imported it
        from factory.sdk.types.maker import TypesMaker  # noqa: PLC0415 - as above

        yield TypesMaker(
            channel=session.channel,
            host=this_host(session.settings, musl_root=None),
            target=None if arguments.platform is None else Platform.parse(arguments.platform).target,
            scratch=scratch,
            context=session.context,
        )
