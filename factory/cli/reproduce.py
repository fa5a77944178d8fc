"""``factory ci reproduce``: build wheels under varied conditions and compare the bytes."""

import argparse
import shutil
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from factory.audit.reproduce.result import State, VariationResult
from factory.build.builder import Engine
from factory.cli.console import Column, say
from factory.cli.formats import Format, add_format_options, show_table
from factory.cli.index import add_index_option
from factory.cli.options import (
    add_channel_options,
    add_image_option,
    add_refresh_option,
    platforms_of,
    settings_with_image,
)
from factory.cli.session import Session, open_session
from factory.core.errors import EXIT_AUDIT_DIFFERS, EXIT_INCONCLUSIVE, EXIT_OK
from factory.core.tags import CodexTag
from factory.wheels.plan import WheelsPlan, WheelsRequest, plan_wheels

if TYPE_CHECKING:
    from factory.audit.reproduce.variations import Variation
    from factory.audit.reproduce.varied_builds import VariedBuilder

EPILOG = """\
examples:
  factory ci reproduce rust-v0.163.0 --platform manylinux_2_17_x86_64
  factory ci reproduce 0.163.0 --platform win_arm64 --variation umask
  factory ci reproduce 0.163.0 --platform win_arm64 --python ~/py313/bin/python
  factory ci reproduce rust-v0.163.0 --all-platforms --together
  factory ci reproduce 0.163.0 --all-platforms --like-published
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("tag", metavar="CODEX_TAG", help="release: rust-v0.163.0, 0.163.0, ...")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument(
        "--platform", action="append", metavar="TAG", help="build the wheel of this platform (repeatable)"
    )
    which.add_argument("--all-platforms", action="store_true", help="build all wheels of the release")
    parser.add_argument(
        "--variation",
        action="append",
        default=[],
        metavar="NAME",
        help="try only this variation (repeatable; default: all)",
    )
    parser.add_argument(
        "--python",
        action="append",
        default=[],
        metavar="PATH",
        help="also build with this interpreter (repeatable; python3.11 to python3.14 are searched on PATH)",
    )
    parser.add_argument(
        "--together",
        action="store_true",
        help="apply all variations at once, and bisect if the bytes differ",
    )
    parser.add_argument(
        "--like-published",
        action="store_true",
        help="build with the recipes inferred from the index's wheels, and compare with those wheels",
    )
    add_index_option(parser)
    add_image_option(parser)
    add_refresh_option(parser)
    add_format_options(parser, Format.MARKDOWN)
    add_channel_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    with (
        open_session(arguments, settings_with_image(arguments)) as session,
        # On the disk of the cache: a release's wheels are 1 GB, too much for a /tmp in memory.
        session.context.cache.lease.scratch("reproduce") as scratch,
    ):
        variations = _variations(arguments)
        plan = _plan(arguments, session)
        outcomes = _reproduce(plan, _builder(session, scratch), variations, is_together=arguments.together)
    _show(outcomes, arguments)
    return _exit_code(outcomes)


def _builder(session: Session, scratch: Path) -> "VariedBuilder":
    from factory.audit.reproduce.varied_builds import VariedBuilder  # noqa: PLC0415 - slow, and the session has imported it
    from factory.cli.context import toolchain_on  # noqa: PLC0415 - as above

    settings, context = session.settings, session.context
    return VariedBuilder(
        context=context,
        toolchain_on=partial(
            toolchain_on,
            settings=settings,
            runner=context.runner,
            progress=context.progress,
            cache=context.cache,
        ),
        find_program=partial(shutil.which, path=settings.search_path),
        env=settings.environ,
        scratch=scratch,
    )


def _variations(arguments: argparse.Namespace) -> "tuple[Variation, ...]":
    """Return the named variations, or all, and one for each named interpreter."""
    from factory.audit.reproduce.variations import OtherInterpreter, Variation, variations_named  # noqa: PLC0415 - as above

    interpreters = (
        Variation(name=f"python {path}", change=OtherInterpreter(program=path)) for path in arguments.python
    )
    return (*variations_named(arguments.variation), *interpreters)


def _plan(arguments: argparse.Namespace, session: Session) -> WheelsPlan:
    request = WheelsRequest(
        tag=CodexTag.parse(arguments.tag),
        platforms=None,
        out=session.context.cache.root,  # required, but not written to
        engine=Engine.BACKEND,
        is_fresh=True,
    )
    if arguments.like_published:
        from factory.cli.like_published import plan_as_published  # noqa: PLC0415 - it imports the audit

        return plan_as_published(arguments, request, session)
    return plan_wheels(replace(request, platforms=platforms_of(arguments)), session.channel)


def _reproduce(
    plan: WheelsPlan, builder: "VariedBuilder", variations: "Sequence[Variation]", *, is_together: bool
) -> tuple[VariationResult, ...]:
    """Print each outcome at once, because all of them take minutes."""
    from factory.audit.reproduce.reproduction import reproduce  # noqa: PLC0415 - as above

    outcomes = []
    for outcome in reproduce(plan, builder, variations, is_together=is_together):
        say(f"{outcome.variation}: {outcome.platform} {outcome.state}")
        outcomes.append(outcome)
    return tuple(outcomes)


def _show(outcomes: Sequence[VariationResult], arguments: argparse.Namespace) -> None:
    show_table(
        arguments,
        (
            Column(heading="wheel"),
            Column(heading="variation"),
            Column(heading="state"),
            Column(heading="sha256", is_cut=True),
            Column(heading="detail"),
        ),
        [
            (one.platform, one.variation, one.state.value, one.sha256 or "", one.detail)
            for one in sorted(outcomes, key=lambda one: one.platform)
        ],
        document=lambda: {"version": 2, "outcomes": [asdict(outcome) for outcome in outcomes]},
    )


def _exit_code(outcomes: Sequence[VariationResult]) -> int:
    """A refused variation counts as equal; if no variation was tried, the result is inconclusive."""
    states = {outcome.state for outcome in outcomes}
    if State.DIFFERENT in states:
        return EXIT_AUDIT_DIFFERS
    is_conclusive = State.FAILED not in states and not states.isdisjoint({State.EQUAL, State.REFUSED})
    return EXIT_OK if is_conclusive else EXIT_INCONCLUSIVE
