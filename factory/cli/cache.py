"""``factory cache``: what is kept, and how to be rid of it."""

import argparse
import re
import sys
import time
from collections import defaultdict
from collections.abc import Sequence

from factory.cli.command import Commands, add_command
from factory.cli.console import Column, human_size, print_json, print_table, say
from factory.cli.settings import Settings
from factory.core.errors import EXIT_OK, UsageError
from factory.system.cache import Cache, CacheEntry, Namespace

DAY_S = 86_400.0
_SIZE = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>|k|m|g|t)b?", re.IGNORECASE)
_FACTORS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_MEANINGS = {
    Namespace.ASSETS: "release packages",
    Namespace.PARTIALS: "unfinished downloads, kept to be resumed",
    Namespace.RECORDS: "what channels and packages said",
    Namespace.DEFLATE: "deflated contents, kept so that no byte is compressed twice",
}


class MalformedSize(UsageError):
    """A text is no size."""

    hint = "Write a number with a unit: 500MB, 10GB."

    def __init__(self, text: str) -> None:
        super().__init__(f"{text!r} is not a size")


def register(commands: Commands) -> None:
    """Add the command and its three parts."""
    parser = add_command(
        commands,
        "cache",
        summary="show, prune or clear what is kept between runs",
        examples=(
            "factory cache show",
            "factory cache prune --max-size 10GB --older-than 30",
            "factory cache clear",
        ),
        run=_show,
    )
    parts = parser.add_subparsers(title="what to do", metavar="ACTION", required=True)
    show = add_command(
        parts, "show", summary="list what is kept", examples=("factory cache show --json",), run=_show
    )
    show.add_argument("--json", action="store_true", help="print JSON")
    prune = add_command(
        parts,
        "prune",
        summary="remove what was not used for long, then the least recently used until the rest fits",
        examples=("factory cache prune --max-size 10GB", "factory cache prune --older-than 7"),
        run=_prune,
    )
    prune.add_argument("--max-size", metavar="SIZE", help="how much may stay, for example 10GB")
    prune.add_argument(
        "--older-than", metavar="DAYS", type=_days, help="remove what was not used for so many days"
    )
    add_command(parts, "clear", summary="remove everything", examples=("factory cache clear",), run=_clear)


def parse_size(text: str) -> int:
    """Parse a size in bytes, ``10GB`` or ``500 MB``; units are decimal.

    Raises:
        MalformedSize: It is none.
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise MalformedSize(text)
    return int(float(match["number"]) * _FACTORS[match["unit"].lower()])


def _days(text: str) -> float:
    if re.fullmatch(r"\d+(\.\d+)?", text) is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of days")
    return float(text)


def _store() -> Cache:
    return Cache(Settings.from_environ().cache_dir)


def _show(arguments: argparse.Namespace) -> int:
    cache = _store()
    entries = cache.entries()
    if arguments.json:
        print_json({"place": str(cache.root), "entries": [_to_json(entry) for entry in entries]})
        return EXIT_OK
    groups: defaultdict[Namespace, list[CacheEntry]] = defaultdict(list)
    for entry in entries:
        groups[entry.namespace].append(entry)
    print_table(
        (
            Column(heading="what"),
            Column(heading="entries", is_number=True),
            Column(heading="size", is_number=True),
            Column(heading="meaning"),
        ),
        [
            (name.value, str(len(groups[name])), human_size(_size(groups[name])), _MEANINGS[name])
            for name in Namespace
        ],
        title=str(cache.root),
    )
    return EXIT_OK


def _prune(arguments: argparse.Namespace) -> int:
    if arguments.max_size is None and arguments.older_than is None:
        raise UsageError("nothing says what to prune", hint="Give --max-size, --older-than, or both.")
    removed = _store().prune(
        max_bytes=sys.maxsize if arguments.max_size is None else parse_size(arguments.max_size),
        older_than_s=float("inf") if arguments.older_than is None else arguments.older_than * DAY_S,
        now_s=time.time(),
    )
    return _tell(removed)


def _clear(arguments: argparse.Namespace) -> int:  # noqa: ARG001 - a command takes its arguments
    return _tell(_store().clear())


def _tell(removed: Sequence[CacheEntry]) -> int:
    say(f"removed {len(removed)} entries, {human_size(_size(removed))}")
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
