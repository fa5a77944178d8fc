"""The grammar of the command line.

Each command is a module of this package with three names in it: ``EPILOG`` (the end of its help),
``add_arguments`` and ``run``. A module is imported when its command is used, so that no command
waits for the imports of another one.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

from factory import __version__
from factory.cli.command import CommandParser, Commands, add_command, finish_command
from factory.cli.log import add_log_options
from factory.cli.settings import ENVIRONMENT_HELP, Settings

if TYPE_CHECKING:
    from factory.cli.configuration import Default

EXIT_NO_COMMAND = 2
"""As argparse ends for a wrong command line."""
DESCRIPTION = "Build, verify and audit the Python wheels of the Codex CLI's executables."
EXAMPLES = """\
examples:
  factory wheels rust-v0.163.0
  factory wheels rust-v0.163.0 --platform win_arm64 --dry-run
  factory verify dist/0.163.0
  factory show signers dist/0.163.0
  factory audit 0.163.0
  factory doctor
"""
EXIT_STATUS_HELP = """\
exit status:
  0   success
  2   wrong command line
  10  the audit found a difference
  11  not decided
  12  the channel has no release package for a wheel
  20  invalid input
  21  a channel, an index or the network failed
  22  wrong digest or damaged file
  23  a build step failed
  24  a wheel has errors, or types are out of date
  25  this machine lacks something: disk space, permissions, Docker, zlib
  130 interrupted (143: by SIGTERM)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandName:
    """A command, or a group of commands.

    Attributes:
        module: The module of this package; empty for a group.
        old: The command's former name at the top, which still works but is not in the help.
        parts: The commands of a group.
    """

    name: str
    summary: str
    module: str = ""
    old: str = ""
    parts: "tuple[CommandName, ...]" = ()


_STAGE_SDK = "stage an SDK that pins one runtime"
_TYPES = "generate Python types of a release's app-server protocol"
COMMANDS = (
    CommandName(name="wheels", summary="build the wheels of a Codex release", module="wheels"),
    CommandName(name="verify", summary="check wheels for errors", module="verify"),
    CommandName(
        name="audit", summary="rebuild published wheels and compare them bit for bit", module="audit"
    ),
    CommandName(
        name="projects",
        summary="list the projects that can be audited, or draft a mapping",
        module="projects",
    ),
    CommandName(
        name="sdk",
        summary="pin, test, make and stage SDKs of a release",
        parts=(
            CommandName(
                name="pin",
                summary="print the exact requirement for a release, with hashes",
                module="pin",
                old="pin",
            ),
            CommandName(
                name="accept",
                summary="test a runtime with an SDK, offline and without an account",
                module="accept",
                old="accept",
            ),
            CommandName(
                name="make",
                summary="make the wheels and an SDK of a release that install from one directory",
                module="make_sdk",
                old="make-sdk",
            ),
            CommandName(name="stage", summary=_STAGE_SDK, module="stage_sdk"),
            CommandName(name="types", summary=_TYPES, module="generate_types"),
            CommandName(
                name="model-server",
                summary="serve a model on the loopback address, to try an SDK without an account",
                module="model_server",
                old="model-server",
            ),
        ),
    ),
    CommandName(
        name="statement",
        summary="write and verify signed statements",
        parts=(
            CommandName(
                name="create",
                summary="write signed statements about a build or an audit",
                module="attest",
                old="attest",
            ),
            CommandName(
                name="check",
                summary="verify a statement and show what it says about a wheel",
                module="check_statement",
                old="check-statement",
            ),
        ),
    ),
    CommandName(
        name="ci",
        summary="divide work into jobs, merge results, compare builds and baselines",
        parts=(
            CommandName(
                name="matrix", summary="print the jobs of a CI matrix", module="matrix", old="matrix"
            ),
            CommandName(
                name="merge",
                summary="merge wheels built on several machines into one release",
                module="merge",
                old="merge",
            ),
            CommandName(
                name="reproduce",
                summary="build wheels under varied conditions and compare the bytes",
                module="reproduce",
                old="reproduce",
            ),
            CommandName(
                name="baseline",
                summary="extend the reviewed files that wheels are compared with",
                module="baseline",
                old="baseline",
            ),
        ),
    ),
    CommandName(
        name="bundle",
        summary="collect what a machine without a network needs to build and audit",
        module="bundle",
    ),
    CommandName(
        name="show",
        summary="show signers, checks, platforms, completion and the manual page",
        parts=(
            CommandName(
                name="signers", summary="show who signed each executable", module="trust", old="trust"
            ),
            CommandName(
                name="checks", summary="list the checks of 'factory verify'", module="checks", old="checks"
            ),
            CommandName(
                name="check",
                summary="explain checks and how to fix what they find",
                module="explain",
                old="explain",
            ),
            CommandName(
                name="platforms", summary="list the supported platforms", module="targets", old="targets"
            ),
            CommandName(
                name="completion",
                summary="print a shell completion script",
                module="completion",
                old="completion",
            ),
            CommandName(name="man", summary="print the manual page", module="manual"),
        ),
    ),
    CommandName(name="cache", summary="show, prune or clear the cache", module="cache"),
    CommandName(name="doctor", summary="check what this machine has and what is missing", module="doctor"),
)
UPSTREAM_COMMANDS = (
    CommandName(
        name="stage-runtime",
        summary="stage a runtime: a directory that builds into one wheel",
        module="stage_runtime",
    ),
    CommandName(name="stage-sdk", summary=_STAGE_SDK, module="stage_sdk"),
    CommandName(name="generate-types", summary=_TYPES, module="generate_types"),
)
"""The commands with the names and options of upstream's script."""


