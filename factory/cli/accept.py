"""``factory accept``: try a runtime with an SDK, and keep what came of it as evidence."""

import argparse
import threading
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from factory.cli.command import Commands, add_command, positive
from factory.cli.console import Column, print_json, print_table, say, shown_progress
from factory.cli.sdk_options import add_sources, this_pip
from factory.cli.settings import Settings
from factory.core.codec import to_json
from factory.core.errors import EXIT_INCONCLUSIVE, EXIT_OK, UsageError
from factory.core.targets import Platform
from factory.manifest.dist import Dist
from factory.manifest.manifest import MANIFEST_NAME
from factory.system.parallel import usable_cores
from factory.system.process import SubprocessRunner

if TYPE_CHECKING:
    from factory.manifest.acceptance import Acceptance
    from factory.sdk.accept.acceptance_run import AcceptanceOrder
    from factory.sdk.accept.wheel_under_test import RuntimeWheel
    from factory.verify.smoke import Host

OFFICIAL_SDK = "openai-codex"


def register(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "accept",
        summary="try a runtime with an SDK, in a clean environment, without account or network",
        examples=(
            "factory accept dist/0.163.0",
            "factory accept dist/0.163.0 --platform manylinux_2_17_aarch64",
            "factory accept dist/0.164.0 --sdk openai-codex==0.163.0 --repin",
            "factory accept some.whl --sdk sdk/ --find-links wheels/ --no-index",
            "factory accept dist/0.163.0 --case tool-calls --case stream-in-order",
        ),
        run=_run,
    )
    parser.add_argument(
        "runtime",
        type=Path,
        metavar="MANIFEST|WHEEL",
        help="a manifest.json, the directory that has it, or a wheel of the runtime",
    )
    parser.add_argument(
        "--sdk",
        metavar="REQUIREMENT|PATH",
        help=f"an exact version, wheel, sdist or project (default: {OFFICIAL_SDK} of the same version)",
    )
    parser.add_argument(
        "--repin", action="store_true", help="pin the SDK to this runtime first, as stage-sdk does"
    )
    parser.add_argument(
        "--platform", metavar="TAG", help="the manifest's wheel to try (default: the one for this host)"
    )
    parser.add_argument(
        "--case", action="append", default=[], metavar="NAME", help="only this case; records nothing"
    )
    parser.add_argument("--no-record", action="store_true", help="leave the manifest as it is")
    parser.add_argument(
        "--jobs", type=positive, metavar="N", help="how many cases at once (default: all cores)"
    )
    add_sources(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def _run(arguments: argparse.Namespace) -> int:
    from factory.cli.host import this_host  # noqa: PLC0415 - slow, and other commands need none of it
    from factory.sdk.accept.acceptance_run import AcceptanceOrder, record, require_accepted  # noqa: PLC0415
    from factory.sdk.accept.cases import cases_named  # noqa: PLC0415

    cases = cases_named(tuple(arguments.case))
    host = this_host(Settings.from_environ(), musl_root=None)
    runtime, dist = _subject(arguments, host)
    order = AcceptanceOrder(
        runtime=runtime,
        sdk=arguments.sdk or f"{OFFICIAL_SDK}=={runtime.tag.pep440}",
        is_repinned=arguments.repin,
        cases=cases,
    )
    acceptance = _accept(order, arguments, host)
    _show(runtime, acceptance, as_json=arguments.json)
    if dist is not None and not arguments.case and not arguments.no_record:
        record(acceptance, runtime, dist)
        say(f"recorded in {arguments.runtime}")
    require_accepted(acceptance, runtime)
    return EXIT_OK if acceptance.has_passed else EXIT_INCONCLUSIVE


def _subject(arguments: argparse.Namespace, host: "Host") -> "tuple[RuntimeWheel, Dist | None]":
    from factory.sdk.accept.wheel_under_test import choose_runtime_wheel, read_runtime_wheel  # noqa: PLC0415
    from factory.verify.proof import read_manifest  # noqa: PLC0415

    path: Path = arguments.runtime
    if path.suffix == ".whl" and not path.is_dir():
        if arguments.platform is not None:
            raise UsageError("--platform chooses a manifest's wheel, and one wheel is given")
        return read_runtime_wheel(path), None
    manifest, place = read_manifest(path)
    platform = None if arguments.platform is None else Platform.parse(arguments.platform)
    runtime = choose_runtime_wheel(manifest, place.parent, platform=platform, host=host)
    return runtime, Dist(directory=place.parent) if place.name == MANIFEST_NAME else None


def _accept(order: "AcceptanceOrder", arguments: argparse.Namespace, host: "Host") -> "Acceptance":
    from factory.sdk.accept.acceptance_run import accept  # noqa: PLC0415
    from factory.sdk.accept.environment import AcceptanceContext  # noqa: PLC0415

    stop = threading.Event()
    with (
        TemporaryDirectory(prefix="factory-accept-", ignore_cleanup_errors=True) as directory,
        shown_progress() as progress,
    ):
        context = AcceptanceContext(
            directory=Path(directory).resolve(),
            host=host,
            pip=this_pip(arguments, SubprocessRunner(stop)),
        )
        jobs = arguments.jobs or usable_cores()
        return accept(order, context, progress=progress, jobs=jobs, stop=stop)


def _show(runtime: "RuntimeWheel", acceptance: "Acceptance", *, as_json: bool) -> None:
    say(f"{runtime.wheel.name} with {acceptance.summary}")
    if as_json:
        wheel = {"name": runtime.wheel.name, "sha256": str(runtime.sha256)}
        print_json({"version": 1, "wheel": wheel, "acceptance": to_json(acceptance)})
        return
    print_table(
        (Column(heading="case"), Column(heading="outcome"), Column(heading="detail")),
        [(result.case, result.outcome.value, result.detail) for result in acceptance.cases],
    )
