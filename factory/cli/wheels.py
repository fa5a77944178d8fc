"""``factory wheels``: the whole run, from a Codex tag to verified wheels."""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from factory.build.builder import BuilderName, Engine
from factory.cli.authorship_option import add_authorship_option
from factory.cli.command import Commands, add_command, positive
from factory.cli.console import Column, human_size, print_json, print_table, say
from factory.cli.image_option import add_image_option, settings_with_image
from factory.cli.options import add_channel_options
from factory.cli.session import Session, open_session
from factory.cli.waiver_options import add_waiver_options, waivers_of
from factory.core.errors import EXIT_OK
from factory.core.tags import CodexTag
from factory.core.targets import Platform
from factory.executables.signatures.requirement import Requirement
from factory.wheels.plan import WheelsPlan, WheelsRequest, plan_wheels

if TYPE_CHECKING:
    from factory.wheels.run import WheelsRun


def register(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "wheels",
        summary="build every platform's wheel of a Codex release",
        examples=(
            "factory wheels rust-v0.163.0",
            "factory wheels 0.163.0 --platform win_amd64 --platform win_arm64 --out wheels/",
            "factory wheels rust-v0.163.0 --dry-run --json",
            "factory wheels rust-v0.163.0 --channel directory --directory packages/",
            "factory wheels rust-v0.163.0 --check-engine",
            "factory wheels rust-v0.163.0 --builder docker",
            "factory wheels rust-v0.163.0 --like-published --platform win_amd64",
        ),
        run=_run,
    )
    parser.add_argument(
        "tag", metavar="CODEX_TAG", help="the release: rust-v0.163.0, 0.163.0, 0.154.0a1, ..."
    )
    parser.add_argument(
        "--platform",
        action="append",
        metavar="TAG",
        help="build this platform's wheel only; may be repeated (default: all that the release has)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("dist"),
        metavar="DIR",
        help="wheels go to DIR/<version>/ (default: dist)",
    )
    parser.add_argument(
        "--engine",
        choices=[engine.value for engine in Engine],
        help="assembler: the fast path (default on this host); backend: python -m build, the reference"
        " (the only one in a container)",
    )
    parser.add_argument(
        "--builder",
        choices=[builder.value for builder in BuilderName],
        default=BuilderName.AUTO.value,
        help="native: this host; docker: a container without network; cibuildwheel: one that cibuildwheel"
        " starts; auto (default): docker where"
        " an engine answers and has the image, else this host",
    )
    add_image_option(parser)
    parser.add_argument(
        "--check-engine", action="store_true", help="build with both engines and compare the bytes"
    )
    parser.add_argument(
        "--jobs", type=positive, metavar="N", help="how many things at once (default: all cores)"
    )
    parser.add_argument(
        "--fresh", action="store_true", help="build again what is there, and compress everything anew"
    )
    parser.add_argument(
        "--deflate-limit",
        metavar="SIZE",
        help="how much of the compressed members stays in the cache afterwards (default: 8GB)",
    )
    parser.add_argument("--refresh", action="store_true", help="ask the channel again what the release has")
    parser.add_argument(
        "--like-published",
        action="store_true",
        help="make the wheels that the index lists, byte for byte, with the recipes that they show;"
        " they go to DIR/<version>-as-published/",
    )
    parser.add_argument(
        "--index-url", metavar="URL", help="address of the index (else pip's, else the public one)"
    )
    parser.add_argument("--dry-run", action="store_true", help="print the plan and stop")
    parser.add_argument("--json", action="store_true", help="print JSON: the manifest, or the plan")
    add_channel_options(parser)
    add_waiver_options(parser)
    add_authorship_option(parser)


def _run(arguments: argparse.Namespace) -> int:
    request = _request(arguments)
    settings = settings_with_image(arguments)
    with open_session(
        arguments, settings, jobs=arguments.jobs, deflate_limit=arguments.deflate_limit
    ) as session:
        from factory.wheels.run import make_wheels  # noqa: PLC0415 - slow, and the session has it by now

        request = replace(request, waivers=waivers_of(arguments))
        plan = _plan(arguments, request, session)
        run = None if arguments.dry_run else make_wheels(plan, session.context)
    if run is None:
        return _show_plan(plan, as_json=arguments.json)
    return _show_run(plan, run, as_json=arguments.json)


def _plan(arguments: argparse.Namespace, request: WheelsRequest, session: Session) -> WheelsPlan:
    if not arguments.like_published:
        return plan_wheels(request, session.channel)
    from factory.cli.like_published import plan_as_published  # noqa: PLC0415 - it imports the audit

    return plan_as_published(arguments, request, session)


def _request(arguments: argparse.Namespace) -> WheelsRequest:
    """Parse the options into one value."""
    platforms = None
    if arguments.platform is not None and not arguments.like_published:
        platforms = tuple(dict.fromkeys(Platform.parse(text) for text in arguments.platform))
    return WheelsRequest(
        tag=CodexTag.parse(arguments.tag),
        platforms=platforms,
        out=arguments.out,
        engine=None if arguments.engine is None else Engine(arguments.engine),
        builder=BuilderName(arguments.builder),
        is_engine_checked=arguments.check_engine,
        is_fresh=arguments.fresh,
        required_authorship=Requirement.parse(arguments.require_authorship),
    )


def _show_plan(plan: WheelsPlan, *, as_json: bool) -> int:
    rows = [
        (
            plan.wheel_name(planned),
            planned.recipe.platform.tag,
            planned.asset.purl,
            str(planned.asset.digest),
        )
        for planned in plan.wheels
    ]
    if as_json:
        keys = ("wheel", "platform", "purl", "digest")
        print_json(
            {"tag": str(plan.request.tag), "wheels": [dict(zip(keys, row, strict=True)) for row in rows]}
        )
        return EXIT_OK
    print_table(
        (
            Column(heading="wheel", is_for_pipes=True),
            Column(heading="platform"),
            Column(heading="from"),
            Column(heading="digest", is_cut=True),
        ),
        rows,
        title=f"would make in {plan.dist.directory}",
    )
    _tell_not_released(plan)
    return EXIT_OK


def _show_run(plan: WheelsPlan, run: "WheelsRun", *, as_json: bool) -> int:
    _tell_not_released(plan)
    if as_json:
        print_json(run.manifest.to_json())
        return EXIT_OK
    print_table(
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
                "made" if wheel.name in run.made else "up to date",
                str(wheel.sha256),
            )
            for wheel in run.manifest.wheels
        ],
        title=str(plan.dist.directory),
    )
    return EXIT_OK


def _tell_not_released(plan: WheelsPlan) -> None:
    for platform in plan.not_released:
        say(f"not made: {platform} (the release has no package for {platform.target})")
