"""``factory completion``: a shell's completion script, made from the parser itself."""

import argparse
from functools import partial

from factory.cli.command import Commands, add_command


def register(commands: Commands, parser: argparse.ArgumentParser) -> None:
    """Add the command; it completes the parser it is given."""
    command = add_command(
        commands,
        "completion",
        summary="print the completion script of a shell",
        examples=(
            "factory completion bash > ~/.local/share/bash-completion/completions/factory",
            "factory completion zsh > ~/.zfunc/_factory",
        ),
        run=partial(_run, parser),
    )
    command.add_argument("shell", choices=("bash", "zsh", "tcsh"))


def _run(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> int:
    import shtab  # noqa: PLC0415 - only this command needs it

    print(shtab.complete(parser, arguments.shell))
    return 0
