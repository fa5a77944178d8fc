"""``factory reproduce``: the same wheels under other surroundings."""

import argparse
import shutil
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from factory.audit.reproduce.result import State, VariationResult
from factory.build.builder import Engine
from factory.cli.command import Commands, add_command
from factory.cli.console import Column, print_json, print_table, say
from factory.cli.image_option import add_image_option, settings_with_image
from factory.cli.options import add_channel_options
from factory.cli.session import Session, open_session
from factory.core.errors import EXIT_AUDIT_DIFFERS, EXIT_INCONCLUSIVE, EXIT_OK
from factory.core.tags import CodexTag
from factory.core.targets import Platform
from factory.system.scratch import scratch_directory
from factory.wheels.plan import WheelsPlan, WheelsRequest, plan_wheels

if TYPE_CHECKING:
    from factory.audit.reproduce.variations import Variation
    from factory.audit.reproduce.varied_builds import VariedBuilder


def register(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "reproduce",
        summary="build wheels under varied surroundings and compare the bytes",
        examples=(
            "factory reproduce rust-v0.163.0 --platform manylinux_2_17_x86_64",
            "factory reproduce 0.163.0 --platform win_arm64 --variation umask --json",
            "factory reproduce 0.163.0 --platform win_arm64 --python /opt/python3.13/bin/python3",
            "factory reproduce rust-v0.163.0 --all-platforms --together",
            "factory reproduce rust-v0.163.0 --all-platforms --like-published --variation engine",
        ),
        run=_run,
    )
    parser.add_argument("tag", metavar="CODEX_TAG", help="the release: rust-v0.163.0, 0.163.0, ...")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--platform", action="append", metavar="TAG", help="a wheel to build; may be repeated")
    which.add_argument("--all-platforms", action="store_true", help="build all that the release has")
    parser.add_argument(
        "--variation", action="append", default=[], metavar="NAME", help="only this one; may be repeated"
    )
    parser.add_argument(
        "--python",
        action="append",
        default=[],
        metavar="PATH",
        help="build on this interpreter, too; may be repeated (python3.11 to 3.14 are sought on PATH)",
    )
    parser.add_argument(
        "--together",
        action="store_true",
        help="make all surroundings together first and bisect on a difference, not each singly",
    )
    parser.add_argument(
        "--like-published",
        action="store_true",
        help="build with the recipes that the index's wheels show, and compare with the index as well",
    )
    parser.add_argument(
        "--index-url", metavar="URL", help="address of the index (else pip's, else the public one)"
    )
    add_image_option(parser)
    parser.add_argument("--refresh", action="store_true", help="ask the channel again what the release has")
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_channel_options(parser)


def _run(arguments: argparse.Namespace) -> int:
    with (
        open_session(arguments, settings_with_image(arguments)) as session,
        # On the cache's disk: a release's wheels are 1 GB, too much for a /tmp in memory.
        scratch_directory(session.context.cache.root, "reproduce-") as scratch,
    ):
        variations = _variations(arguments)
        plan = _plan(arguments, session)
        outcomes = _reproduce(plan, _builder(session, scratch), variations, is_together=arguments.together)
    _show(outcomes, as_json=arguments.json)
    return _exit_code(outcomes)


def _builder(session: Session, scratch: Path) -> "VariedBuilder":
    from factory.audit.reproduce.varied_builds import VariedBuilder  # noqa: PLC0415 - as above
    from factory.cli.context import toolchain_on  # noqa: PLC0415 - slow, and the session has it by now

    settings, context = session.settings, session.context
    return VariedBuilder(
        workshop=context,
        toolchain_on=partial(
            toolchain_on, settings=settings, runner=context.runner, progress=context.progress
        ),
        find_program=partial(shutil.which, path=settings.environ.get("PATH", "")),
        env=settings.environ,
        scratch=scratch,
    )


def _variations(arguments: argparse.Namespace) -> "tuple[Variation, ...]":
    """Return the variations that are named, or all, and those of the interpreters that are."""
    from factory.audit.reproduce.variations import OtherInterpreter, Variation, variations_named  # noqa: PLC0415

    interpreters = (
        Variation(name=f"python {path}", change=OtherInterpreter(program=path)) for path in arguments.python
    )
    return (*variations_named(arguments.variation), *interpreters)


def _plan(arguments: argparse.Namespace, session: Session) -> WheelsPlan:
    texts = None if arguments.all_platforms else tuple(dict.fromkeys(arguments.platform))
    request = WheelsRequest(
        tag=CodexTag.parse(arguments.tag),
        platforms=None,
        out=session.context.cache.root,  # nothing is published, there or elsewhere
        engine=Engine.BACKEND,
        is_fresh=True,
    )
    if arguments.like_published:
        from factory.cli.like_published import plan_as_published  # noqa: PLC0415 - it imports the audit

        return plan_as_published(arguments, request, session)
    platforms = None if texts is None else tuple(Platform.parse(text) for text in texts)
    return plan_wheels(replace(request, platforms=platforms), session.channel)


def _reproduce(
    plan: WheelsPlan, builder: "VariedBuilder", variations: "Sequence[Variation]", *, is_together: bool
) -> tuple[VariationResult, ...]:
    """Tell each outcome as it comes: all together take minutes."""
    from factory.audit.reproduce.reproduction import reproduce  # noqa: PLC0415

    outcomes = []
    for outcome in reproduce(plan, builder, variations, is_together=is_together):
        say(f"{outcome.variation}: {outcome.platform} {outcome.state}")
        outcomes.append(outcome)
    return tuple(outcomes)


def _show(outcomes: Sequence[VariationResult], *, as_json: bool) -> None:
    if as_json:
        print_json({"version": 2, "outcomes": [asdict(outcome) for outcome in outcomes]})
        return
    print_table(
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
    )


def _exit_code(outcomes: Sequence[VariationResult]) -> int:
    """Refused counts as equal, not tried as nothing: where nothing was tried, nothing is known."""
    states = {outcome.state for outcome in outcomes}
    if State.DIFFERENT in states:
        return EXIT_AUDIT_DIFFERS
    is_known = State.FAILED not in states and not states.isdisjoint({State.EQUAL, State.REFUSED})
    return EXIT_OK if is_known else EXIT_INCONCLUSIVE
