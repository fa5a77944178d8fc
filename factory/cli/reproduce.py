"""``factory reproduce``: the same wheel under other surroundings."""

import argparse
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path

from factory.builders.package import Engine
from factory.channels.remembered import RememberingChannel
from factory.cli.channel_options import add_channel_options, asking_npm, open_channel
from factory.cli.command import Commands, add_command
from factory.cli.console import Column, print_json, print_table, shown_progress
from factory.cli.settings import Settings
from factory.download import Downloader
from factory.errors import EXIT_AUDIT_DIFFERS, EXIT_INCONCLUSIVE, EXIT_OK
from factory.files import writing
from factory.http import RequestsClient
from factory.planning import WheelsOrder, plan_wheels
from factory.process import SubprocessRunner
from factory.store import Store
from factory.tags import CodexTag
from factory.targets import Platform


def register(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "reproduce",
        summary="build one wheel under varied surroundings and compare the bytes",
        examples=(
            "factory reproduce rust-v0.163.0 --platform manylinux_2_17_x86_64",
            "factory reproduce 0.163.0 --platform win_arm64 --variation umask --json",
        ),
        run=_run,
    )
    parser.add_argument("tag", metavar="CODEX_TAG", help="the release: rust-v0.163.0, 0.163.0, ...")
    parser.add_argument("--platform", required=True, metavar="TAG", help="the wheel to build")
    parser.add_argument(
        "--variation", action="append", default=[], metavar="NAME", help="only this one; may be repeated"
    )
    parser.add_argument("--refresh", action="store_true", help="ask the channel again what the release has")
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_channel_options(parser)


@contextmanager
def _scratch(store: Store) -> Iterator[str]:
    """Give a directory on the cache's disk: fifteen wheels are 2 GB, too much for a /tmp in memory."""
    with writing(store.root):
        store.root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="reproduce-", dir=store.root) as directory:
        yield directory


def _run(arguments: argparse.Namespace) -> int:
    settings = Settings.from_environ()
    stop = threading.Event()
    runner = SubprocessRunner(stop)
    store = Store(settings.cache_dir)
    with (
        asking_npm(arguments, settings, runner, stop=stop) as npm_registry,
        closing(RequestsClient()) as client,
        _scratch(store) as out,
        shown_progress() as progress,
    ):
        from factory.cli.workshops import open_workshop  # noqa: PLC0415
        from factory.reproduce.run import reproduce  # noqa: PLC0415
        from factory.reproduce.variations import variations_named  # noqa: PLC0415

        variations = variations_named(tuple(arguments.variation))
        asked = open_channel(arguments, settings, client=client, npm_registry=npm_registry)
        outcomes = reproduce(
            WheelsOrder(
                tag=CodexTag.parse(arguments.tag),
                platforms=(Platform.parse(arguments.platform),),
                out=Path(out),
                engine=Engine.BACKEND,
                is_engine_checked=False,
                is_fresh=True,
            ),
            partial(plan_wheels, channel=RememberingChannel(asked, store, refresh=arguments.refresh)),
            open_workshop(
                settings,
                downloader=Downloader(store=store, client=client, progress=progress),
                runner=runner,
                jobs=None,
                stop=stop,
            ),
            variations,
        )
    if arguments.json:
        print_json({"version": 1, "outcomes": [asdict(outcome) for outcome in outcomes]})
    else:
        print_table(
            tuple(Column(heading=name) for name in ("variation", "state", "sha256", "detail")),
            [(one.variation, one.state, one.sha256 or "", one.detail) for one in outcomes],
        )
    states = {outcome.state for outcome in outcomes}
    if "different" in states:
        return EXIT_AUDIT_DIFFERS
    return EXIT_INCONCLUSIVE if "failed" in states or "equal" not in states else EXIT_OK
