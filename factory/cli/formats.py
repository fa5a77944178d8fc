"""``--format`` and ``--output``: the form of what a command prints, and the file to which it goes."""

import argparse
import io
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from enum import StrEnum
from pathlib import Path

from factory.cli.console import Column, print_json, say
from factory.cli.display import print_table
from factory.core.errors import FactoryError, UsageError

_PLAIN = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9 .,;:()/+=%-]*)?")
"""Texts without a meaning in Markdown; any other text becomes a code span."""


class Format(StrEnum):
    """The forms of a report; every command with reports has the first two."""

    TABLE = "table"
    JSON = "json"
    MARKDOWN = "markdown"
    HTML = "html"
    SARIF = "sarif"
    BADGE = "badge"
    """An SVG picture."""


def add_format_options(parser: argparse.ArgumentParser, *others: Format, json: str = "JSON") -> None:
    """Add ``--format``, ``--output`` and, not in the help, ``--json``.

    Args:
        parser: The command.
        others: The forms that the command has besides a table and JSON.
        json: Description of the JSON document.
    """
    default = Format.TABLE.value
    choices = [default, Format.JSON.value, *(other.value for other in others)]
    parser.add_argument(
        "--format",
        choices=choices,
        default=default,
        help=f"form of the result; json: {json} (default: table)",
    )
    add_output_option(parser)
    add_old_option(parser, "--json", dest="format", const=Format.JSON.value)


def add_output_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--output``, which `written_report` reads."""
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the result to FILE, not to stdout")


def add_old_option(parser: argparse.ArgumentParser, name: str, *, dest: str, const: str) -> None:
    """Add the former name of an option with a value; it works, but it is not in the help."""
    parser.add_argument(name, dest=dest, action="store_const", const=const, help=argparse.SUPPRESS)


def show_table(
    arguments: argparse.Namespace,
    columns: Sequence[Column],
    rows: Sequence[Sequence[str]],
    *,
    document: Callable[[], object],
    title: str = "",
) -> None:
    """Print rows in the form of ``--format``; ``document`` makes the JSON document."""
    match Format(arguments.format):
        case Format.JSON:
            print_json(document())
        case Format.MARKDOWN:
            print_markdown(columns, rows)
        case _:
            print_table(columns, rows, title=title)


def print_markdown(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    """Print a table of GitHub's Markdown."""
    marks = ("---:" if column.is_number else "---" for column in columns)
    print(f"| {' | '.join(column.heading for column in columns)} |")
    print(f"|{'|'.join(marks)}|")
    for row in rows:
        print(f"| {' | '.join(_cell(text) for text in row)} |")


def _cell(text: str) -> str:
    """Return a cell that no text can leave: texts come from wheels that anybody may have made."""
    from factory.core.printable import escaped  # noqa: PLC0415 - few commands print Markdown

    if _PLAIN.fullmatch(text) and "www." not in text and "://" not in text:
        return text or " "
    span = escaped(text).replace("`", "'").replace("|", "\u2502")
    return f"`{span}`"


@contextmanager
def written_report(path: Path | None) -> Iterator[None]:
    """Write what is printed in this context to a file at its end; without a path, do nothing.

    A command that fails after it printed its result, because a wheel has errors, has the result
    written as well. One that printed none leaves the file as it was.

    Raises:
        UsageError: The path cannot be a file.
        CannotWrite: The file cannot be written.
    """
    if path is None:
        yield
        return
    _require_place(path)  # before the work, which may take minutes
    printed = io.StringIO()
    try:
        with redirect_stdout(printed):
            yield
    except FactoryError:
        if printed.getvalue():
            write_form(path, printed.getvalue())
        raise
    write_form(path, printed.getvalue())


def _require_place(path: Path) -> None:
    above = next(parent for parent in path.absolute().parents if parent.exists())
    if path.is_dir() or not above.is_dir():
        problem = "it is a directory" if path.is_dir() else f"{above} is not a directory"
        raise UsageError(f"cannot write {path}: {problem}", hint="Give --output the path of a file.")


def write_form(path: Path, text: str) -> None:
    """Write a form of a result to a file, and say so."""
    from factory.system.files import atomic_write  # noqa: PLC0415 - most runs print

    atomic_write(path, text.encode("utf-8", "backslashreplace"))
    say(f"wrote {path}")
