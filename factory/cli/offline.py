"""``--offline BUNDLE``: take packages and build tools from a bundle, and open no connection."""

import argparse
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from factory.cli.channel import open_client
from factory.cli.settings import Settings
from factory.core.addresses import redacted
from factory.core.errors import UpstreamError, UsageError
from factory.core.model import ChannelName
from factory.core.tags import CodexTag
from factory.system.http import HttpResponse, RequestsClient
from factory.system.retry import RetryPolicy


class OfflineClient:
    """An `HttpClient` that sends nothing."""

    retry = RetryPolicy(attempts=1)

    def get(self, url: str, *, headers: Mapping[str, str] | None = None, max_bytes: int) -> bytes:  # noqa: ARG002
        """Refuse to download a document."""
        raise _refusal(url)

    @contextmanager
    def stream(self, url: str, *, headers: Mapping[str, str] | None = None) -> Iterator[HttpResponse]:  # noqa: ARG002
        """Refuse to request a body."""
        raise _refusal(url)

    def close(self) -> None:
        """Close nothing."""


def client_of(arguments: argparse.Namespace) -> RequestsClient | OfflineClient:
    """Return the client for the command's requests."""
    return open_client(arguments) if arguments.offline is None else OfflineClient()


def offline_settings(arguments: argparse.Namespace, settings: Settings) -> Settings:
    """Check the bundle of ``--offline``, and let the channel and pip use it; without the option, do nothing.

    Raises:
        UsageError: The bundle is not one or has another release, or an option contradicts ``--offline``.
        IntegrityError: A file of the bundle is missing or changed.
    """
    if arguments.offline is None:
        return settings
    from factory.wheels.bundle import open_bundle  # noqa: PLC0415 - it is slow to import

    _require_no_server(arguments)
    bundle = open_bundle(arguments.offline)
    for text in _tags(arguments):
        if (tag := CodexTag.parse(text)) != bundle.tag:
            raise UsageError(
                f"the bundle {arguments.offline} has {bundle.tag}, not {tag}",
                hint=f"Give {bundle.tag.pep440}, or another bundle.",
            )
    arguments.channel = ChannelName.DIRECTORY.value
    arguments.directory = bundle.packages
    pip = {**bundle.pip_env, "PIP_CONFIG_FILE": os.devnull}
    return replace(settings, environ={**settings.environ, **pip})


def _require_no_server(arguments: argparse.Namespace) -> None:
    others = {
        "--channel": None if arguments.channel == ChannelName.NPM else arguments.channel,
        "--directory": arguments.directory,
        "--npm-registry": arguments.npm_registry,
        "--github-api": arguments.github_api,
    }
    for option, value in others.items():
        if value is not None:
            raise UsageError(
                f"{option} contradicts --offline, which takes packages from the bundle only",
                hint="Leave one of the two out.",
            )


def _tags(arguments: argparse.Namespace) -> list[str]:
    """Return the releases that the command line names."""
    values = vars(arguments)
    return [text for text in (values.get("tag"), *(values.get("tags") or ())) if text]


def _refusal(url: str) -> UpstreamError:
    return UpstreamError(
        f"{redacted(url)} was not asked: --offline opens no connection",
        hint="Leave --offline out.",
    )
