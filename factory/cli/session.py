"""Open what a command needs that takes release packages: a channel and a run context."""

import argparse
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from factory.cli.channel import asking_npm, open_channel
from factory.cli.display import shown_progress
from factory.cli.offline import client_of, offline_settings
from factory.cli.settings import Settings
from factory.release.channels import Channel
from factory.release.channels.cached import CachedChannel
from factory.release.channels.npm import SCOPE
from factory.release.download import Downloader
from factory.system.cache import Cache
from factory.system.process import SubprocessRunner

if TYPE_CHECKING:
    from factory.wheels.context import RunContext


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What is open while a command runs.

    Attributes:
        channel: Answers from the cache where it can.
        asked: The channel itself.
    """

    settings: Settings
    channel: Channel
    asked: Channel
    context: "RunContext"


@contextmanager
def open_session(
    arguments: argparse.Namespace,
    settings: Settings,
    *,
    jobs: int | None = None,
    deflate_limit: str | None = None,
    scope: str | None = SCOPE,
) -> Iterator[Session]:
    """Open a session, with progress shown until the context ends.

    Args:
        arguments: The options of `add_channel_options` and `add_refresh_option`.
        settings: The environment.
        jobs: Number of workers; None for one per core.
        scope: The scope of the npm packages, which can have a registry of its own; None for none.
        deflate_limit: Size of the compressed files to keep, with a unit; None for the settings' limit.
    """
    stop = threading.Event()
    runner = SubprocessRunner(stop)
    settings = offline_settings(arguments, settings)
    with (
        closing(Cache(settings.cache_dir)) as cache,
        asking_npm(arguments, settings, runner, stop=stop, scope=scope) as npm_login,
        closing(client_of(arguments)) as client,
    ):
        # Slow to import, so these wait until npm has been started.
        import factory.wheels.run  # noqa: F401, PLC0415
        from factory.cli.context import make_run_context  # noqa: PLC0415

        login = npm_login()
        asked = open_channel(arguments, settings, client=client, npm_login=login)
        with shown_progress() as progress:
            context = make_run_context(
                settings,
                downloader=Downloader(
                    cache=cache, client=client, progress=progress, retry=client.retry, npm_login=login
                ),
                runner=runner,
                jobs=jobs,
                stop=stop,
                deflate_limit=deflate_limit,
            )
            yield Session(
                settings=settings,
                channel=CachedChannel(asked, cache, refresh=arguments.refresh),
                asked=asked,
                context=context,
            )
