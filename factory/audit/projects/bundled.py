"""The mappings of this factory: one TOML file for each project beside this module."""

import difflib
from functools import cache
from importlib.resources import files

from packaging.utils import canonicalize_name

from factory.audit.projects.mapping import ProjectMapping
from factory.audit.projects.mapping_file import parse_mapping
from factory.audit.projects.version_rule import VersionRule
from factory.core.errors import UsageError

_SUFFIX = ".toml"


@cache
def bundled_projects() -> tuple[str, ...]:
    """Return the names of all projects with a mapping, sorted."""
    entries = files(__package__).iterdir()
    return tuple(
        sorted(entry.name.removesuffix(_SUFFIX) for entry in entries if entry.name.endswith(_SUFFIX))
    )


@cache
def bundled_mapping(project: str) -> ProjectMapping:
    """Return the mapping of a project, by its normalised name."""
    name = f"{project}{_SUFFIX}"
    content = files(__package__).joinpath(name).read_bytes()
    return parse_mapping(content, where=name, name=project, is_bundled=True)


def mapping_of(name: str) -> ProjectMapping:
    """Return the mapping of a project.

    Raises:
        UsageError: There is none, so that it is not known with which files its wheels should be compared.
    """
    project = canonicalize_name(name)
    if project in bundled_projects():
        return bundled_mapping(project)
    near = difflib.get_close_matches(project, bundled_projects(), n=1)
    meant = f"Did you mean {near[0]}? " if near else ""
    raise UsageError(
        f"the project {name!r} cannot be audited: it has no mapping",
        hint=f"{meant}'factory projects' lists the mappings. To write one, run 'factory projects draft"
        f" {project} --npm PACKAGE', read the texts that it lists, and give the file with --mapping.",
    )


def codex_project(name: str) -> ProjectMapping:
    """Return the mapping of a project that numbers its versions as Codex does.

    Raises:
        UsageError: It is another project.
    """
    mapping = mapping_of(name)
    if mapping.rule is not VersionRule.CODEX:
        raise UsageError(
            f"the versions of {mapping.project} are not those of Codex releases",
            hint="Audit it with 'factory audit --project', which needs no CI matrix.",
        )
    return mapping
