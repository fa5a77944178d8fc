"""``factory generate-types``: generate Python types of a release's app-server protocol."""

import argparse
import difflib
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from factory.cli.console import print_json, say
from factory.cli.options import (
    add_channel_options,
    add_refresh_option,
    add_release_options,
    named_release,
)
from factory.cli.session import open_session
from factory.cli.settings import Settings
from factory.core.counted import counted
from factory.core.errors import EXIT_OK, UsageError, VerificationError
from factory.core.tags import CodexTag
from factory.core.targets import Platform
from factory.sdk.types.side import Side

if TYPE_CHECKING:
    from factory.sdk.types.breaking import AssessedChange
    from factory.sdk.types.maker import TypesMaker
    from factory.sdk.types.types_package import FileDifference, TypesPackage

EPILOG = """\
examples:
  factory generate-types --codex-version rust-v0.163.0 --out src/generated
  factory generate-types --codex-version 0.163.0 --out src/generated --check
  factory generate-types --compare 0.147.0 0.163.0 --fail-on readers
  factory generate-types --schema-dir schema/ --out types/
"""
_JSON_VERSION = 1
_ANY = "any"


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
        choices=(*Side, _ANY),
        help="with --compare: exit with status 24 if a change breaks readers, writers, or any of them",
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
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_channel_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    _require_compatible(arguments)
    if arguments.compare is not None:
        return _compare(arguments)
    return _check(arguments) if arguments.check else _generate(arguments)


def _require_compatible(arguments: argparse.Namespace) -> None:
    """Refuse options that cannot be combined."""
    if arguments.compare is None and arguments.out is None:
        raise UsageError("no output given", hint="Give --out DIR, or --compare TAG1 TAG2.")
    if arguments.compare is None and arguments.fail_on is not None:
        raise UsageError("--fail-on needs --compare", hint="Give --compare TAG1 TAG2, or --check instead.")
    others = (arguments.out, arguments.schema_dir, arguments.codex_version, arguments.runtime_version)
    if arguments.compare is not None and (arguments.check or any(other is not None for other in others)):
        raise UsageError(
            "--compare generates no types",
            hint="Leave out --out, --check, --schema-dir, --codex-version and --runtime-version.",
        )


def _generate(arguments: argparse.Namespace) -> int:
    from factory.sdk.types.types_package import publish, require_destination  # noqa: PLC0415 - slow, as the maker

    require_destination(arguments.out)
    with open_maker(arguments) as maker:
        package = _make(arguments, maker)
        publish(package, arguments.out)
    if arguments.json:
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
    if arguments.json:
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
    if not arguments.json:
        say(f"{arguments.out} is up to date")
    return EXIT_OK


def _compare(arguments: argparse.Namespace) -> int:
    before, after = (CodexTag.parse(text) for text in arguments.compare)
    with open_maker(arguments) as maker:
        changes = maker.compare(before, after)
    broken = Counter(side for change in changes for side in change.breaks)
    if arguments.json:
        items = [_change_json(change) for change in changes]
        print_json({"version": _JSON_VERSION, "from": before.pep440, "to": after.pep440, "changes": items})
    else:
        sys.stdout.writelines(f"{change.words}\n" for change in changes)
        counts = ", ".join(f"{counted(broken[side], 'breaks', 'break')} {side}" for side in Side)
        say(f"{counted(len(changes), 'change')} from {before.pep440} to {after.pep440}: {counts}")
    refused = [side for side in Side if arguments.fail_on in {side, _ANY} and broken[side]]
    if refused:
        raise VerificationError(
            f"{after.pep440} breaks {' and '.join(refused)} of the protocol of {before.pep440}",
            hint="Generate the types of the newer release, and change code that uses what the list names.",
        )
    return EXIT_OK


def _change_json(assessed: "AssessedChange") -> dict[str, object]:
    change = assessed.change
    why = {"breaks": list(assessed.breaks), "reason": assessed.reason}
    return {**asdict(change), "words": change.words, **why}


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
