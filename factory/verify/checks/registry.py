"""All checks, in the order in which findings are shown."""

import traceback
from collections.abc import Sequence
from dataclasses import replace

from factory.core.errors import FactoryError
from factory.core.model import Finding, Severity
from factory.core.printable import escaped
from factory.verify.checks import (
    archive,
    archive_headers,
    closed_world,
    data_directory,
    dist_info,
    elf,
    elf_libraries,
    entry_points,
    images,
    macho,
    member_modes,
    member_names,
    metadata,
    metadata_values,
    package,
    package_json,
    payload,
    pe,
    project,
    record,
    sbom,
    signatures,
    visual_cpp,
    wheel_file,
)
from factory.verify.checks.check import Check, Fault, SubjectT
from factory.verify.reading.contents import WheelContents

_FOR_UNREADABLE_FILES = frozenset(
    {"archive-unreadable", "archive-directory", "archive-bomb", "archive-limit"}
)
# In the registry so that users can list and explain it; `run_check` makes its findings.
CRASHED: Check[WheelContents] = Check(
    id="check-crashed",
    title="Every check runs to its end",
    severity=Severity.ERROR,
    protects="Users: whatever the check would have found remains unknown.",
    standard="factory.verify.checks.registry.run_check",
    remedy="Report a bug in the factory, with the wheel.",
    find=lambda _: (),
)


def make_checks(known: closed_world.Reference = closed_world.BUNDLED) -> tuple[Check[WheelContents], ...]:
    """Return all checks of a wheel, in the order in which findings are shown.

    Args:
        known: The reviewed contents and known executables that wheels of this project are compared with.
    """
    return (
        *project.CHECKS,
        *archive.CHECKS,
        *archive_headers.CHECKS,
        *member_names.CHECKS,
        *member_modes.CHECKS,
        *dist_info.CHECKS,
        *wheel_file.CHECKS,
        *metadata.CHECKS,
        *metadata_values.CHECKS,
        *record.CHECKS,
        *entry_points.CHECKS,
        *data_directory.CHECKS,
        *package.CHECKS,
        *package_json.CHECKS,
        *payload.CHECKS,
        *closed_world.closed_world_checks(known),
        *sbom.CHECKS,
        *images.CHECKS,
        *elf.CHECKS,
        *elf_libraries.CHECKS,
        *macho.CHECKS,
        *pe.CHECKS,
        *visual_cpp.visual_cpp_checks(known),
        *signatures.CHECKS,
        CRASHED,
    )


CHECKS = make_checks()


def checks_for(
    wheel: WheelContents, checks: Sequence[Check[WheelContents]] = CHECKS
) -> tuple[Check[WheelContents], ...]:
    """Return the checks that apply to a wheel: few, if it cannot be read or is another project's."""
    if wheel.is_unreadable:
        return tuple(check for check in checks if check.id in _FOR_UNREADABLE_FILES)
    is_ours = project.is_of_this_project(wheel)
    return tuple(check for check in checks if is_ours or not check.is_for_project)


def find_all(wheel: WheelContents, checks: Sequence[Check[WheelContents]] = CHECKS) -> tuple[Finding, ...]:
    """Run all checks; for a wheel that cannot be read, report that and not its consequences.

    Raises:
        Stopped: The run is to end.
        TimedOut: The time limit of the wheel is reached.
    """
    found: list[Finding] = []
    for check in checks_for(wheel, checks):
        wheel.poll()
        found += run_check(check, wheel, name=wheel.name)
    return tuple(found)


def run_check(check: Check[SubjectT], subject: SubjectT, *, name: str) -> tuple[Finding, ...]:
    """Run one check and make its findings safe to print.

    No other place catches every exception: a check that fails on some wheel must not hide
    the findings of the others, and must not pass for a check without findings.

    Args:
        check: The check.
        subject: What it checks.
        name: The place of the finding if the check crashes.
    """
    try:
        found = check.findings(subject)
    except FactoryError:  # not about this wheel: the factory's own files are damaged
        raise
    except Exception as error:  # noqa: BLE001 - reported as a finding, with the place of the bug
        frame = traceback.extract_tb(error.__traceback__)[-1]
        evidence = f"{check.id}: {type(error).__name__}: {error} ({frame.name}, line {frame.lineno})"
        found = (CRASHED.finding(Fault(name, evidence)),)
    return tuple(printable(finding) for finding in found)


def printable(finding: Finding) -> Finding:
    """Escape the parts of a finding that a wheel's author chooses, who could use them to fake output."""
    return replace(finding, place=escaped(finding.place), evidence=escaped(finding.evidence))
