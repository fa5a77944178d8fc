"""``factory ci matrix``: print the jobs of a CI matrix."""

import argparse
import threading
from contextlib import closing
from pathlib import Path

from factory.audit.projects.bundled import codex_project
from factory.audit.results import Results, identity_of
from factory.audit.selection import Selection
from factory.build.template import DISTRIBUTION
from factory.ci.matrix import Job, audit_jobs, github_matrix, matrix_json, wheel_jobs
from factory.cli.audited_project import AuditedProject
from factory.cli.channel import asking_npm, open_channel
from factory.cli.console import print_json
from factory.cli.formats import add_output_option
from factory.cli.index import add_index_option, ask_index
from factory.cli.offline import client_of, offline_settings
from factory.cli.options import add_channel_options, platforms_of
from factory.cli.settings import Settings
from factory.core.errors import EXIT_OK, UsageError
from factory.core.model import ChannelName
from factory.core.tags import CodexTag
from factory.release.channels.cached import CachedChannel
from factory.system.cache import Cache
from factory.system.process import SubprocessRunner
from factory.wheels.plan import WheelsRequest, plan_wheels

EPILOG = """\
examples:
  factory ci matrix rust-v0.163.0
  factory ci matrix 0.163.0 --platform win_amd64 --platform win_arm64
  echo "matrix=$(factory ci matrix 0.163.0 --format github)" >> "$GITHUB_OUTPUT"
  factory ci matrix --releases --since 0.160.0 --results audit/ --format github
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "tags", metavar="CODEX_TAG", nargs="*", help="releases to build: one job for each wheel"
    )
    parser.add_argument(
        "--format",
        choices=("json", "github"),
        default="json",
        help="github: one line for a job's matrix; json: for any other CI (default: json)",
    )
    add_output_option(parser)
    parser.add_argument(
        "--platform", action="append", metavar="TAG", help="only jobs of this platform (repeatable)"
    )
    group = parser.add_argument_group("audit jobs")
    group.add_argument(
        "--releases", action="store_true", help="print audit jobs instead, one for each release on the index"
    )
    group.add_argument("--since", metavar="CODEX_TAG", help="skip the releases before this one")
    group.add_argument(
        "--results",
        type=Path,
        metavar="DIR",
        help="skip the releases with a verdict for every wheel in DIR, the --out of 'factory audit'",
    )
    group.add_argument(
        "--project",
        default=DISTRIBUTION,
        metavar="NAME",
        help="project on the index whose versions are those of Codex releases (default: %(default)s)",
    )
    add_index_option(group)
    add_channel_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    settings = Settings.from_environ()
    jobs = _audits(arguments, settings) if arguments.releases else _wheels(arguments, settings)
    if arguments.format == "github":
        print(github_matrix(jobs))
    else:
        print_json(matrix_json(jobs))
    return EXIT_OK


def _wheels(arguments: argparse.Namespace, settings: Settings) -> tuple[Job, ...]:
    for option in ("since", "results"):
        if getattr(arguments, option) is not None:
            raise UsageError(f"--{option} needs --releases", hint="Add --releases, or leave the option out.")
    if not arguments.tags:
        raise UsageError(
            "no release given",
            hint="Name releases (rust-v0.163.0 ...), or give --releases to audit those on the index.",
        )
    platforms = platforms_of(arguments)
    requests = [WheelsRequest(tag=tag, platforms=platforms, out=Path("dist")) for tag in _tags(arguments)]
    stop = threading.Event()
    settings = offline_settings(arguments, settings)
    with (
        asking_npm(arguments, settings, SubprocessRunner(stop), stop=stop) as npm_login,
        closing(client_of(arguments)) as client,
        closing(Cache(settings.cache_dir)) as cache,
    ):
        asked = open_channel(arguments, settings, client=client, npm_login=npm_login())
        channel = CachedChannel(asked, cache)
        return wheel_jobs(plan_wheels(request, channel) for request in requests)


def _audits(arguments: argparse.Namespace, settings: Settings) -> tuple[Job, ...]:
    selection = Selection(
        tags=_tags(arguments) or None,
        since=None if arguments.since is None else CodexTag.parse(arguments.since),
        platforms=None if arguments.platform is None else tuple(arguments.platform),
    )
    project = AuditedProject(mapping=codex_project(arguments.project))
    with closing(client_of(arguments)) as client:
        listing = ask_index(arguments.index_url, settings, project=project.name, client=client)
    identity = identity_of(listing=listing, channel=ChannelName(arguments.channel), mapping=project.ref)
    return audit_jobs(
        selection.wheels_of(listing), Results(arguments.results or Path("audit"), identity=identity)
    )


def _tags(arguments: argparse.Namespace) -> tuple[CodexTag, ...]:
    return tuple(dict.fromkeys(CodexTag.parse(text) for text in arguments.tags))
