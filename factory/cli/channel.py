"""Open the channel that the options name."""

import argparse
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from factory.cli.client_files import npm_files
from factory.cli.console import say
from factory.cli.options import parse_size
from factory.cli.settings import Settings
from factory.core.addresses import split_address
from factory.core.errors import UsageError
from factory.core.model import ChannelName
from factory.release.channels import Channel
from factory.release.channels.directory import DirectoryChannel
from factory.release.channels.github import API, GithubChannel
from factory.release.channels.npm import (
    SCOPE,
    NpmChannel,
    default_npm_registry,
    npm_registry_from_client,
    registry_keys,
)
from factory.release.channels.npm_login import NpmLogin
from factory.release.channels.npm_settings import NpmSetting, read_npm_settings
from factory.system.http import HttpClient, RequestsClient, Timeouts
from factory.system.process import Runner
from factory.system.retry import RetryPolicy


@contextmanager
def asking_npm(
    arguments: argparse.Namespace,
    settings: Settings,
    runner: Runner,
    *,
    stop: threading.Event,
    scope: str | None = SCOPE,
) -> Iterator[Callable[[], NpmLogin | None]]:
    """Yield a function that returns the npm registry and its credentials; None for another channel.

    The address comes from the option, the environment, npm's configuration or a library's constant,
    in this order. A registry of the scope goes before the general one, as in npm. npm itself is asked
    only if neither its variables nor its files name a registry, since some systems build one in. npm
    takes as long to start as the imports of a run take, so both go on together. ``stop`` is set when
    the caller fails meanwhile.
    """
    if arguments.directory is not None and arguments.channel != ChannelName.DIRECTORY:
        raise UsageError(
            f"--directory is not used with --channel {arguments.channel}",
            hint="Add --channel directory, or leave --directory out.",
        )
    if arguments.channel != ChannelName.NPM:
        yield lambda: None
        return
    configured = read_npm_settings(settings.environ, npm_files(settings))
    found = _configured_login(arguments.npm_registry, settings, configured, scope)
    if found is not None:
        yield lambda: found
        return
    with ThreadPoolExecutor(max_workers=1) as pool:
        asked = pool.submit(npm_registry_from_client, runner, env=settings.environ, scope=scope)

        def login() -> NpmLogin:
            if (address := asked.result()) is not None:
                return NpmLogin.of(address, "npm config", configured)
            return NpmLogin.of(default_npm_registry(), "the default of npm", configured)

        try:
            yield login
        except BaseException:
            stop.set()
            raise


def open_client(arguments: argparse.Namespace) -> RequestsClient:
    """Return a client with the limits of the channel options; it prints why it waits."""
    timeouts = Timeouts(
        min_rate=parse_size(arguments.min_rate),
        rate_window_s=arguments.min_rate_time,
        total_s=arguments.max_time,
    )
    return RequestsClient(retry=RetryPolicy(report=say), timeouts=timeouts)


def _configured_login(
    option: str | None, settings: Settings, configured: Mapping[str, NpmSetting], scope: str | None
) -> NpmLogin | None:
    """Return the registry that the option, the environment or npm's files name."""
    for address, place in ((option, "--npm-registry"), (settings.npm_registry, "FACTORY_NPM_REGISTRY")):
        if address:
            return NpmLogin.of(address, place, configured)
    for key in registry_keys(scope):
        if key in configured and configured[key].required:
            return NpmLogin.of(configured[key].value, configured[key].place, configured)
    return None


def open_channel(
    arguments: argparse.Namespace, settings: Settings, *, client: HttpClient, npm_login: NpmLogin | None
) -> Channel:
    """Return the channel that the options name."""
    match ChannelName(arguments.channel):
        case ChannelName.NPM:
            assert npm_login is not None  # noqa: S101 - the caller asked npm
            return NpmChannel(client, login=npm_login)
        case ChannelName.GITHUB:
            return GithubChannel(
                client,
                api=_checked_api(arguments.github_api or settings.github_api or API),
                repository=arguments.github_repository,
                token=settings.github_token,
            )
        case ChannelName.DIRECTORY:
            if arguments.directory is None:
                raise UsageError("--channel directory needs a directory", hint="Add --directory DIR.")
            return DirectoryChannel(arguments.directory)


def _checked_api(address: str) -> str:
    if split_address(address) is None:  # it is not repeated: it may have a password
        raise UsageError(
            "the address of the GitHub API is not valid",
            hint="Give one with https:// or http:// with --github-api.",
        )
    return address
