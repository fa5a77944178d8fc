"""``factory sdk make``: every step from a release to an SDK that installs from a directory.

Each step is a command that can also be run by itself; it is printed before it runs.
"""

import argparse
import shlex
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from factory.cli.console import say
from factory.cli.index import add_index_option, ask_index
from factory.cli.options import (
    add_channel_options,
    add_jobs_option,
    add_pip_options,
    add_refresh_option,
    platforms_of,
    this_pip,
)
from factory.cli.session import open_session
from factory.cli.settings import Settings
from factory.core.errors import EXIT_OK, VerificationError
from factory.core.tags import CodexTag
from factory.core.targets import PLATFORMS, Platform
from factory.sdk.pip import is_exact_requirement
from factory.sdk.wheelhouse import fill_wheelhouse
from factory.system.http import HttpStatusError, RequestsClient

EPILOG = """\
examples:
  factory sdk make rust-v0.171.0
  factory sdk make 0.163.0 --sdk own
  factory sdk make 0.171.0 --sdk openai-codex==0.163.0
  python -m pip install --no-index --find-links sdk/0.171.0/wheels \\
      codex-wheel-factory-sdk
"""
OFFICIAL = "openai-codex"
OWN = "own"
_NOT_FOUND = 404


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeWheels:
    """What became of the platforms of a release.

    Attributes:
        not_released: The channel has no package for them.
        refused: Their wheels have errors.
        not_selected: The settings of 'factory wheels' leave them out.
    """

    directory: Path
    not_released: tuple[Platform, ...]
    refused: tuple[Platform, ...]
    not_selected: tuple[Platform, ...]

    @property
    def missing(self) -> tuple[Platform, ...]:
        """The platforms without a wheel, in table order."""
        without = {*self.not_released, *self.refused, *self.not_selected}
        return tuple(each for each in PLATFORMS if each in without)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("codex_tag", metavar="CODEX_TAG", help="release, in any spelling")
    parser.add_argument(
        "--sdk",
        metavar="own|REQUIREMENT|PATH",
        help=f"the SDK: an own one, or any that pins the runtime (default: {OFFICIAL} of the same version"
        " if the index has it, else an own one)",
    )
    parser.add_argument(
        "--out", type=Path, default=Path("dist"), metavar="DIR", help="runtime wheels (default: dist)"
    )
    parser.add_argument(
        "--sdk-out", type=Path, default=Path("sdk"), metavar="DIR", help="SDK and wheelhouse (default: sdk)"
    )
    parser.add_argument("--accept-waivers", action="store_true", help="accept waived error findings")
    add_jobs_option(parser, "tasks")
    add_refresh_option(parser)
    add_index_option(parser)
    add_pip_options(parser)
    add_channel_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    tag = CodexTag.parse(arguments.codex_tag)
    made = _make_wheels(arguments, tag)
    sdk = arguments.sdk or _default_sdk(arguments, tag)
    stage = arguments.sdk_out / tag.pep440 / "project"
    without = _repeated("--without", made.missing)
    source = _source_words(sdk, tag)
    pip = (*_repeated("--find-links", arguments.find_links), *(("--no-index",) if arguments.no_index else ()))
    index = () if arguments.index_url is None else ("--index-url", arguments.index_url)
    channel = _channel_words(arguments)
    options = (*source, *without, *pip, *index, *channel)
    _step("sdk", "stage", str(stage), "--codex-version", tag.pep440, *options)
    _step("sdk", "accept", str(made.directory), "--sdk", str(stage), *pip, *_jobs(arguments))
    waived = ("--accept-waivers",) if arguments.accept_waivers else ()
    terms = ("--require-acceptance", "--format", "requirement", *without, *waived)
    _step("sdk", "pin", str(made.directory), *terms)
    wheelhouse = arguments.sdk_out / tag.pep440 / "wheels"
    with tempfile.TemporaryDirectory(prefix="factory-sdk-") as scratch:
        name = fill_wheelhouse(
            wheelhouse, runtime=made.directory, sdk=stage, pip=this_pip(arguments), scratch=Path(scratch)
        )
    _report(made)
    say(f"install it with: python -m pip install --no-index --find-links {wheelhouse} {name}")
    return EXIT_OK


