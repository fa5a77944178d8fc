"""Split work into jobs that machines of a CI do side by side: wheels by platform, audits by release.

A job says what it is about and where its result can be tried. It names nothing that only
one CI knows but the runner's label, which is a hint: any host builds every wheel.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from packaging.version import Version

from factory.audit.index import PublishedWheel
from factory.audit.results import Results
from factory.core.errors import UsageError
from factory.core.tags import CodexTag
from factory.core.targets import OperatingSystem, Target
from factory.wheels.plan import PlannedWheel, WheelsPlan

GITHUB_MOST_JOBS = 256
"""How many jobs one matrix may have there (https://docs.github.com/actions/reference/limits)."""
SCHEMA_VERSION = 1


class TooManyJobs(UsageError):
    """GitHub does not run a matrix of that size."""

    hint = "Name fewer releases or platforms, or take --format json and split the list."

    def __init__(self, count: int) -> None:
        super().__init__(
            f"the matrix has {count} jobs, and GitHub runs no more than {GITHUB_MOST_JOBS} of one"
        )


class Job(Protocol):
    """One job of a matrix."""

    def to_json(self) -> dict[str, object]:
        """Return its values by name, as a CI's expressions read them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelJob:
    """Build one platform's wheel of a release.

    Attributes:
        tag: The release.
        platform: The platform's tag.
        wheel: The file name that the wheel will have.
        target: Whose executables it carries.
    """

    tag: CodexTag
    platform: str
    wheel: str
    target: Target

    def to_json(self) -> dict[str, object]:
        """Return its values, with where the wheel's executables start."""
        return {
            "tag": str(self.tag),
            "version": self.tag.pep440,
            "platform": self.platform,
            "wheel": self.wheel,
            "os": self.target.operating_system.value,
            "architecture": self.target.architecture.value,
            "runner": runner_of(self.target),
            "emulator": emulator_of(self.target),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditJob:
    """Audit one published release.

    Attributes:
        tag: The release.
        wheels: How many of its wheels have no conclusive verdict yet.
    """

    tag: CodexTag
    wheels: int

    def to_json(self) -> dict[str, object]:
        """Return its values."""
        return {"tag": str(self.tag), "version": self.tag.pep440, "wheels": self.wheels}


def runner_of(target: Target) -> str:
    """Return the label of the GitHub-hosted runner that starts a target's executables."""
    match target:
        case Target.LINUX_X86_64:
            return "ubuntu-24.04"
        case Target.LINUX_AARCH64:
            return "ubuntu-24.04-arm"
        case Target.MACOS_X86_64:
            return "macos-15-intel"
        case Target.MACOS_AARCH64:
            return "macos-15"
        case Target.WINDOWS_X86_64:
            return "windows-2025"
        case Target.WINDOWS_AARCH64:
            return "windows-11-arm"


def emulator_of(target: Target) -> str | None:
    """Return what starts a target's executables on Linux of another architecture, if anything does."""
    if target.operating_system is not OperatingSystem.LINUX:
        return None
    return f"qemu-{target.architecture}-static"


def wheel_jobs(plans: Iterable[WheelsPlan]) -> tuple[WheelJob, ...]:
    """Return a job a wheel, release by release."""
    return tuple(_wheel_job(plan, planned) for plan in plans for planned in plan.wheels)


def _wheel_job(plan: WheelsPlan, planned: PlannedWheel) -> WheelJob:
    platform = planned.recipe.platform
    return WheelJob(
        tag=plan.request.tag,
        platform=platform.tag,
        wheel=plan.wheel_name(planned),
        target=platform.target,
    )


def audit_jobs(wheels: Iterable[PublishedWheel], results: Results) -> tuple[AuditJob, ...]:
    """Return a job a release that has wheels without a conclusive verdict, the oldest first.

    What is inconclusive is tried again, as an audit does. A wheel whose version names no
    release has no payload anywhere: it needs no job, and an audit of everything tells of it.
    """
    open_wheels: dict[CodexTag, int] = {}
    for wheel in wheels:
        if wheel.tag is not None and results.recall(wheel.name, wheel.sha256) is None:
            open_wheels[wheel.tag] = open_wheels.get(wheel.tag, 0) + 1
    ordered = sorted(open_wheels, key=lambda tag: Version(tag.pep440))
    return tuple(AuditJob(tag=tag, wheels=open_wheels[tag]) for tag in ordered)


def github_matrix(jobs: Sequence[Job]) -> str:
    """Write a matrix on one line, for ``$GITHUB_OUTPUT`` and ``fromJSON``.

    Raises:
        TooManyJobs: GitHub would not run it.
    """
    if len(jobs) > GITHUB_MOST_JOBS:
        raise TooManyJobs(len(jobs))
    return json.dumps({"include": [job.to_json() for job in jobs]}, separators=(",", ":"))


def matrix_json(jobs: Sequence[Job]) -> dict[str, object]:
    """Return a matrix for any other CI, or for a script."""
    return {"schema_version": SCHEMA_VERSION, "jobs": [job.to_json() for job in jobs]}
