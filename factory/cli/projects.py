"""``factory projects``: list the mappings of projects, and draft one."""

import argparse
import tempfile
from collections.abc import Collection
from functools import partial
from pathlib import Path

from packaging.utils import canonicalize_name
from packaging.version import Version

from factory.audit.audited import AuditedWheel
from factory.audit.index import Listing, PublishedWheel
from factory.audit.projects.bundled import bundled_mapping, bundled_projects
from factory.audit.projects.draft import draft_mapping, likely_version, quoted, rule_for
from factory.audit.projects.mapping import MappedPlatform, ProjectMapping
from factory.audit.projects.mapping_file import parse_mapping
from factory.audit.projects.npm_release import MakerPackages
from factory.audit.projects.version_rule import normalised
from factory.audit.wheel_file import WheelFiles
from factory.cli.console import Column, say
from factory.cli.formats import Format, add_format_options, show_table
from factory.cli.index import add_index_option, ask_index
from factory.cli.options import add_channel_options, add_refresh_option
from factory.cli.session import open_session
from factory.cli.settings import Settings
from factory.core.errors import EXIT_OK, UsageError
from factory.system.cache import made_again
from factory.system.files import atomic_write
from factory.verify.reading.read import read_wheel

EPILOG = """\
examples:
  factory projects
  factory projects --format json
  factory projects draft lefthook --npm lefthook-linux-x64
"""
_USUAL_PLATFORM = ("linux", "x86_64")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_format_options(parser, Format.MARKDOWN)
    actions = parser.add_subparsers(title="actions", metavar="ACTION", dest="action")
    draft = actions.add_parser("draft", help="propose a mapping from one wheel and one npm package")
    draft.add_argument("name", metavar="NAME", help="project on the index")
    draft.add_argument(
        "--npm", required=True, metavar="PACKAGE", help="npm package with the executables of one platform"
    )
    draft.add_argument(
        "--version",
        metavar="VERSION",
        help="version of the project (default: the newest that npm has as well)",
    )
    draft.add_argument(
        "--platform", metavar="TAG", help="platform tag of the wheel (default: Linux on x86-64, or the first)"
    )
    draft.add_argument("--write", type=Path, metavar="FILE", help="write the mapping to FILE, not to stdout")
    add_index_option(draft)
    add_refresh_option(draft)
    add_channel_options(draft)


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    return _draft(arguments) if arguments.action == "draft" else _list(arguments)


def _list(arguments: argparse.Namespace) -> int:
    mappings = [bundled_mapping(name) for name in bundled_projects()]
    headings = ("project", "executables", "npm packages", "reviewed", "about")
    rows = [
        (
            mapping.project,
            mapping.built.value,
            ", ".join(dict.fromkeys(row.package for row in mapping.platforms)),
            ", ".join(_reviewed(mapping)) or "no texts",
            mapping.about,
        )
        for mapping in mappings
    ]
    show_table(
        arguments,
        [Column(heading=heading) for heading in headings],
        rows,
        document=lambda: [_described(mapping) for mapping in mappings],
    )
    return EXIT_OK


def _described(mapping: ProjectMapping) -> dict[str, object]:
    return {
        "project": mapping.project,
        "about": mapping.about,
        "version": mapping.rule.value,
        "built": mapping.built.value,
        "platforms": [{"tags": list(row.tags), "npm": row.package} for row in mapping.platforms],
        "reviewed": list(_reviewed(mapping)),
        "sha256": str(mapping.ref.sha256),
    }


def _reviewed(mapping: ProjectMapping) -> tuple[str, ...]:
    """Return the versions of which every text was reviewed."""
    versions = [one.version for one in mapping.releases if one.texts and not one.unreviewed]
    return tuple(dict.fromkeys(versions))


def _draft(arguments: argparse.Namespace) -> int:
    project = canonicalize_name(arguments.name)
    row = _named_package(arguments.npm)
    scope = row.package.partition("/")[0] if "/" in row.package else None
    with (
        open_session(arguments, Settings.from_environ(), scope=scope) as session,
        tempfile.TemporaryDirectory(prefix="draft-") as directory,
    ):
        tools, scratch = session.context, Path(directory)
        listing = ask_index(
            arguments.index_url, session.settings, project=project, client=tools.downloader.client
        )
        packages = MakerPackages(tools=tools)
        versions = packages.versions(row)
        wheel = _chosen(listing, arguments, versions)
        say(f"wheel: {wheel.name}")
        audited = AuditedWheel(wheel=wheel, reference=wheel)
        with WheelFiles(tools=tools, scratch=scratch).whole(wheel, audited.fetched) as path:
            contents = read_wheel(path, scratch=scratch)
            version = likely_version(contents, wheel.version, versions)
            say(f"npm: {row.package} {version.npm_version}")
            package = made_again(partial(packages.read, row, version.npm_version))
            text = draft_mapping(contents, package, version, project=project, npm=row.package)
    parse_mapping(text.encode(), where="the draft", name="draft", is_bundled=False)
    if arguments.write is None:
        print(text, end="")
    else:
        atomic_write(arguments.write, text.encode())
        say(f"wrote {arguments.write}")
    say("every text in the draft is unreviewed, so an audit with it ends with exit status 11")
    return EXIT_OK


def _named_package(npm: str) -> MappedPlatform:
    """Return a row for a package, after checking its name as that of a mapping."""
    lines = ('project = "draft"', 'about = "draft"', 'version = "same"', "[[platform]]", 'tags = "*"')
    row = (f"npm = {quoted(npm)}", 'executables = { "any" = "any" }')
    content = "\n".join((*lines, *row)).encode()
    checked = parse_mapping(content, where="--npm", name="draft", is_bundled=False)
    return checked.platforms[0]


def _chosen(listing: Listing, arguments: argparse.Namespace, on_npm: Collection[str]) -> PublishedWheel:
    """Return the wheel that the options name, by default of the newest version that npm has as well.

    Raises:
        UsageError: The index has no such wheel.
    """
    wanted = None if arguments.version is None else normalised(arguments.version)
    named = [
        wheel
        for wheel in listing.wheels
        if arguments.version is None or wheel.version == wanted
        if arguments.platform is None or arguments.platform in wheel.platforms
    ]
    if not named:
        asked = " ".join(filter(None, [listing.project, arguments.version, arguments.platform]))
        wrong = [file.reason for file in listing.unexpected if file.name.endswith(".whl")]
        refused = f" that can be audited ({wrong[0]})" if wrong and not listing.wheels else ""
        raise UsageError(
            f"the index has no wheel of {asked}{refused}",
            hint="Check the name, --version and --platform; a project without wheels cannot be audited.",
        )

    def preference(version: str) -> tuple[bool, bool, Version]:
        parsed = Version(version)
        return rule_for(version, on_npm) is not None, not parsed.is_prerelease, parsed

    best = max((wheel.version for wheel in named), key=preference)
    wheels = [wheel for wheel in named if wheel.version == best]
    usual = [wheel for wheel in wheels if all(part in wheel.platform for part in _USUAL_PLATFORM)]
    return min(
        usual or wheels, key=lambda wheel: len(wheel.platforms)
    )  # another tag may need another package
