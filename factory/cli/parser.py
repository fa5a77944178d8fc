"""The command line's grammar: one module a command group registers its own commands."""

import argparse
from collections.abc import Callable

from factory import __version__
from factory.cli import (
    accept,
    attest,
    audit,
    cache,
    check_statement,
    completion,
    doctor,
    generate_types,
    matrix,
    merge,
    pin,
    reproduce,
    stage,
    stage_sdk,
    targets,
    trust,
    verify,
    wheels,
)
from factory.cli.command import Commands
from factory.cli.settings import ENVIRONMENT_HELP

DESCRIPTION = "Build, verify and audit the Python wheels that carry the Codex CLI's release executables."
EXIT_STATUS_HELP = """\
exit status:
  0   done              22  bytes are not what was promised
  2   unusable options  23  a build step failed
  10  an audit differs  24  a wheel must not be used, or types are not current
  11  inconclusive      25  this host cannot do it
  20  unusable input    130 interrupted, 143 by SIGTERM
  21  channel, index or network failed
"""
EXAMPLES = """\
examples:
  factory wheels rust-v0.163.0
  factory wheels rust-v0.163.0 --platform win_arm64 --dry-run
  factory stage-runtime stage/ codex-package.tar.gz --codex-version 0.163.0 --platform-tag win_amd64
  factory verify dist/0.163.0
  factory trust dist/0.163.0
  factory doctor
"""


def make_parser() -> argparse.ArgumentParser:
    """Make the whole parser; each command's namespace carries the function that runs it."""
    parser = argparse.ArgumentParser(
        prog="factory",
        description=DESCRIPTION,
        epilog=f"{EXAMPLES}\n{EXIT_STATUS_HELP}\n{ENVIRONMENT_HELP}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"factory {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for register in _REGISTRARS:
        register(commands)
    completion.register(commands, parser)
    return parser


_REGISTRARS: tuple[Callable[[Commands], None], ...] = (
    wheels.register,
    verify.register,
    trust.register,
    audit.register,
    attest.register,
    check_statement.register,
    matrix.register,
    merge.register,
    accept.register,
    pin.register,
    reproduce.register,
    stage.register,
    stage_sdk.register,
    generate_types.register,
    targets.register,
    cache.register,
    doctor.register,
)
