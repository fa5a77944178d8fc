"""The session of a command that reads release packages: a channel and a run context."""

import argparse
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from factory.cli.console import shown_progress
from factory.cli.options import asking_npm, open_channel
from factory.cli.settings import Settings
from factory.release.channels import Channel
from factory.release.channels.cached import CachedChannel
from factory.release.download import Downloader
from factory.system.cache import Cache
from factory.system.http import RequestsClient
from factory.system.process import SubprocessRunner

if TYPE_CHECKING:
    from factory.wheels.context import RunContext


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What is open while a command runs.

    Attributes:
        settings: The environment.
        channel: Where release packages come from; what it said of a release is remembered.
        context: What a run works with.
    """

    settings: Settings
    channel: Channel
    context: "RunContext"


@contextmanager
def open_session(
    arguments: argparse.Namespace,
    settings: Settings,
    *,
    jobs: int | None = None,
    deflate_limit: str | None = None,
) -> Iterator[Session]:
    """Open what a command needs, with progress shown until the context ends.

    Args:
        arguments: The options: those of `add_channel_options`, and ``refresh``.
        settings: The environment.
        jobs: How many things at once; None for one a core.
        deflate_limit: How much of deflated contents stays, as the options say it, if they do.
    """
    stop = threading.Event()
    runner = SubprocessRunner(stop)
    cache = Cache(settings.cache_dir)
    with (
        asking_npm(arguments, settings, runner, stop=stop) as npm_registry,
        closing(RequestsClient()) as client,
    ):
        # Slow to import, and npm is asked meanwhile.
        import factory.wheels.run  # noqa: F401, PLC0415
        from factory.cli.context import make_run_context  # noqa: PLC0415

        asked = open_channel(arguments, settings, client=client, npm_registry=npm_registry)
        with shown_progress() as progress:
            context = make_run_context(
                settings,
                downloader=Downloader(cache=cache, client=client, progress=progress),
                runner=runner,
                jobs=jobs,
                stop=stop,
                deflate_limit=deflate_limit,
            )
            yield Session(
                settings=settings,
                channel=CachedChannel(asked, cache, refresh=arguments.refresh),
                context=context,
            )
