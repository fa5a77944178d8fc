"""Ask the package index that the option or the settings of pip and uv name."""

import argparse
import importlib.util
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

from factory.audit.index import Listing, default_index, fetch_listing
from factory.audit.index_settings.choice import choose_index
from factory.audit.index_settings.keyring import (
    PROGRAM,
    Keyring,
    keyring_providers,
    lacks_credentials,
    lacks_password,
    with_credentials,
    with_password,
)
from factory.audit.index_settings.setting import KeyringProvider, Setting
from factory.build.template import DISTRIBUTION
from factory.cli.client_files import client_files
from factory.cli.console import say
from factory.cli.settings import Settings
from factory.system.http import HttpClient, HttpStatusError
from factory.system.process import SubprocessRunner

_UNAUTHORIZED = 401


def add_index_option(parser: argparse._ActionsContainer) -> None:
    """Add ``--index-url``, which `ask_index` takes."""
    parser.add_argument(
        "--index-url",
        metavar="URL",
        help="URL of the package index (default: the one in the settings of pip and uv)",
    )


def chosen_index(index_url: str | None, settings: Settings, *, project: str = DISTRIBUTION) -> Setting:
    """Return the index that the option or the settings of pip and uv name; its value may have a password."""
    index = choose_index(
        index_url, settings.environ, client_files(settings), project=project, default=default_index()
    )
    return with_password(index, _keyring(settings)) if lacks_password(index) else index


def _keyring(settings: Settings) -> Keyring:
    """Return the module beside this program and the program on PATH, as far as the settings allow them."""
    found = shutil.which(PROGRAM, path=settings.search_path) if settings.search_path else None
    programs = {
        KeyringProvider.IMPORT: (sys.executable, "-m", PROGRAM) if importlib.util.find_spec(PROGRAM) else (),
        KeyringProvider.SUBPROCESS: (str(Path(found).absolute()),) if found else (),
    }
    providers = keyring_providers(settings.environ, client_files(settings), project=DISTRIBUTION)
    return Keyring(
        programs=tuple(filter(None, (programs[provider] for provider in providers))),
        runner=SubprocessRunner(),
        env=settings.environ,
    )


def after_refusal(index: Setting, error: HttpStatusError, settings: Settings) -> Setting | None:
    """Return an index with credentials of the keyring, if it answered 401 and the keyring has some."""
    is_asked = error.status == _UNAUTHORIZED and lacks_credentials(index)
    return with_credentials(index, _keyring(settings)) if is_asked else None


def ask_index(index_url: str | None, settings: Settings, *, project: str, client: HttpClient) -> Listing:
    """Return what an index lists of a project, and say which index it is."""
    index = chosen_index(index_url, settings, project=project)
    say(f"index: {index.shown}")
    asked_at = datetime.now(tz=UTC)
    try:
        listing = fetch_listing(client, index=index.value, project=project, asked_at=asked_at)
    except HttpStatusError as error:
        known = after_refusal(index, error, settings)
        if known is None:
            raise
        say(f"the index requires credentials: {known.shown}")
        listing = fetch_listing(client, index=known.value, project=project, asked_at=asked_at)
    for note in listing.notes:
        say(f"note: {note}")
    return listing
