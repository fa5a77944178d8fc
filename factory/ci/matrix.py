"""Split work into CI jobs that can run in parallel: wheels by platform, audits by release.

A job names its release and platform, and where the wheel's executables can be started. Only the
runner label is specific to one CI, and it is a hint: any host can build every wheel.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from packaging.version import Version

from factory.audit.codex.releases import release_of
from factory.audit.index import PublishedWheel
from factory.audit.projects.version_rule import VersionRule
from factory.audit.results import Results
from factory.core.counted import counted
from factory.core.errors import UsageError
from factory.core.tags import CodexTag
from factory.core.targets import OperatingSystem, Target
from factory.wheels.plan import WheelsPlan

GITHUB_MAX_JOBS = 256
"""The maximum number of jobs in a matrix (https://docs.github.com/actions/reference/limits)."""
SCHEMA_VERSION = 1


class Job(Protocol):
    """One job of a matrix."""

    def to_json(self) -> dict[str, object]:
        """Return the values that a CI's expressions read, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelJob:
    """Build the wheel of one platform.

    Attributes:
        platform: The platform tag.
        wheel: The file name of the wheel.
        target: The target of the executables in it.
    """

    tag: CodexTag
    platform: str
    wheel: str
    target: Target

    def to_json(self) -> dict[str, object]:
        """Return the job's values, and the machine that can start the wheel's executables."""
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
        wheels: The number of its wheels without a conclusive verdict.
    """

    tag: CodexTag
    wheels: int

    def to_json(self) -> dict[str, object]:
        """Return the job's values."""
        return {"tag": str(self.tag), "version": self.tag.pep440, "wheels": self.wheels}


def runner_of(target: Target) -> str:
    """Return the label of the GitHub-hosted runner that can start a target's executables."""
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
    """Return the program that starts a target's executables on Linux of another architecture, or None."""
    if target.operating_system is not OperatingSystem.LINUX:
        return None
    return f"qemu-{target.architecture}-static"


def wheel_jobs(plans: Iterable[WheelsPlan]) -> tuple[WheelJob, ...]:
    """Return a job for each wheel, release by release."""
    return tuple(
        WheelJob(
            tag=planned.tag,
            platform=planned.platform.tag,
            wheel=planned.name,
            target=planned.platform.target,
        )
        for plan in plans
        for planned in plan.wheels
    )


def audit_jobs(wheels: Iterable[PublishedWheel], results: Results) -> tuple[AuditJob, ...]:
    """Return a job for each release with wheels without a conclusive verdict, oldest first.

    Wheels with an inconclusive verdict are audited again, as `factory audit` does. A wheel whose
    version is not a Codex release has no payload to compare with, so it gets no job; an audit of
    all wheels reports it.
    """
    open_wheels: dict[CodexTag, int] = {}
    for wheel in wheels:
        tag = release_of(wheel.version, VersionRule.CODEX)
        if tag is not None and results.recall(wheel.name, wheel.sha256) is None:
            open_wheels[tag] = open_wheels.get(tag, 0) + 1
    ordered = sorted(open_wheels, key=lambda tag: Version(tag.pep440))
    return tuple(AuditJob(tag=tag, wheels=open_wheels[tag]) for tag in ordered)


def github_matrix(jobs: Sequence[Job]) -> str:
    """Return a matrix as one line, for ``$GITHUB_OUTPUT`` and ``fromJSON``.

    Raises:
        UsageError: It has more jobs than GitHub allows.
    """
    if len(jobs) > GITHUB_MAX_JOBS:
        raise UsageError(
            f"the matrix has {counted(len(jobs), 'job')}; GitHub allows {GITHUB_MAX_JOBS}",
            hint="Name fewer releases or platforms, or use --format json and split the list.",
        )
    return json.dumps({"include": [job.to_json() for job in jobs]}, separators=(",", ":"))


def matrix_json(jobs: Sequence[Job]) -> dict[str, object]:
    """Return a matrix as a JSON document, for other CIs and scripts."""
    return {"schema_version": SCHEMA_VERSION, "jobs": [job.to_json() for job in jobs]}
