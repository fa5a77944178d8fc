"""Open the channel that the options name."""

import argparse
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from factory.cli.settings import Settings
from factory.core.errors import UsageError
from factory.core.model import ChannelName
from factory.release.channels import Channel
from factory.release.channels.directory import DirectoryChannel
from factory.release.channels.github import API, GithubChannel
from factory.release.channels.npm import NpmChannel, default_npm_registry, npm_registry_from_client
from factory.system.http import HttpClient
from factory.system.process import Runner


@contextmanager
def asking_npm(
    arguments: argparse.Namespace, settings: Settings, runner: Runner, *, stop: threading.Event
) -> Iterator[Callable[[], str]]:
    """Ask npm for its registry in the background, and yield a function that returns the URL.

    npm takes as long to start as the imports of a run take, so both go on together. The
    URL comes from the option, the environment, npm's configuration or a library's constant,
    in this order. ``stop`` is set when the caller fails meanwhile.
    """
    known = arguments.npm_registry or settings.npm_registry
    if known is not None or arguments.channel != ChannelName.NPM:
        yield lambda: known or default_npm_registry()
        return
    with ThreadPoolExecutor(max_workers=1) as pool:
        asked = pool.submit(npm_registry_from_client, runner, env=settings.environ)
        try:
            yield lambda: asked.result() or default_npm_registry()
        except BaseException:
            stop.set()
            raise


def open_channel(
    arguments: argparse.Namespace, settings: Settings, *, client: HttpClient, npm_registry: Callable[[], str]
) -> Channel:
    """Return the channel that the options name."""
    match ChannelName(arguments.channel):
        case ChannelName.NPM:
            return NpmChannel(client, registry=npm_registry())
        case ChannelName.GITHUB:
            return GithubChannel(
                client,
                api=arguments.github_api or settings.github_api or API,
                repository=arguments.github_repository,
                token=settings.github_token,
            )
        case ChannelName.DIRECTORY:
            if arguments.directory is None:
                raise UsageError("--channel directory needs a directory", hint="Add --directory DIR.")
            return DirectoryChannel(arguments.directory)