def _make_wheels(arguments: argparse.Namespace, tag: CodexTag) -> MadeWheels:
    """Build the wheels of all selected platforms; if some have errors, those of the others."""
    from factory.cli.parser import make_parser  # noqa: PLC0415 - the parser imports this module

    with open_session(arguments, Settings.from_environ()) as session:
        released = session.channel.assets(tag)
    known = tuple(each for each in PLATFORMS if released.for_target(each.target) is not None)
    words = ("wheels", tag.pep440, "--out", str(arguments.out), *_channel_words(arguments), *_jobs(arguments))
    selected = platforms_of(make_parser().parse_args(words))
    platforms = tuple(each for each in known if selected is None or each in selected)
    refused: list[Platform] = []
    try:
        _step(*words)
    except VerificationError as error:
        say(f"{error}; each platform is tried alone")
        refused = [each for each in platforms if not _is_made(*words, "--platform", each.tag)]
        if len(refused) == len(platforms):
            raise
    return MadeWheels(
        directory=arguments.out / tag.pep440,
        not_released=tuple(each for each in PLATFORMS if each not in known),
        refused=tuple(refused),
        not_selected=tuple(each for each in known if each not in platforms),
    )


def _is_made(*words: str) -> bool:
    try:
        _step(*words)
    except VerificationError as error:
        say(f"no wheel: {error}")
        return False
    return True


def _default_sdk(arguments: argparse.Namespace, tag: CodexTag) -> str:
    """Return the official SDK of the version if the index has it, else an own one."""
    if arguments.no_index:
        return OWN
    with closing(RequestsClient()) as client:
        try:
            listing = ask_index(arguments.index_url, Settings.from_environ(), project=OFFICIAL, client=client)
        except HttpStatusError as error:
            if error.status != _NOT_FOUND:
                raise
            return OWN
    has_version = any(wheel.version == tag.pep440 for wheel in listing.wheels)
    found = "on the index" if has_version else "not on the index, so the SDK is an own one"
    say(f"{OFFICIAL} {tag.pep440} is {found}")
    return f"{OFFICIAL}=={tag.pep440}" if has_version else OWN


def _source_words(sdk: str, tag: CodexTag) -> tuple[str, ...]:
    """Return the options that stage an SDK; an official one of another release is regenerated."""
    if sdk == OWN:
        return ()
    if not is_exact_requirement(sdk) or Path(sdk).exists():
        return ("--sdk-source", sdk)
    requirement = Requirement(sdk)
    is_other = not requirement.specifier.contains(tag.pep440, prereleases=True)
    is_official = canonicalize_name(requirement.name) == OFFICIAL
    return ("--sdk-source", sdk, *(("--regenerate",) if is_official and is_other else ()))


def _report(made: MadeWheels) -> None:
    for platforms, reason in (
        (made.not_released, "the channel has no package"),
        (made.refused, "its wheel has errors"),
        (made.not_selected, "the settings of 'factory wheels' do not name it"),
    ):
        for platform in platforms:
            say(f"missing: {platform} ({reason})")


def _step(*words: str) -> None:
    """Run another command in this process.

    Raises:
        FactoryError: It failed.
    """
    from factory.cli.parser import make_parser  # noqa: PLC0415 - the parser imports this module

    say(f"$ factory {shlex.join(words)}")
    arguments = make_parser().parse_args(words)
    status: int = arguments.command(arguments)
    if status != EXIT_OK:
        raise VerificationError(
            f"'factory {' '.join(words[:2])}' ended with status {status}",
            hint="Its output above has the reason.",
        )


def _channel_words(arguments: argparse.Namespace) -> tuple[str, ...]:
    options = ("channel", "directory", "npm_registry", "github_api", "github_repository")
    values = {name: getattr(arguments, name) for name in options}
    words = tuple(
        word
        for name, value in values.items()
        if value is not None
        for word in (f"--{name.replace('_', '-')}", str(value))
    )
    return (*words, *(("--refresh",) if arguments.refresh else ()))


def _jobs(arguments: argparse.Namespace) -> tuple[str, ...]:
    return () if arguments.jobs is None else ("--jobs", str(arguments.jobs))


def _repeated(option: str, values: object) -> tuple[str, ...]:
    found = values if isinstance(values, list | tuple) else ()
    return tuple(word for value in found for word in (option, str(value)))
