"""Where published wheels are listed."""

import sys
from pathlib import Path

from factory.audit.index import Listing, default_index, fetch_listing, index_from_pip
from factory.cli.settings import Settings
from factory.system.http import HttpClient
from factory.system.process import Runner


def ask_index(
    index_url: str | None, settings: Settings, *, project: str, client: HttpClient, runner: Runner
) -> Listing:
    """Return what the index has of a project: the one named, else pip's, else the library's."""
    index = index_url or index_from_pip(runner, python=Path(sys.executable), env=settings.environ)
    return fetch_listing(client, index=index or default_index(), project=project)
