"""``factory show completion``: print a shell completion script, made from the parser."""

import argparse

import shtab

from factory.core.errors import EXIT_OK

EPILOG = """\
examples:
  factory show completion bash \\
      > ~/.local/share/bash-completion/completions/factory
  factory show completion zsh > ~/.zfunc/_factory
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("shell", choices=shtab.SUPPORTED_SHELLS)


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    from factory.cli.parser import make_parser  # noqa: PLC0415 - the parser imports this module

    print(shtab.complete(make_parser().filled_deeply(), arguments.shell))
    return EXIT_OK
