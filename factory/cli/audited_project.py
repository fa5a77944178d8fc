"""The project of an audit: Codex itself, or another one with a mapping."""

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.utils import canonicalize_name

from factory.audit.codex.auditor import CodexAuditor
from factory.audit.context import AuditContext
from factory.audit.index import Listing
from factory.audit.known import Known
from factory.audit.projects.auditor import MappedAuditor
from factory.audit.projects.bundled import mapping_of
from factory.audit.projects.mapping import Built, ProjectMapping
from factory.audit.projects.mapping_file import read_mapping
from factory.audit.projects.npm_release import MakerPackages
from factory.audit.projects.version_rule import VersionRule, normalised
from factory.audit.run import Auditor
from factory.audit.selection import ProjectVersion, Release, Selection
from factory.audit.verdict import AuditReport, MappingRef
from factory.build.template import DISTRIBUTION
from factory.cli.console import say
from factory.core.counted import counted
from factory.core.errors import UsageError
from factory.core.model import ChannelName
from factory.core.tags import CodexTag


def add_project_options(group: argparse._ActionsContainer) -> None:
    """Add ``--project`` and ``--mapping``."""
    group.add_argument(
        "--project",
        metavar="NAME",
        help=f"project on the index; 'factory projects' lists them (default: {DISTRIBUTION})",
    )
    group.add_argument(
        "--mapping",
        type=Path,
        metavar="FILE",
        help="TOML file that says which npm packages have the executables of the project's wheels; the report"
        " names it, and it never leads to a summary",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedProject:
    """The project of an audit.

    Attributes:
        mapping: How its wheels relate to npm.
    """

    mapping: ProjectMapping

    @classmethod
    def parse(cls, arguments: argparse.Namespace) -> "AuditedProject":
        """Return the project that the options name.

        Raises:
            UsageError: It has no mapping, the mapping is malformed, or the options contradict each other.
        """
        project = cls(mapping=_mapping(arguments.project, arguments.mapping))
        if not project.has_recipe and arguments.channel != ChannelName.NPM:
            raise UsageError(
                f"the mapping of {project.name} names packages of npm, not of channel {arguments.channel}",
                hint="Leave --channel out.",
            )
        return project

    @property
    def name(self) -> str:
        """Its normalised name."""
        return self.mapping.project

    @property
    def has_recipe(self) -> bool:
        """Whether its wheels are rebuilt with an inferred recipe, and its texts are in the baseline."""
        return self.mapping.built is Built.BY_RECIPE

    @property
    def ref(self) -> MappingRef | None:
        """The mapping, for reports; None for Codex itself."""
        return None if self.has_recipe else self.mapping.ref

    def release(self, text: str) -> Release:
        """Return a release that the user names.

        Raises:
            UsageError: It is not a version.
        """
        if self.has_recipe:
            return CodexTag.parse(text)
        if self.mapping.rule is VersionRule.CODEX:
            return ProjectVersion(project=self.name, pep440=CodexTag.parse(text).pep440)
        version = normalised(text)
        if version is None:
            raise UsageError(
                f"{text!r} is not a version of {self.name}",
                hint="Give versions as the index has them, for example 1.2.3.",
            )
        return ProjectVersion(project=self.name, pep440=version)

    def wheels_in(self, listing: Listing, selection: Selection) -> Listing:
        """Leave files that are not wheels out of a listing, and print how many were selected.

        Wheels of Codex are all that its project has, so there another file stays unexpected.
        """
        if self.has_recipe:
            return listing
        others = [file for file in selection.unexpected_of(listing) if not file.name.endswith(".whl")]
        if others:
            say(f"not audited: {counted(len(others), 'file')} of {self.name} that are not wheels")
        wheels = tuple(file for file in listing.unexpected if file.name.endswith(".whl"))
        return replace(listing, unexpected=wheels)

    def auditor(self, context: AuditContext) -> Auditor:
        """Return what audits its wheels."""
        if self.has_recipe:
            return CodexAuditor(mapping=self.mapping, context=context)
        packages = MakerPackages(tools=context.tools)
        return MappedAuditor(mapping=self.mapping, packages=packages, context=context)

    def known(self, known: Known) -> Known:
        """Return what a person accepts of this project; gaps are about releases of Codex."""
        return known if self.has_recipe else replace(known, gaps=())

    def named_in(self, report: AuditReport) -> AuditReport:
        """Return a report that names the mapping."""
        return replace(report, mapping=self.ref)


def _mapping(name: str | None, path: Path | None) -> ProjectMapping:
    if path is None:
        return mapping_of(name or DISTRIBUTION)
    mapping = read_mapping(path)
    if mapping.project == DISTRIBUTION:
        raise UsageError(
            f"{path} is about {DISTRIBUTION}, of which the baseline has the reviewed texts",
            hint="Leave --mapping out; docs/baseline.md says how to extend the baseline.",
        )
    if name is not None and canonicalize_name(name) != mapping.project:
        raise UsageError(
            f"--project is {name}, and the mapping {path} is about {mapping.project}",
            hint="Leave --project out, or give the mapping of that project.",
        )
    return mapping
