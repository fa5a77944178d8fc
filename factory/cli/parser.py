"""The grammar of the command line.

Each command is a module of this package, named as the command is, with three names in it:
``EPILOG`` (the end of its help), ``add_arguments`` and ``run``. A module is imported when its
command is used, so that no command waits for the imports of another one.
"""

import argparse
from importlib import import_module

from factory import __version__
from factory.cli.command import add_command, finish_command
from factory.cli.log import add_log_options
from factory.cli.settings import ENVIRONMENT_HELP

DESCRIPTION = "Build, verify and audit the Python wheels of the Codex CLI's executables."
EXAMPLES = """\
examples:
  factory wheels rust-v0.163.0
  factory wheels rust-v0.163.0 --platform win_arm64 --dry-run
  factory verify dist/0.163.0
  factory trust dist/0.163.0
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
COMMANDS = {
    "wheels": "build the wheels of a Codex release",
    "bundle": "collect all that a machine without a network needs to build and audit",
    "verify": "check wheels for errors",
    "checks": "list the checks of 'factory verify'",
    "explain": "explain a check and how to fix what it finds",
    "trust": "show who signed each executable",
    "audit": "rebuild published wheels and compare them bit for bit",
    "attest": "write signed statements about a build or an audit",
    "check-statement": "verify a statement and show what it says about a wheel",
    "matrix": "print the jobs of a CI matrix",
    "merge": "merge wheels built on several machines into one release",
    "accept": "test a runtime with an SDK, offline and without an account",
    "pin": "print the exact requirement for a release, with hashes",
    "reproduce": "build wheels under varied conditions and compare the bytes",
    "make-sdk": "make the wheels and an SDK of a release that install from one directory",
    "model-server": "serve a model on the loopback address, to try an SDK without an account",
    "stage-runtime": "stage a runtime: a directory that builds into one wheel",
    "stage-sdk": "stage an SDK that pins one runtime",
    "generate-types": "generate Python types of a release's app-server protocol",
    "baseline": "extend the reviewed files that wheels are compared with",
    "targets": "list the supported platforms",
    "cache": "show, prune or clear the cache",
    "doctor": "check what this machine has and what is missing",
    "completion": "print a shell completion script",
}


def make_parser(command: str | None = None) -> argparse.ArgumentParser:
    """Return the parser, with the options of one command or of all commands.

    The parsed namespace has the function that runs the command as ``command``.
    """
    parser = argparse.ArgumentParser(
        prog="factory",
        description=DESCRIPTION,
        epilog=f"{EXAMPLES}\n{EXIT_STATUS_HELP}\n{ENVIRONMENT_HELP}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_log_options(parser)
    parser.add_argument("--version", action="version", version=f"factory {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, summary in COMMANDS.items():
        command_parser = add_command(commands, name, summary=summary)
        if command in (None, name):
            module = import_module(f"factory.cli.{name.replace('-', '_')}")
            finish_command(command_parser, epilog=module.EPILOG, run=module.run)
            module.add_arguments(command_parser)
    return parser
