"""The options that say which channel to take release packages from."""

import argparse
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from factory.cli.settings import Settings
from factory.core.errors import UsageError
from factory.core.model import ChannelName
from factory.release.channels import Channel
from factory.release.channels.directory import DirectoryChannel
from factory.release.channels.github import API, REPOSITORY, GithubChannel
from factory.release.channels.npm import NpmChannel, default_npm_registry, npm_registry_from_client
from factory.system.http import HttpClient
from factory.system.process import Runner


def add_channel_options(parser: argparse.ArgumentParser) -> None:
    """Add the options to a command."""
    group = parser.add_argument_group("channel")
    group.add_argument(
        "--channel",
        choices=[name.value for name in ChannelName],
        default=ChannelName.NPM.value,
        help="where release packages come from (default: npm)",
    )
    group.add_argument(
        "--directory",
        type=Path,
        metavar="DIR",
        help="for --channel directory: a folder of release packages with SHA256SUMS",
    )
    group.add_argument("--npm-registry", metavar="URL", help="address of the npm registry")
    group.add_argument("--github-api", metavar="URL", help="address of the GitHub API")
    group.add_argument(
        "--github-repository", metavar="OWNER/NAME", default=REPOSITORY, help="default: %(default)s"
    )


@contextmanager
def asking_npm(
    arguments: argparse.Namespace, settings: Settings, runner: Runner, *, stop: threading.Event
) -> Iterator[Callable[[], str]]:
    """Find out the npm registry's address while the caller does something else.

    Starting npm takes as long as importing all that a run needs; neither waits for the
    other. The function given returns the address: from the flag, the environment, npm
    if there is one, else from a library.

    Args:
        arguments: The options.
        settings: The environment.
        runner: Starts npm.
        stop: Is set when the caller fails meanwhile.
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
    """Make the channel that the options name."""
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
