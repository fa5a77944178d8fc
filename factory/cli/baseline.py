"""``factory baseline``: extend the reviewed files that wheels are compared with."""

import argparse
import tempfile
from pathlib import Path

from factory.cli.command import add_command, finish_command
from factory.cli.console import say
from factory.cli.options import add_channel_options, add_refresh_option
from factory.cli.session import Session, open_session
from factory.cli.settings import Settings
from factory.core.errors import EXIT_OK, UsageError
from factory.core.tags import CodexTag
from factory.release.channels.npm import NpmChannel
from factory.system.files import atomic_write
from factory.verify.baseline.executables import KnownExecutables
from factory.verify.baseline.executables_file import EXECUTABLES_PATH, read_executables, render_executables

_EXECUTABLES_EXAMPLES = """\
examples:
  factory baseline executables 0.171.0
  factory baseline executables --all
"""
EPILOG = _EXECUTABLES_EXAMPLES


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions and their options."""
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    executables = add_command(
        actions, "executables", summary="add the executables of releases to the index of known executables"
    )
    executables.add_argument(
        "tags", nargs="*", metavar="CODEX_TAG", help="release: rust-v0.163.0, 0.163.0, ..."
    )
    executables.add_argument(
        "--all", action="store_true", help="every final release with a package for each target"
    )
    executables.add_argument(
        "--file",
        type=Path,
        default=EXECUTABLES_PATH,
        metavar="FILE",
        help="index to extend (default: this factory's)",
    )
    add_channel_options(executables)
    add_refresh_option(executables)
    finish_command(executables, epilog=_EXECUTABLES_EXAMPLES, run=_executables)


def run(arguments: argparse.Namespace) -> int:
    """Run an action; the parser requires one."""
    raise AssertionError(f"no action in {arguments}")


def _executables(arguments: argparse.Namespace) -> int:
    """Add releases one by one; a run that was stopped goes on with the first release that is missing."""
    if not arguments.tags and not arguments.all:
        raise UsageError("no release given", hint="Name releases, or give --all.")
    tags = [CodexTag.parse(text) for text in arguments.tags]
    known = read_executables(arguments.file) if arguments.file.exists() else KnownExecutables()
    with open_session(arguments, Settings.from_environ()) as session:
        tags += _complete_releases(session) if arguments.all else ()
        _extend(known, tags, arguments.file, session)
    return EXIT_OK


def _extend(known: KnownExecutables, tags: list[CodexTag], file: Path, session: Session) -> None:
    # Slow to import, and the session has imported it.
    from factory.audit.collect_executables import collect, missing_from  # noqa: PLC0415
    from factory.audit.context import AuditContext  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="factory-baseline-") as scratch:
        context = AuditContext(tools=session.context, channel=session.channel, scratch=Path(scratch))
        for tag, packages in collect(missing_from(known, tags), context):
            known = known.adding(packages)
            atomic_write(file, render_executables(known).encode())
            say(f"{tag}: {sum(len(package.digests) for package in packages)} executables")


def _complete_releases(session: Session) -> tuple[CodexTag, ...]:
    if not isinstance(session.asked, NpmChannel):
        raise UsageError("--all needs the channel npm", hint="Name the releases, or leave out --channel.")
    return session.asked.complete_releases()
