"""The options that accept findings, for the commands that judge wheels."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from factory.verify.waivers import Waiver


def add_waiver_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that accept findings."""
    group = parser.add_argument_group("waivers")
    group.add_argument(
        "--allow",
        action="append",
        default=[],
        metavar="ID:PATTERN=REASON",
        help="accept a check's findings at places that match the pattern; may be repeated",
    )
    group.add_argument(
        "--waivers",
        type=Path,
        metavar="FILE",
        help="a TOML file with tables [tool.factory.waivers.ID] of lines 'PATTERN' = 'REASON'"
        " (default: pyproject.toml here, if it has them)",
    )


def waivers_of(arguments: argparse.Namespace) -> "tuple[Waiver, ...]":
    """Read the waivers that the options name, or those of the project here.

    Raises:
        MalformedWaiver: One is malformed.
        MalformedWaiverFile: The file is, or has no waivers though it was named.
        UsageError: One is for a check that there is not.
    """
    from factory.verify.checks.catalogue import require_known  # noqa: PLC0415 - all checks; not every command needs them
    from factory.verify.waivers import Waiver  # noqa: PLC0415 - as above

    waivers = (*_filed_waivers(arguments.waivers), *(Waiver.parse(text) for text in arguments.allow))
    require_known(waivers)
    return waivers


def _filed_waivers(named: Path | None) -> "Sequence[Waiver]":
    from factory.verify.waiver_file import MalformedWaiverFile, read_waivers  # noqa: PLC0415 - as above

    if named is not None:
        waivers = read_waivers(named)
        if waivers is None:
            raise MalformedWaiverFile(named, "it has no waivers")
        return waivers
    here = Path("pyproject.toml")
    return (read_waivers(here) or ()) if here.is_file() else ()
