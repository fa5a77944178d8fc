"""``factory wheels``: build, verify and record the wheels of a Codex release."""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from factory.build.builder import BuilderName, Engine
from factory.cli.console import Column, human_size, say
from factory.cli.formats import Format, add_format_options, show_table
from factory.cli.index import add_index_option
from factory.cli.options import (
    add_authorship_option,
    add_channel_options,
    add_image_option,
    add_jobs_option,
    add_refresh_option,
    add_waiver_options,
    platforms_of,
    settings_with_image,
    waivers_of,
)
from factory.cli.session import Session, open_session
from factory.core.errors import EXIT_OK
from factory.core.tags import CodexTag
from factory.executables.signatures.requirement import Requirement
from factory.wheels.plan import WheelsPlan, WheelsRequest, plan_wheels

if TYPE_CHECKING:
    from factory.wheels.run import WheelsRun

EPILOG = """\
examples:
  factory wheels rust-v0.163.0
  factory wheels 0.163.0 --platform win_amd64 --platform win_arm64
  factory wheels rust-v0.163.0 --dry-run --format json
  factory wheels rust-v0.163.0 --channel directory --directory packages/
  factory wheels rust-v0.163.0 --check-engine
  factory wheels rust-v0.163.0 --builder docker
  factory wheels rust-v0.163.0 --like-published --platform win_amd64
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("tag", metavar="CODEX_TAG", help="release: rust-v0.163.0, 0.163.0, 0.154.0a1, ...")
    parser.add_argument(
        "--platform",
        action="append",
        metavar="TAG",
        help="build only the wheel of this platform (repeatable; default: all platforms of the release)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("dist"),
        metavar="DIR",
        help="write the wheels to DIR/<version>/ (default: dist)",
    )
    parser.add_argument(
        "--engine",
        choices=[engine.value for engine in Engine],
        help="assembler: the fast engine (default); backend: python -m build, the reference"
        " (always used in containers)",
    )
    parser.add_argument(
        "--builder",
        choices=[builder.value for builder in BuilderName],
        default=BuilderName.AUTO.value,
        help="native: this machine; docker: a container without network; cibuildwheel: its container;"
        " auto: docker if an engine with the image is running, else native (default: auto)",
    )
    add_image_option(parser)
    parser.add_argument(
        "--check-engine", action="store_true", help="build with both engines and compare the bytes"
    )
    add_jobs_option(parser, "tasks")
    parser.add_argument(
        "--fresh", action="store_true", help="rebuild existing wheels and compress all files again"
    )
    parser.add_argument(
        "--deflate-limit",
        metavar="SIZE",
        help="size of the compressed files to keep in the cache after the run (default: 8GB)",
    )
    add_refresh_option(parser)
    parser.add_argument(
        "--like-published",
        action="store_true",
        help="reproduce the wheels on the index byte for byte, with the recipes inferred from them;"
        " write them to DIR/<version>-as-published/",
    )
    add_index_option(parser)
    parser.add_argument("--dry-run", action="store_true", help="print the plan and exit")
    add_format_options(parser, Format.MARKDOWN, json="the manifest, or the plan")
    add_channel_options(parser)
    add_waiver_options(parser)
    add_authorship_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    request = _request(arguments)
    settings = settings_with_image(arguments)
    with open_session(
        arguments, settings, jobs=arguments.jobs, deflate_limit=arguments.deflate_limit
    ) as session:
        from factory.wheels.run import make_wheels  # noqa: PLC0415 - slow, and the session has imported it

        request = replace(request, waivers=waivers_of(arguments))
        plan = _plan(arguments, request, session)
        done = None if arguments.dry_run else make_wheels(plan, session.context)
    if done is None:
        _show_plan(plan, arguments)
    else:
        _show_run(plan, done, arguments)
    return EXIT_OK


def _plan(arguments: argparse.Namespace, request: WheelsRequest, session: Session) -> WheelsPlan:
    if not arguments.like_published:
        return plan_wheels(request, session.channel)
    from factory.cli.like_published import plan_as_published  # noqa: PLC0415 - it imports the audit

    return plan_as_published(arguments, request, session)


def _request(arguments: argparse.Namespace) -> WheelsRequest:
    return WheelsRequest(
        tag=CodexTag.parse(arguments.tag),
        # The index may list wheels of platforms that we do not build.
        platforms=None if arguments.like_published else platforms_of(arguments),
        out=arguments.out,
        engine=None if arguments.engine is None else Engine(arguments.engine),
        builder=BuilderName(arguments.builder),
        is_engine_checked=arguments.check_engine,
        is_fresh=arguments.fresh,
        required_authorship=Requirement.parse(arguments.require_authorship),
    )


def _show_plan(plan: WheelsPlan, arguments: argparse.Namespace) -> None:
    rows = [
        (
            planned.name,
            planned.recipe.platform.tag,
            planned.asset.purl,
            str(planned.asset.digest),
        )
        for planned in plan.wheels
    ]
    keys = ("wheel", "platform", "purl", "digest")
    show_table(
        arguments,
        (
            Column(heading="wheel", is_for_pipes=True),
            Column(heading="platform"),
            Column(heading="source"),
            Column(heading="digest", is_cut=True),
        ),
        rows,
        document=lambda: {
            "tag": str(plan.request.tag),
            "wheels": [dict(zip(keys, row, strict=True)) for row in rows],
        },
        title=f"would build in {plan.dist.directory}",
    )
    _report_skipped(plan)


def _show_run(plan: WheelsPlan, done: "WheelsRun", arguments: argparse.Namespace) -> None:
    _report_skipped(plan)
    show_table(
        arguments,
        (
            Column(heading="wheel", is_for_pipes=True),
            Column(heading="platform"),
            Column(heading="size", is_number=True),
            Column(heading="state"),
            Column(heading="sha256", is_cut=True),
        ),
        [
            (
                wheel.name,
                wheel.platform,
                human_size(wheel.size_bytes),
                "built" if wheel.name in done.built else "up to date",
                str(wheel.sha256),
            )
            for wheel in done.manifest.wheels
        ],
        document=done.manifest.to_json,
        title=str(plan.dist.directory),
    )


def _report_skipped(plan: WheelsPlan) -> None:
    for platform in plan.not_released:
        say(f"skipped {platform}: the release has no package for {platform.target}")
