"""``factory bundle``: collect all that a machine without a network needs."""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

from factory.cli.console import human_size, print_json, say
from factory.cli.formats import Format, add_format_options
from factory.cli.options import add_channel_options, add_refresh_option, platforms_of
from factory.cli.pip_python import python_with_pip
from factory.cli.program_wheel import program_wheel
from factory.cli.session import Session, open_session
from factory.cli.settings import Settings
from factory.core.errors import EXIT_OK, UsageError
from factory.core.tags import CodexTag

EPILOG = """\
examples:
  factory bundle 0.163.0 --out codex-0.163.0
  factory bundle 0.163.0 --out codex-0.163.0 --platform win_amd64 --no-program
  factory wheels 0.163.0 --offline codex-0.163.0
  factory audit --wheel some.whl --no-index --offline codex-0.163.0
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("tag", metavar="CODEX_TAG", help="release: rust-v0.163.0, 0.163.0, 0.154.0a1, ...")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the directory to make")
    parser.add_argument(
        "--platform",
        action="append",
        metavar="TAG",
        help="only the package of this platform (repeatable; default: all platforms of the release)",
    )
    program = parser.add_mutually_exclusive_group()
    program.add_argument(
        "--no-program", action="store_true", help="leave out this program and its dependencies"
    )
    program.add_argument(
        "--program-wheel",
        type=Path,
        metavar="FILE",
        help="the wheel of this program (default: built from the checkout, or downloaded from the index)",
    )
    add_refresh_option(parser)
    add_format_options(parser)
    add_channel_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    if arguments.offline is not None:
        raise UsageError("a bundle needs a network", hint="Leave --offline out.")
    with (
        TemporaryDirectory(prefix="factory-bundle-", ignore_cleanup_errors=True) as scratch,
        open_session(arguments, Settings.from_environ()) as session,
    ):
        from factory.wheels.bundle import BundleRequest, make_bundle  # noqa: PLC0415 - slow to import

        client = session.context.client
        assert client is not None  # noqa: S101 - every session of the command line has one
        request = BundleRequest(
            tag=CodexTag.parse(arguments.tag),
            platforms=platforms_of(arguments),
            out=arguments.out,
            program=None if arguments.no_program else _program(arguments, session, Path(scratch)),
        )
        bundle = make_bundle(
            request,
            session.channel,
            downloader=session.context.downloader,
            fetch_wheels=client.fetch_wheels,
        )
    size = sum(path.stat().st_size for path in bundle.directory.rglob("*") if path.is_file())
    if arguments.format == Format.JSON:
        print_json({"path": str(bundle.directory), "size_bytes": size, "sha256": str(bundle.sha256)})
    else:
        print(f"{bundle.sha256}  {bundle.directory / 'SHA256SUMS'}")
        say(f"{bundle.directory}: {human_size(size)}; README.md in it says how to use it")
    return EXIT_OK


def _program(arguments: argparse.Namespace, session: Session, scratch: Path) -> Path:
    """Return the wheel of this program."""
    if arguments.program_wheel is not None:
        wheel: Path = arguments.program_wheel
        if not (wheel.is_file() and wheel.name.endswith(".whl")):
            raise UsageError(f"{wheel} is not a wheel", hint="Name the wheel of codex-wheel-factory.")
        return wheel
    return program_wheel(
        toolchain=session.context.toolchain_for,
        python=python_with_pip(session.settings, session.context.runner),
        env=session.settings.environ,
        runner=session.context.runner,
        scratch=scratch,
    )
