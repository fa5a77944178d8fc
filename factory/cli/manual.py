"""``factory show man``: print the manual page, made from the parser as the help is."""

import argparse
from collections.abc import Iterator
from functools import reduce

from factory import __version__
from factory.cli.command import CommandParser
from factory.cli.parser import listed_commands, make_parser
from factory.core.errors import EXIT_OK

EPILOG = """\
examples:
  factory show man > ~/.local/share/man/man1/factory.1
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add no options."""


def run(arguments: argparse.Namespace) -> int:  # noqa: ARG001 - a command takes its arguments
    """Run the command."""
    print("\n".join(manual_page(make_parser().filled_deeply())))
    return EXIT_OK


def manual_page(parser: CommandParser) -> Iterator[str]:
    """Yield the lines of the manual page, in the macros of man(7)."""
    yield f'.TH FACTORY 1 "" "codex-wheel-factory {_text(__version__)}" "User Commands"'
    yield ".SH NAME"
    yield f"factory \\- {_text(_name_line(parser.description or ''))}"
    yield ".SH SYNOPSIS"
    yield f".B factory\n{_text('[-q | -v] [--log-file FILE] COMMAND ...')}"
    yield ".SH OPTIONS"
    yield from _options(parser)
    yield ".SH COMMANDS"
    for words in listed_commands():
        for command in _leaves(reduce(lambda found, word: found.commands[word], words, parser)):
            yield from _command(command)
    for title, *lines in _sections(parser.epilog or ""):
        yield f".SH {_text(title.rstrip(':').upper())}"
        yield from _verbatim(lines)


def _leaves(parser: CommandParser) -> list[CommandParser]:
    """Return the command, or its actions if it has some; none for a group: its commands are in the list."""
    if parser.read_defaults is None:
        return []
    return list(parser.commands.values()) or [parser]


def _command(parser: CommandParser) -> Iterator[str]:
    yield f'.SS "{_text(parser.prog)}"'
    yield _text(parser.description or "")
    yield from _options(parser)
    for _title, *lines in _sections(parser.epilog or ""):
        yield from _verbatim(lines)


def _options(parser: CommandParser) -> Iterator[str]:
    for title, options in parser.described():
        if title == "output options" and parser.prog != "factory":
            continue  # every command has them
        for names, text in options:
            if names != "-h, --help":
                yield f".TP\n.B {_text(names)}\n{_text(text)}"


def _sections(epilog: str) -> Iterator[list[str]]:
    """Yield the paragraphs of a help's end, each with its title first."""
    for paragraph in epilog.strip().split("\n\n"):
        if paragraph:
            yield paragraph.splitlines()


def _verbatim(lines: list[str]) -> Iterator[str]:
    yield ".PP\n.nf"
    yield from (_text(line) for line in lines)
    yield ".fi"


def _text(text: str) -> str:
    """Escape a text, which then has no macro and no hyphenation."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq")
    return "\n".join(f"\\&{line}" if line[:1] in {".", "'"} else line for line in escaped.splitlines())


def _name_line(description: str) -> str:
    return description[:1].lower() + description[1:].rstrip(".")
