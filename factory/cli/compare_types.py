"""The part of ``factory sdk types`` that compares: two releases, or a release with an SDK."""

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from factory.cli.console import print_json, say
from factory.cli.formats import Format
from factory.cli.options import named_release, this_pip
from factory.core.counted import counted
from factory.core.errors import EXIT_OK, VerificationError
from factory.core.tags import CodexTag
from factory.sdk.pip import fetch_sdk
from factory.sdk.types.side import Side

if TYPE_CHECKING:
    from factory.sdk.parsing.messages import ParsedMessage
    from factory.sdk.types.breaking import AssessedChange
    from factory.sdk.types.maker import TypesMaker

ANY = "any"
_JSON_VERSION = 1


def compare(arguments: argparse.Namespace, maker: "TypesMaker") -> int:
    """Print the changes between two releases, and what an SDK cannot parse of the later one.

    Raises:
        VerificationError: A change breaks a side that was named, or the SDK cannot parse a message.
    """
    before, after = (CodexTag.parse(text) for text in arguments.compare)
    changes = maker.compare(before, after)
    parsed = None if arguments.sdk is None else _parse(arguments, after, maker)
    if arguments.format == Format.JSON:
        document = {"from": before.pep440, "to": after.pep440, "changes": [_change(one) for one in changes]}
        print_json({"version": _JSON_VERSION, **document, **_messages(arguments.sdk, parsed)})
    else:
        sys.stdout.writelines(f"{change.words}\n" for change in changes)
        _print_unparsed(parsed)
    broken = Counter(side for change in changes for side in change.breaks)
    counts = ", ".join(f"{counted(broken[side], 'breaks', 'break')} {side}" for side in Side)
    say(f"{counted(len(changes), 'change')} from {before.pep440} to {after.pep440}: {counts}")
    refused = [side for side in Side if arguments.fail_on in {side, ANY} and broken[side]]
    if refused:
        raise VerificationError(
            f"{after.pep440} breaks {' and '.join(refused)} of the protocol of {before.pep440}",
            hint="Generate the types of the newer release, and change code that uses what the list names.",
        )
    return EXIT_OK if parsed is None else _end(arguments.sdk, after, parsed)


def parse_with_sdk(arguments: argparse.Namespace, maker: "TypesMaker") -> int:
    """Print the messages of a release that an SDK cannot parse.

    Raises:
        VerificationError: There are such messages.
    """
    release = named_release(arguments)
    parsed = _parse(arguments, release, maker)
    if arguments.format == Format.JSON:
        print_json({"version": _JSON_VERSION, "to": release.pep440, **_messages(arguments.sdk, parsed)})
    else:
        _print_unparsed(parsed)
    return _end(arguments.sdk, release, parsed)


def _parse(
    arguments: argparse.Namespace, release: CodexTag, maker: "TypesMaker"
) -> "tuple[ParsedMessage, ...]":
    from factory.sdk.parsing.unparsed import parse_release  # noqa: PLC0415 - slow, as the maker

    with tempfile.TemporaryDirectory(prefix="factory-sdk-") as scratch:
        sdk = fetch_sdk(arguments.sdk, pip=this_pip(arguments), scratch=Path(scratch))
        return parse_release(maker, release, sdk)


def _print_unparsed(parsed: "Sequence[ParsedMessage] | None") -> None:
    sys.stdout.writelines(f"{one.words}\n" for one in parsed or () if one.outcome != "parsed")


def _end(sdk: str, release: CodexTag, parsed: "Sequence[ParsedMessage]") -> int:
    outcomes = Counter(one.outcome.value for one in parsed)
    total = counted(len(parsed), "message")
    say(
        f"{sdk} and {total} of {release.pep440}: {outcomes['parsed']} parsed, {outcomes['unknown']} unknown,"
        f" {outcomes['refused']} refused"
    )
    if outcomes["refused"]:
        raise VerificationError(
            f"{sdk} cannot parse {outcomes['refused']} of {total} of {release.pep440}",
            hint="Make an SDK for the release: factory sdk stage with --regenerate, or without --sdk-source.",
        )
    return EXIT_OK


def _messages(sdk: str | None, parsed: "Sequence[ParsedMessage] | None") -> dict[str, object]:
    if parsed is None:
        return {}
    messages = [
        {
            **asdict(one.message),
            "outcome": one.outcome.value,
            "example": one.example,
            "problem": one.problem,
            "words": one.words,
        }
        for one in parsed
    ]
    return {"sdk": sdk, "messages": messages}


def _change(assessed: "AssessedChange") -> dict[str, object]:
    change = assessed.change
    why = {"breaks": list(assessed.breaks), "reason": assessed.reason}
    return {**asdict(change), "words": change.words, **why}
