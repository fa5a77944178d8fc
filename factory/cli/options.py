"""Options that several commands share, and the values that they give."""

import argparse
import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from factory.cli.settings import Settings
from factory.core.errors import UsageError
from factory.core.extras import Extra, needs_to_work
from factory.core.model import ChannelName
from factory.core.tags import CodexTag
from factory.core.targets import Platform
from factory.release.channels.github import REPOSITORY
from factory.sdk.pip import Pip, Sources
from factory.system.containers.engine import ContainerEngine, ContainerSetup
from factory.system.process import Runner, SubprocessRunner
from factory.verify.waiver_file import malformed, read_waivers
from factory.verify.waivers import Waiver

if TYPE_CHECKING:
    from factory.verify.proof import Terms

DEFAULT_IMAGE = "codex-wheel-factory:local"
"""The image that ``make image`` builds."""

_SIZE = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>|k|m|g|t)b?", re.IGNORECASE)
_FACTORS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}


def positive(text: str) -> int:
    """Parse a positive integer, for argparse."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a positive integer, not {text!r}")
    return int(text)


def parse_size(text: str) -> int:
    """Parse a size in bytes, ``10GB`` or ``500 MB``; units are decimal.

    Raises:
        UsageError: The text is not a size.
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"{text!r} is not a size", hint="Write a number with a unit: 500MB, 10GB.")
    return int(float(match["number"]) * _FACTORS[match["unit"].lower()])


def add_jobs_option(parser: argparse.ArgumentParser, what: str) -> None:
    """Add ``--jobs``."""
    parser.add_argument(
        "--jobs", type=positive, metavar="N", help=f"number of {what} at once (default: all cores)"
    )


def add_channel_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that `factory.cli.channel` reads."""
    group = parser.add_argument_group("channel options")
    group.add_argument(
        "--channel",
        choices=[name.value for name in ChannelName],
        default=ChannelName.NPM.value,
        help="source of the release packages (default: npm)",
    )
    group.add_argument(
        "--directory",
        type=Path,
        metavar="DIR",
        help="directory of release packages and SHA256SUMS, for --channel directory",
    )
    group.add_argument(
        "--min-rate",
        metavar="SIZE",
        default="1kB",
        help="give up on a server that sends less in a second, on average over --min-rate-time; 0 for any"
        " rate (default: %(default)s)",
    )
    group.add_argument(
        "--min-rate-time", metavar="SECONDS", type=positive, default=60, help="(default: %(default)s)"
    )
    group.add_argument(
        "--max-time",
        metavar="SECONDS",
        type=positive,
        default=21600,
        help="give up if servers have not sent everything by then (default: %(default)s, 6 hours)",
    )
    group.add_argument(
        "--offline",
        type=Path,
        metavar="BUNDLE",
        help="use only this directory, which 'factory bundle' made, and no network",
    )
    group.add_argument("--npm-registry", metavar="URL", help="URL of the npm registry")
    group.add_argument("--github-api", metavar="URL", help="URL of the GitHub API")
    group.add_argument(
        "--github-repository",
        metavar="OWNER/NAME",
        default=REPOSITORY,
        help="repository of the releases (default: %(default)s)",
    )


def add_refresh_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--refresh``."""
    parser.add_argument(
        "--refresh", action="store_true", help="ask the channel again instead of using its stored answers"
    )


def add_release_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that `named_release` reads: upstream's, under both of their names."""
    parser.add_argument("--codex-version", metavar="TAG", help="the runtime's release, in any spelling")
    parser.add_argument("--runtime-version", metavar="TAG", help="older name of --codex-version")


def named_release(arguments: argparse.Namespace) -> CodexTag:
    """Return the release that ``--codex-version`` or its older name gives.

    Raises:
        UsageError: Neither is given, or both are and differ.
    """
    texts = [text for text in (arguments.codex_version, arguments.runtime_version) if text is not None]
    if not texts:
        raise UsageError("no release given", hint="Give --codex-version, for example rust-v0.163.0.")
    tags = [CodexTag.parse(text) for text in texts]
    if tags[0] != tags[-1]:
        raise UsageError(
            f"--codex-version is {tags[0].pep440}, but --runtime-version is {tags[-1].pep440}",
            hint="Give only --codex-version; --runtime-version is its older name.",
        )
    return tags[0]


def platforms_of(arguments: argparse.Namespace) -> tuple[Platform, ...] | None:
    """Return the platforms that ``--platform`` names, each once; None if it is not given."""
    if arguments.platform is None:
        return None
    return tuple(dict.fromkeys(Platform.parse(text) for text in arguments.platform))


