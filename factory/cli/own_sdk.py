"""The options and the steps of ``factory sdk stage`` for an SDK of our own."""

import argparse
from contextlib import closing

from factory.cli.generate_types import open_maker
from factory.cli.index import add_index_option, ask_index
from factory.cli.options import add_channel_options, add_refresh_option
from factory.cli.settings import Settings
from factory.core.errors import UsageError
from factory.core.tags import CodexTag
from factory.core.targets import Platform
from factory.sdk.client.project import DISTRIBUTION, PACKAGE, SdkNames
from factory.sdk.client.stage import OwnSdkOrder, stage_own_sdk
from factory.sdk.staged_sdk import StagedSdk
from factory.system.http import HttpStatusError, RequestsClient

_NOT_FOUND = 404


def add_own_sdk_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that apply without ``--sdk-source``."""
    group = parser.add_argument_group("options without --sdk-source: make an SDK from the release's schema")
    group.add_argument(
        "--sdk-name", metavar="NAME", help=f"name of the distribution (default: {DISTRIBUTION})"
    )
    group.add_argument("--import-name", metavar="NAME", help=f"name of the package (default: {PACKAGE})")
    group.add_argument(
        "--allow-name-on-index",
        action="store_true",
        help="use the name even if the index has a project of that name, without asking the index",
    )
    group.add_argument(
        "--platform",
        metavar="TAG",
        help="run the runtime of this platform, also with --regenerate (default: this machine's)",
    )
    add_index_option(group)
    add_refresh_option(parser)
    add_channel_options(parser)


def require_no_own_sdk_options(arguments: argparse.Namespace) -> None:
    """Refuse the names of an own SDK beside the source of another.

    Raises:
        UsageError: One is given.
    """
    if arguments.sdk_name or arguments.import_name or arguments.allow_name_on_index:
        raise UsageError(
            "--sdk-name, --import-name and --allow-name-on-index have no use with --sdk-source",
            hint="Leave --sdk-source out to make an SDK from the release's schema.",
        )


def stage_own(arguments: argparse.Namespace, tag: CodexTag, version: str) -> StagedSdk:
    """Generate and stage an SDK of our own for a release.

    Raises:
        UsageError: A name is not usable, or the index has it already.
        FactoryError: The schema or the types cannot be made.
    """
    names = SdkNames(
        distribution=arguments.sdk_name or DISTRIBUTION, package=arguments.import_name or PACKAGE
    )
    order = OwnSdkOrder(
        destination=arguments.destination,
        runtime=tag,
        version=version,
        names=names,
        missing=tuple(Platform.parse(text) for text in arguments.without),
    )
    order.require_usable()
    if not arguments.allow_name_on_index and not arguments.no_index:
        _require_free(names.distribution, arguments)
    with open_maker(arguments) as maker:
        return stage_own_sdk(order, maker)


def _require_free(name: str, arguments: argparse.Namespace) -> None:
    """Refuse a name that the index has: an installer could take the wrong project."""
    with closing(RequestsClient()) as client:
        try:
            ask_index(arguments.index_url, Settings.from_environ(), project=name, client=client)
        except HttpStatusError as error:
            if error.status == _NOT_FOUND:
                return
            raise
    raise UsageError(
        f"the index already has a project {name}, and an installer could take that one",
        hint="Choose another --sdk-name, or give --allow-name-on-index if the project is yours.",
    )
