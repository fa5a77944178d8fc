"""``factory cache``: show, prune or clear the cache."""

import argparse
import re
import sys
import time
from collections import defaultdict
from collections.abc import Sequence

from factory.cli.command import CommandParser, add_command, finish_command
from factory.cli.console import Column, human_size, say
from factory.cli.formats import Format, add_format_options, show_table
from factory.cli.options import parse_size
from factory.cli.settings import Settings
from factory.core.counted import counted
from factory.core.errors import EXIT_OK, UsageError
from factory.system.cache import Cache
from factory.system.cache_entries import CacheEntry, Namespace

DAY_S = 86_400.0
_MEANINGS = {
    Namespace.ASSETS: "release packages",
    Namespace.PARTIALS: "unfinished downloads, to be resumed",
    Namespace.RECORDS: "answers of channels, and contents of packages",
    Namespace.DEFLATE: "compressed files, to be used again",
    Namespace.TOOLCHAINS: "environments of build tools",
    Namespace.LOGS: "logs of builds that failed",
    Namespace.TEMPORARY: "temporary files; those of ended runs are removed by the next run",
}
EPILOG = """\
examples:
  factory cache
  factory cache prune --max-size 10GB --older-than 30
  factory cache clear
"""


def add_arguments(parser: CommandParser) -> None:
    """Add the actions and their options."""
    actions = parser.add_subparsers(title="actions", metavar="ACTION")
    parser.set_defaults(format=Format.TABLE)

    show = add_command(actions, "show", summary="list the contents of the cache")
    add_format_options(show, Format.MARKDOWN)
    finish_command(show, epilog="examples:\n  factory cache show --format json\n", run=run)

    prune = add_command(actions, "prune", summary="remove old entries, the least recently used first")
    prune.add_argument("--max-size", metavar="SIZE", help="size of the entries to keep, for example 10GB")
    prune.add_argument(
        "--older-than", metavar="DAYS", type=_days, help="remove entries not used for this number of days"
    )
    finish_command(
        prune,
        epilog="examples:\n  factory cache prune --max-size 10GB\n  factory cache prune --older-than 7\n",
        run=_prune,
    )

    clear = add_command(actions, "clear", summary="remove everything that no other process uses")
    finish_command(clear, epilog="examples:\n  factory cache clear\n", run=_clear)


def _days(text: str) -> float:
    if re.fullmatch(r"\d+(\.\d+)?", text) is None:
        raise argparse.ArgumentTypeError(f"must be a number of days, not {text!r}")
    return float(text)


def _cache() -> Cache:
    return Cache(Settings.from_environ().cache_dir)


def run(arguments: argparse.Namespace) -> int:
    """Show the cache."""
    cache = _cache()
    entries = cache.entries()
    groups: defaultdict[Namespace, list[CacheEntry]] = defaultdict(list)
    for entry in entries:
        groups[entry.namespace].append(entry)
    show_table(
        arguments,
        (
            Column(heading="kind"),
            Column(heading="entries", is_number=True),
            Column(heading="size", is_number=True),
            Column(heading="contents"),
        ),
        [
            (name.value, str(len(groups[name])), human_size(_size(groups[name])), _MEANINGS[name])
            for name in Namespace
        ],
        document=lambda: {"place": str(cache.root), "entries": [_to_json(entry) for entry in entries]},
        title=str(cache.root),
    )
    return EXIT_OK


def _prune(arguments: argparse.Namespace) -> int:
    if arguments.max_size is None and arguments.older_than is None:
        raise UsageError("no limit given", hint="Give --max-size, --older-than, or both.")
    removed = _cache().prune(
        max_bytes=sys.maxsize if arguments.max_size is None else parse_size(arguments.max_size),
        older_than_s=float("inf") if arguments.older_than is None else arguments.older_than * DAY_S,
        now_s=time.time(),
    )
    return _report(removed)


def _clear(arguments: argparse.Namespace) -> int:  # noqa: ARG001 - a command takes its arguments
    return _report(_cache().clear())


def _report(removed: Sequence[CacheEntry]) -> int:
    say(f"removed {counted(len(removed), 'entry', 'entries')}, {human_size(_size(removed))}")
    return EXIT_OK


def _size(entries: Sequence[CacheEntry]) -> int:
    return sum(entry.size_bytes for entry in entries)


def _to_json(entry: CacheEntry) -> dict[str, object]:
    return {
        "namespace": entry.namespace.value,
        "name": entry.name,
        "size_bytes": entry.size_bytes,
        "last_used_s": entry.last_used_s,
    }
