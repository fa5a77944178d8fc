"""``factory doctor``: check what this machine has and what is missing."""

import argparse
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import partial

from factory.audit.index import page_url
from factory.audit.index_settings.setting import Setting
from factory.build.recipe import BACKEND_VERSION
from factory.build.template import DISTRIBUTION
from factory.build.toolchain import lock_for
from factory.cli.channel import asking_npm
from factory.cli.console import Column, say
from factory.cli.encoder import open_encoder
from factory.cli.formats import Format, add_format_options, show_table
from factory.cli.host_report import Ability, Examination, examine_containers, examine_deflate, examine_host
from factory.cli.index import after_refusal, chosen_index
from factory.cli.network_report import Server, examine_certificates, examine_proxy, examine_server
from factory.cli.options import containers_of
from factory.cli.settings import Settings
from factory.core.errors import EXIT_OK, HostError
from factory.core.model import ChannelName
from factory.release.channels.npm import PACKAGE
from factory.release.channels.npm_package import ABBREVIATED, package_url
from factory.system.http import HttpStatusError, RequestsClient, Timeouts, netrc_has, proxy_for
from factory.system.process import SubprocessRunner

EPILOG = """\
examples:
  factory doctor
  factory doctor --format json

exit status:
  0   'factory wheels' can run here
  25  something that it needs is missing or broken; the rows say what to do
"""
_TIMEOUTS = Timeouts(connect_s=5.0, read_s=10.0)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_format_options(parser, Format.MARKDOWN)


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    settings = Settings.from_environ()
    examinations = (
        *examine_host(search_path=settings.search_path, cache_dir=settings.cache_dir),
        *examine_deflate(partial(open_encoder, settings, SubprocessRunner())),
        *_examine_network(settings),
        *examine_containers(containers_of(settings)),
    )
    if arguments.format == Format.TABLE and sys.stdout.isatty():
        from factory.cli.drawing import draw_findings  # noqa: PLC0415 - rich is slow to import

        draw_findings("this host", [(e.ability.value, e.subject, e.detail, e.remedy) for e in examinations])
    else:
        show_table(
            arguments,
            [Column(heading=heading) for heading in ("what", "state", "detail", "remedy")],
            [(e.subject, e.ability.value, e.detail, e.remedy) for e in examinations],
            document=lambda: [_to_json(examination) for examination in examinations],
        )
    return _concluded(examinations)


def _concluded(examinations: Sequence[Examination]) -> int:
    """Say whether the main job can run here, and return the exit status."""
    wrong = [e for e in examinations if e.ability is not Ability.OK]
    needed = ", ".join(e.subject for e in wrong if e.is_required)
    if needed:
        say(f"'factory wheels' cannot run here: {needed}")
        return HostError.exit_code
    optional = ", ".join(e.subject for e in wrong)
    say(f"'factory wheels' can run here{f', without: {optional}' if optional else ''}")
    return EXIT_OK


def _examine_network(settings: Settings) -> Iterator[Examination]:
    """Examine the servers of ``factory wheels`` and ``factory audit``, and what is between."""
    # pip downloads the toolchain from the index, unless an earlier run has made it.
    needs_index = not any(
        settings.cache_dir.glob(f"toolchains/{lock_for(BACKEND_VERSION).name}-*/complete.json")
    )
    servers = (
        ("npm registry", partial(_registry, settings), True),
        ("package index", partial(_index, settings, is_required=needs_index), needs_index),
    )
    proxies: dict[str, str | None] = {}
    with closing(RequestsClient(timeouts=_TIMEOUTS)) as client:
        for subject, find, is_required in servers:

            def found(subject: str = subject, find: "partial[Server]" = find) -> Server:
                server = find()
                proxies[subject] = proxy_for(server.url)
                return server

            yield examine_server(subject, found, client, is_required=is_required, clock=time.perf_counter)
    yield examine_proxy(proxies)
    yield examine_certificates(settings.environ)


def _registry(settings: Settings) -> Server:
    stop = threading.Event()
    options = argparse.Namespace(channel=ChannelName.NPM, npm_registry=None, directory=None)
    with asking_npm(options, settings, SubprocessRunner(stop), stop=stop) as ask:
        login = ask()
    assert login is not None  # noqa: S101 - the channel is npm
    url = package_url(login.registry, PACKAGE)
    credential = login.credential_for(url)
    place = credential.place if credential is not None else _netrc(url)
    return Server(
        url=url,
        shown=f"{login.registry} ({login.place})",
        headers={"Accept": ABBREVIATED, **login.headers_for(url)},
        login=place,
        needed_for="needed to download release packages",
        is_required=True,
    )


def _index(settings: Settings, *, is_required: bool) -> Server:
    return _index_server(chosen_index(None, settings), settings, is_required=is_required)


def _index_server(index: Setting, settings: Settings, *, is_required: bool) -> Server:
    def again(error: HttpStatusError) -> Server | None:
        known = after_refusal(index, error, settings)
        return None if known is None else _index_server(known, settings, is_required=is_required)

    url = page_url(index.value, DISTRIBUTION)
    return Server(
        url=url,
        shown=index.shown,
        login=f"the address in {index.place}" if "@" in url.partition("?")[0] else _netrc(url),
        needed_for="needed for the toolchain" if is_required else "needed by 'factory audit'",
        is_required=is_required,
        again=again,
    )


def _netrc(url: str) -> str:
    return "~/.netrc" if netrc_has(url) else ""


def _to_json(examination: Examination) -> dict[str, object]:
    return {
        "what": examination.subject,
        "state": examination.ability.value,
        "seen": examination.detail,
        "remedy": examination.remedy,
        "required": examination.is_required,
    }
