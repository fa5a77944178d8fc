"""Parsers of commands: each adds its options when it is used, with its help and its examples."""

import argparse
import difflib
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from factory.cli.log import add_log_options

if TYPE_CHECKING:
    from factory.cli.configuration import Default

Commands: TypeAlias = "argparse._SubParsersAction[CommandParser]"  # noqa: SLF001
"""The return type of ``add_subparsers``; argparse has no public name for it."""


class CommandParser(argparse.ArgumentParser):
    """A parser that adds its options when it parses, so that no command imports what another one needs."""

    fill: Callable[[], None] | None = None
    """Adds the options; None if they have been added."""
    read_defaults: Callable[[], "tuple[Default, ...]"] | None = None
    """Reads the user's defaults of options; None for a group of commands."""

    def filled(self) -> "CommandParser":
        """Add the options, if this has not been done, and return the parser."""
        fill, self.fill = self.fill, None
        if fill is not None:
            fill()
        return self

    def filled_deeply(self) -> "CommandParser":
        """Add the options of this command and of all commands below it, and return the parser."""
        self.filled()
        for command in self.commands.values():
            command.filled_deeply()
        return self

    @property
    def commands(self) -> "dict[str, CommandParser]":
        """The commands below this one, with those that are not listed; they may have no options yet."""
        return {
            name: command
            for action in self._actions
            if isinstance(action, argparse._SubParsersAction)  # noqa: SLF001 - it has no public name
            for name, command in action.choices.items()
        }

    def parse_known_args(  # type: ignore[override] # the overloads differ in the type of the namespace only
        self, args: Iterable[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Add the options and parse; argparse calls this for the command that the words name."""
        self.filled()
        words = list(sys.argv[1:] if args is None else args)
        defaults = {} if {"-h", "--help"} & set(words) else self._found_defaults()
        places = {action.dest for action in defaults}
        for action in defaults:
            action.required = False
        for action in self._actions:
            if action.dest in places:
                action.default = argparse.SUPPRESS  # a value in the result is then the command line's
        parsed, rest = super().parse_known_args(words, namespace)
        used = []
        for action, default in defaults.items():
            if not hasattr(parsed, action.dest):
                setattr(parsed, action.dest, self._converted(action, default))
                used.append(f"{default.option} ({default.place})")
        if used:
            parsed.defaults_used = tuple(used)
        return parsed, rest

    def _check_value(self, action: argparse.Action, value: object) -> None:
        """Refuse an unknown command with the name that it resembles, instead of a list with former names."""
        if not isinstance(action, argparse._SubParsersAction) or value in action.choices:  # noqa: SLF001 - as above
            super()._check_value(action, value)
            return
        listed = [choice.dest for choice in action._get_subactions()]  # noqa: SLF001 - as above
        close = difflib.get_close_matches(str(value), listed, n=1) or difflib.get_close_matches(
            str(value), action.choices, n=1
        )
        meant = f" Did you mean {close[0]!r}?" if close else ""
        raise argparse.ArgumentError(None, f"unknown command {value!r}.{meant} See '{self.prog} --help'.")

    def described(self) -> Iterator[tuple[str, list[tuple[str, str]]]]:
        """Yield the title of each group of options, and its options with their descriptions."""
        for group in self._action_groups:
            shown = [
                (_written(action), (action.help or "") % {**vars(action), "prog": self.prog})
                for action in group._group_actions  # noqa: SLF001 - it has no public name
                if action.help != argparse.SUPPRESS and action.nargs != argparse.PARSER
            ]
            if shown:
                yield group.title or "", shown

    def _found_defaults(self) -> "dict[argparse.Action, Default]":
        """Return the user's defaults of the options that this command has."""
        found: dict[argparse.Action, Default] = {}
        if self.read_defaults is None or self._subparsers is not None:  # the actions of a command read them
            return {}
        for default in self.read_defaults():
            action = self._option_string_actions.get(f"--{default.option}")
            if action is not None:
                found[action] = default
            elif default.is_for_command:
                raise default.refuse(f"'{self.prog}' has no such option")
        return found

    def _converted(self, action: argparse.Action, default: "Default") -> object:
        """Return the value that the option would have, if the command line gave it."""
        value = default.value
        if action.nargs == 0:
            if not isinstance(value, bool):
                raise default.refuse(f"must be true or false, not {value!r}")
            return value
        values = value if isinstance(value, list) else [value]
        is_repeatable = isinstance(action, argparse._AppendAction)  # noqa: SLF001 - it has no public name
        for one in values:
            if isinstance(one, bool) or not isinstance(one, str | int):
                raise default.refuse(f"must be a text or a number, not {one!r}")
        if isinstance(value, list) and not is_repeatable:
            raise default.refuse("takes one value, not a list")
        try:
            converted = [self._get_values(action, [str(one)]) for one in values]
        except argparse.ArgumentError as error:
            raise default.refuse(error.message) from error
        return converted if is_repeatable else converted[0]


def _written(action: argparse.Action) -> str:
    """Return how an option or a positional argument is written: ``-q, --quiet``, ``--jobs N``."""
    default = action.dest.upper() if action.option_strings else action.dest
    value = action.metavar or ("|".join(map(str, action.choices)) if action.choices else default)
    values = " ".join(value) if isinstance(value, tuple) else value
    if action.option_strings:
        names = ", ".join(action.option_strings)
        return names if action.nargs == 0 else f"{names} {values}"
    return f"{values} ..." if action.nargs in {"*", "+"} else values


def add_command(
    commands: Commands, name: str, *, summary: str, prog: str | None = None, is_listed: bool = True
) -> CommandParser:
    """Add a command and return its parser, which has no options yet.

    Args:
        commands: The parsers of the commands beside it.
        name: What the user writes.
        summary: One line for the list of commands.
        prog: The words before the options in messages; None for those that the user writes.
        is_listed: Show the command in the help.
    """
    make = partial(
        commands.add_parser,
        name,
        prog=prog,
        description=f"{summary[0].upper()}{summary[1:]}.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser = make(help=summary) if is_listed else make()  # argparse lists the commands with a help
    add_log_options(parser)
    return parser


def finish_command(
    parser: argparse.ArgumentParser, *, epilog: str, run: Callable[[argparse.Namespace], int]
) -> None:
    """Set the text below a command's options, and the function that runs the command."""
    parser.epilog = epilog
    parser.set_defaults(command=run)
