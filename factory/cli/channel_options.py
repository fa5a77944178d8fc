"""The options that say which channel to take release packages from."""

import argparse
from pathlib import Path

from factory.channels import Channel
from factory.channels.directory import DirectoryChannel
from factory.channels.github import API, REPOSITORY, GithubChannel
from factory.channels.npm import NpmChannel, default_npm_registry, npm_registry_from_client
from factory.cli.settings import Settings
from factory.errors import UsageError
from factory.http import HttpClient
from factory.model import ChannelName
from factory.process import Runner


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


def open_channel(
    arguments: argparse.Namespace, settings: Settings, *, client: HttpClient, runner: Runner
) -> Channel:
    """Make the channel that the options name."""
    match ChannelName(arguments.channel):
        case ChannelName.NPM:
            registry = arguments.npm_registry or _npm_registry(settings, runner)
            return NpmChannel(client, registry=registry)
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


def _npm_registry(settings: Settings, runner: Runner) -> str:
    """Take the address from the environment, else from npm if there is one, else from a library."""
    if settings.npm_registry:
        return settings.npm_registry
    return npm_registry_from_client(runner, env=settings.environ) or default_npm_registry()
