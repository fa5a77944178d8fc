"""``factory ci baseline``: extend the reviewed files that wheels are compared with."""

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from factory.build.template import bundled_template
from factory.cli.command import CommandParser, add_command, finish_command
from factory.cli.console import say
from factory.cli.options import add_channel_options, add_refresh_option
from factory.cli.session import Session, open_session
from factory.cli.settings import Settings
from factory.core.counted import counted
from factory.core.errors import EXIT_OK, UsageError
from factory.core.tags import CodexTag
from factory.release.channels.npm import NpmChannel
from factory.system.files import atomic_write
from factory.verify.baseline.baseline import KnownMetadata
from factory.verify.baseline.baseline_file import BASELINE_PATH, bundled_baseline, render_baseline
from factory.verify.baseline.executables import KnownExecutables
from factory.verify.baseline.executables_file import EXECUTABLES_PATH, read_executables, render_executables
from factory.verify.baseline.own_shape import own_shape, read_own_metadata

_EXECUTABLES_EXAMPLES = """\
examples:
  factory ci baseline executables 0.171.0
  factory ci baseline executables --all
"""
_PROPOSE_EXAMPLES = """\
examples:
  factory ci baseline propose audits
  factory ci baseline propose audits --own-wheel dist/0.163.0/some.whl --write
"""
_LEAVE_ONE_OUT_EXAMPLES = """\
examples:
  factory ci baseline leave-one-out audits > docs/audits/leave-one-out.md
"""
EPILOG = """\
examples:
  factory ci baseline propose audits
  factory ci baseline leave-one-out audits
  factory ci baseline executables 0.171.0
"""


def add_arguments(parser: CommandParser) -> None:
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
    executables.read_defaults = parser.read_defaults
    add_channel_options(executables)
    add_refresh_option(executables)
    finish_command(executables, epilog=_EXECUTABLES_EXAMPLES, run=_executables)

    propose = add_command(
        actions, "propose", summary="print the change of the baseline that audited wheels ask for, as a diff"
    )
    _add_results(propose, "*")
    propose.add_argument(
        "--own-wheel",
        type=Path,
        metavar="WHEEL",
        help="wheel of ours whose METADATA to add, after a change of the template",
    )
    propose.add_argument("--write", action="store_true", help="write the baseline, too, in a checkout")
    finish_command(propose, epilog=_PROPOSE_EXAMPLES, run=_propose)

    leave_one_out = add_command(
        actions,
        "leave-one-out",
        summary="judge each audited release by earlier ones, and print a page of the alarms",
    )
    _add_results(leave_one_out, "+")
    finish_command(leave_one_out, epilog=_LEAVE_ONE_OUT_EXAMPLES, run=_leave_one_out)


def _add_results(parser: argparse.ArgumentParser, number: str) -> None:
    parser.add_argument(
        "results",
        nargs=number,
        type=Path,
        metavar="RESULT",
        help="report of 'factory audit --format json', or a directory that 'factory audit --out' wrote",
    )


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
    from factory.audit.codex.collect_executables import collect, missing_from  # noqa: PLC0415
    from factory.audit.context import AuditContext  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="factory-baseline-") as scratch:
        context = AuditContext(tools=session.context, channel=session.channel, scratch=Path(scratch))
        for tag, packages in collect(missing_from(known, tags), context):
            known = known.adding(packages)
            atomic_write(file, render_executables(known).encode())
            say(f"{tag}: {counted(sum(len(package.digests) for package in packages), 'executable')}")


def _complete_releases(session: Session) -> tuple[CodexTag, ...]:
    if not isinstance(session.asked, NpmChannel):
        raise UsageError("--all needs the channel npm", hint="Name the releases, or leave out --channel.")
    return session.asked.complete_releases()


def _propose(arguments: argparse.Namespace) -> int:
    # Slow to import, and no other action needs it.
    from factory.audit.codex.baseline_proposal import extend, proposal  # noqa: PLC0415
    from factory.audit.codex.rebuilt_facts import read_results  # noqa: PLC0415

    results = read_results(arguments.results)
    for name, causes in results.foreign.items():
        say(f"not proposed: {name} ({', '.join(causes)})")
    current = bundled_baseline()
    proposed = replace(
        current,
        published=extend(current.published, results.wheels),
        own=own_shape(bundled_template(), _own_metadata(arguments.own_wheel) or current.own.metadata),
    )
    diff = proposal(current, proposed)
    sys.stdout.write(diff)
    say(f"{len(results.wheels)} rebuilt wheels, {'review the change' if diff else 'no change'}")
    if arguments.write and diff:
        atomic_write(BASELINE_PATH, render_baseline(proposed).encode())
        say(f"wrote {BASELINE_PATH}")
    return EXIT_OK


def _own_metadata(wheel: Path | None) -> tuple[KnownMetadata, ...]:
    return () if wheel is None else (read_own_metadata(wheel),)


def _leave_one_out(arguments: argparse.Namespace) -> int:
    # Slow to import, and no other action needs it.
    from factory.audit.codex.leave_one_out import render_page  # noqa: PLC0415
    from factory.audit.codex.rebuilt_facts import read_results  # noqa: PLC0415

    wheels = read_results(arguments.results).wheels
    if not wheels:
        raise UsageError(
            "no wheel in these results was rebuilt byte for byte",
            hint="Name the results of an audit whose outcome is IDENTICAL for some wheels.",
        )
    sys.stdout.write(render_page(wheels))
    return EXIT_OK
