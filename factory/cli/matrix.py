"""``factory matrix``: the jobs that a CI's machines do side by side."""

import argparse
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from factory.build.template import DISTRIBUTION
from factory.cli.command import Commands, add_command
from factory.cli.console import print_json
from factory.cli.options import add_channel_options, asking_npm, open_channel
from factory.cli.settings import Settings
from factory.core.errors import EXIT_OK, UsageError
from factory.core.model import ChannelName
from factory.core.tags import CodexTag
from factory.core.targets import Platform
from factory.release.channels.cached import CachedChannel
from factory.system.cache import Cache
from factory.system.http import RequestsClient
from factory.system.process import SubprocessRunner
from factory.wheels.plan import WheelsRequest, plan_wheels

if TYPE_CHECKING:
    from factory.ci.matrix import Job


class NoRelease(UsageError):
    """Nothing says which releases the matrix is about."""

    hint = "Name releases (rust-v0.163.0 ...), or give --releases for those that the index has."

    def __init__(self) -> None:
        super().__init__("nothing says which releases the matrix is about")


class OnlyForReleases(UsageError):
    """An option makes sense for audits alone."""

    hint = "Add --releases, or leave the option out."

    def __init__(self, option: str) -> None:
        super().__init__(f"{option} goes with --releases")


def register(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "matrix",
        summary="print the jobs that a CI's machines do side by side",
        examples=(
            "factory matrix rust-v0.163.0",
            'echo "matrix=$(factory matrix rust-v0.163.0 --format github)" >> "$GITHUB_OUTPUT"',
            "factory matrix 0.163.0 --platform win_amd64 --platform win_arm64",
            "factory matrix --releases --since 0.160.0 --results audit/ --format github",
        ),
        run=_run,
    )
    parser.add_argument(
        "tags",
        metavar="CODEX_TAG",
        nargs="*",
        help="releases: a job for every wheel that can be made of them",
    )
    parser.add_argument(
        "--format",
        choices=("json", "github"),
        default="json",
        help="github: one line for a job's matrix; json: for any other CI (default)",
    )
    parser.add_argument("--platform", action="append", metavar="TAG", help="jobs of this platform only")
    _add_audit_options(parser)
    add_channel_options(parser)


def _add_audit_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("audits")
    group.add_argument(
        "--releases", action="store_true", help="a job for every release that the index has, to be audited"
    )
    group.add_argument("--since", metavar="CODEX_TAG", help="none of before this release")
    group.add_argument(
        "--results",
        type=Path,
        metavar="DIR",
        help="what 'factory audit --out DIR' wrote: no job for a release whose wheels all have their verdict",
    )
    group.add_argument("--project", default=DISTRIBUTION, metavar="NAME", help="default: %(default)s")
    group.add_argument(
        "--index-url", metavar="URL", help="address of the index (else pip's, else the public one)"
    )


def _run(arguments: argparse.Namespace) -> int:
    from factory.ci.matrix import github_matrix, matrix_json  # noqa: PLC0415 - it imports the audit

    settings = Settings.from_environ()
    jobs = _audits(arguments, settings) if arguments.releases else _wheels(arguments, settings)
    if arguments.format == "github":
        print(github_matrix(jobs))
    else:
        print_json(matrix_json(jobs))
    return EXIT_OK


def _wheels(arguments: argparse.Namespace, settings: Settings) -> "tuple[Job, ...]":
    from factory.ci.matrix import wheel_jobs  # noqa: PLC0415 - as above

    for option in ("since", "results"):
        if getattr(arguments, option) is not None:
            raise OnlyForReleases(f"--{option}")
    if not arguments.tags:
        raise NoRelease
    requests = [
        WheelsRequest(tag=tag, platforms=_platforms(arguments), out=Path("dist")) for tag in _tags(arguments)
    ]
    stop = threading.Event()
    with (
        asking_npm(arguments, settings, SubprocessRunner(stop), stop=stop) as npm_registry,
        closing(RequestsClient()) as client,
    ):
        asked = open_channel(arguments, settings, client=client, npm_registry=npm_registry)
        channel = CachedChannel(asked, Cache(settings.cache_dir))
        return wheel_jobs(plan_wheels(request, channel) for request in requests)


def _audits(arguments: argparse.Namespace, settings: Settings) -> "tuple[Job, ...]":
    from factory.audit.results import Results, identity_of  # noqa: PLC0415 - as above
    from factory.audit.selection import Selection  # noqa: PLC0415 - as above
    from factory.ci.matrix import audit_jobs  # noqa: PLC0415 - as above
    from factory.cli.indexes import ask_index  # noqa: PLC0415 - as above

    selection = Selection(
        tags=_tags(arguments) or None,
        since=None if arguments.since is None else CodexTag.parse(arguments.since),
        platforms=None if arguments.platform is None else tuple(arguments.platform),
    )
    identity = identity_of(project=arguments.project, channel=ChannelName(arguments.channel))
    with closing(RequestsClient()) as client:
        listing = ask_index(
            arguments.index_url,
            settings,
            project=arguments.project,
            client=client,
            runner=SubprocessRunner(threading.Event()),
        )
    return audit_jobs(
        selection.wheels_of(listing), Results(arguments.results or Path("audit"), identity=identity)
    )


def _tags(arguments: argparse.Namespace) -> tuple[CodexTag, ...]:
    return tuple(dict.fromkeys(CodexTag.parse(text) for text in arguments.tags))


def _platforms(arguments: argparse.Namespace) -> tuple[Platform, ...] | None:
    if arguments.platform is None:
        return None
    return tuple(dict.fromkeys(Platform.parse(text) for text in arguments.platform))