def add_image_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--image``."""
    parser.add_argument(
        "--image",
        metavar="REF",
        help=f"builder image: a name, NAME@sha256:... or an ID (default: {DEFAULT_IMAGE})",
    )


def settings_with_image(arguments: argparse.Namespace) -> Settings:
    """Read the settings; ``--image`` overrides the environment's."""
    settings = Settings.from_environ()
    return settings if arguments.image is None else replace(settings, image=arguments.image)


def containers_of(settings: Settings) -> ContainerSetup:
    """Return the engine, which is not started yet, and the builder image."""
    return ContainerSetup(open_engine=partial(_open_engine, settings), image=settings.image or DEFAULT_IMAGE)


def _open_engine(settings: Settings) -> AbstractContextManager[ContainerEngine]:
    with needs_to_work(Extra.DOCKER, "a container engine"):
        from factory.system.containers.docker_engine import open_engine  # noqa: PLC0415 - the SDK is slow to import

    return open_engine(settings.environ)


def add_authorship_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--require-authorship``, which `Requirement.parse` reads."""
    parser.add_argument(
        "--require-authorship",
        metavar="PLATFORMS",
        default="",
        help="fail unless every executable of these platforms has a verified author;"
        " comma-separated: platform tags, linux, macos, windows or all",
    )


def add_waiver_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that `waivers_of` reads."""
    group = parser.add_argument_group("waiver options")
    group.add_argument(
        "--allow",
        action="append",
        default=[],
        metavar="ID:PATTERN=REASON",
        help="accept the findings of check ID at places that match PATTERN (repeatable)",
    )
    group.add_argument(
        "--waivers",
        type=Path,
        metavar="FILE",
        help="TOML file with tables [tool.factory.waivers.ID] of 'PATTERN' = 'REASON'"
        " (default: ./pyproject.toml)",
    )


def waivers_of(arguments: argparse.Namespace) -> tuple[Waiver, ...]:
    """Read the waivers of the options, or of the project in the current directory.

    Raises:
        UsageError: A waiver is malformed or names an unknown check, or the named file has no waivers.
    """
    from factory.verify.catalogue import require_known  # noqa: PLC0415 - it imports every check

    waivers = (*_waivers_of_file(arguments.waivers), *(Waiver.parse(text) for text in arguments.allow))
    require_known(waivers)
    return waivers


def _waivers_of_file(named: Path | None) -> Sequence[Waiver]:
    if named is not None:
        waivers = read_waivers(named)
        if waivers is None:
            raise malformed(named, "it has no waivers")
        return waivers
    here = Path("pyproject.toml")
    return (read_waivers(here) or ()) if here.is_file() else ()


def add_terms_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that `terms_of` reads."""
    parser.add_argument(
        "--accept-waivers", action="store_true", help="accept wheels with waived error findings"
    )
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        metavar="PLATFORM",
        help="accept that the wheel of this platform is missing (repeatable)",
    )
    parser.add_argument(
        "--require-acceptance",
        action="store_true",
        help="require a wheel that passed 'factory sdk accept' completely",
    )


def terms_of(arguments: argparse.Namespace) -> "Terms":
    """Return the terms on which a manifest is accepted."""
    from factory.verify.proof import Terms  # noqa: PLC0415 - it imports every check

    return Terms(
        accepts_waivers=arguments.accept_waivers,
        without=tuple(Platform.parse(text) for text in arguments.without),
        needs_acceptance=arguments.require_acceptance,
    )


def add_pip_options(parser: argparse.ArgumentParser) -> None:
    """Add pip's options for local directories, which `this_pip` reads."""
    parser.add_argument(
        "--find-links",
        action="append",
        type=Path,
        default=[],
        metavar="DIR",
        help="let pip search this directory as well (repeatable)",
    )
    parser.add_argument("--no-index", action="store_true", help="let pip search only --find-links")


def this_pip(arguments: argparse.Namespace, runner: Runner | None = None) -> Pip:
    """Return a pip for this interpreter, with the user's configuration and the options."""
    from factory.cli.pip_python import python_with_pip  # noqa: PLC0415 - it imports the toolchains

    settings = Settings.from_environ()
    runner = runner or SubprocessRunner()
    return Pip(
        python=python_with_pip(settings, runner),
        env=settings.environ,
        runner=runner,
        sources=Sources(find_links=tuple(arguments.find_links), is_local=arguments.no_index),
    )