def short_help() -> str:
    """Return what the program prints without arguments: the commands, and where the rest is described."""
    names = "\n".join(f"  {one.name:<11}{one.summary}" for one in COMMANDS)
    return f"""\
usage: factory COMMAND ...

{DESCRIPTION}

{names}

to begin:
  factory doctor           what this machine has and what is missing
  factory wheels 0.163.0   build and verify the wheels of a release
  factory audit 0.163.0    rebuild the published wheels and compare them

'factory COMMAND --help' describes a command. 'factory --help' has the exit
statuses and the environment variables.
"""


def make_parser() -> CommandParser:
    """Return the parser; a command's options are added when it is used.

    The parsed namespace has the function that runs the command as ``command``.
    """
    upstream = "\n".join(f"  {one.name:<20}{one.summary}" for one in UPSTREAM_COMMANDS)
    parser = CommandParser(
        prog="factory",
        description=DESCRIPTION,
        epilog=f"commands of upstream's script:\n{upstream}\n\n"
        f"{EXAMPLES}\n{EXIT_STATUS_HELP}\n{ENVIRONMENT_HELP}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_log_options(parser)
    parser.add_argument("--version", action="version", version=f"factory {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in COMMANDS:
        _add(commands, name)
    for name in UPSTREAM_COMMANDS:
        _add(commands, name, is_listed=False)
    for group in COMMANDS:
        for part in group.parts:
            if part.old:
                _add(commands, part, words=(group.name,), old=part.old, is_listed=False)
    return parser


def _add(
    commands: Commands,
    name: CommandName,
    *,
    words: tuple[str, ...] = (),
    old: str = "",
    is_listed: bool = True,
) -> None:
    """Add a command; ``words`` are those before its name, also if the user writes its former name."""
    words = (*words, name.name)
    prog = " ".join(("factory", *words)) if old else None
    parser = add_command(commands, old or name.name, summary=name.summary, prog=prog, is_listed=is_listed)
    if name.parts:
        parts = parser.add_subparsers(title="commands", metavar="COMMAND")
        parser.set_defaults(command=partial(_print_help, parser))
        for part in name.parts:
            _add(parts, part, words=words)
        examples = "\n".join(f"  factory {name.name} {part.name} --help" for part in name.parts)
        parser.epilog = f"examples:\n{examples}\n"
    else:
        parser.fill = partial(_fill, parser, name.module)
        parser.read_defaults = partial(_read_defaults, words)


def _fill(parser: CommandParser, module_name: str) -> None:
    module = import_module(f"factory.cli.{module_name}")
    finish_command(parser, epilog=module.EPILOG, run=module.run)
    module.add_arguments(parser)


def _print_help(parser: CommandParser, _arguments: argparse.Namespace) -> int:
    """Print the help of a group that was named without a command."""
    parser.print_help(sys.stderr)
    return EXIT_NO_COMMAND


def _read_defaults(words: tuple[str, ...]) -> "tuple[Default, ...]":
    from factory.cli.configuration import read_defaults  # noqa: PLC0415 - the help does not need it

    environ = Settings.from_environ().environ
    groups = {(command.name,) for command in COMMANDS if command.parts}
    return read_defaults(words, frozenset(listed_commands()) - groups, environ=environ)


def listed_commands() -> Iterator[tuple[str, ...]]:
    """Yield the words of each command and group that the help lists."""
    for command in (*COMMANDS, *UPSTREAM_COMMANDS):
        yield (command.name,)
        for part in command.parts:
            yield (command.name, part.name)
