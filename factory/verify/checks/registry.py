"""All checks, in the order in which findings are shown."""

import traceback
import unicodedata
from collections.abc import Sequence
from dataclasses import replace

from factory.core.model import Finding, Severity
from factory.verify.checks import (
    archive,
    dist_info,
    elf,
    entry_points,
    images,
    macho,
    member_modes,
    member_names,
    metadata,
    package,
    package_json,
    payload,
    pe,
    record,
    sbom,
    signatures,
    wheel_file,
)
from factory.verify.checks.check import Check, Fault, SubjectT
from factory.verify.reading.contents import WheelContents

_ABOUT_THE_WHOLE_FILE = frozenset({"archive-unreadable", "archive-directory", "archive-bomb"})
CRASHED: Check[WheelContents] = Check(
    id="check-crashed",
    title="Every check comes to its end",
    severity=Severity.ERROR,
    protects="Users: what the check would have found is not known.",
    standard="factory.verify.checks.registry.run_check",
    remedy="This is a bug of the factory: report it with the wheel.",
    find=lambda _: (),
)
"""Stands in the registry so that it can be listed and explained; `run_check` makes its findings."""

CHECKS: tuple[Check[WheelContents], ...] = (
    *archive.CHECKS,
    *member_names.CHECKS,
    *member_modes.CHECKS,
    *dist_info.CHECKS,
    *wheel_file.CHECKS,
    *metadata.CHECKS,
    *record.CHECKS,
    *entry_points.CHECKS,
    *package.CHECKS,
    *package_json.CHECKS,
    *payload.CHECKS,
    *sbom.CHECKS,
    *images.CHECKS,
    *elf.CHECKS,
    *macho.CHECKS,
    *pe.CHECKS,
    *signatures.CHECKS,
    CRASHED,
)

_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def checks_for(
    contents: WheelContents, checks: Sequence[Check[WheelContents]] = CHECKS
) -> tuple[Check[WheelContents], ...]:
    """Return the checks that have something to look at: of a wheel that cannot be read, few."""
    if contents.is_unreadable:
        return tuple(candidate for candidate in checks if candidate.id in _ABOUT_THE_WHOLE_FILE)
    return tuple(checks)


def find_all(contents: WheelContents, checks: Sequence[Check[WheelContents]] = CHECKS) -> tuple[Finding, ...]:
    """Run all checks; a wheel that cannot be read has that one finding and no consequences of it."""
    return tuple(
        finding
        for candidate in checks_for(contents, checks)
        for finding in run_check(candidate, contents, name=contents.name)
    )


def run_check(candidate: Check[SubjectT], subject: SubjectT, *, name: str) -> tuple[Finding, ...]:
    """Run one check and make what it found fit to be printed.

    This is the one place that catches whatever a bug may raise: a check that fails
    on some wheel must not hide what the others find, nor count as silent.

    Args:
        candidate: The check.
        subject: What it looks at.
        name: What to call that, if the check crashes.
    """
    try:
        found = candidate.findings(subject)
    except Exception as error:  # noqa: BLE001 - reported as a finding, with the place of the bug
        frame = traceback.extract_tb(error.__traceback__)[-1]
        evidence = f"{candidate.id}: {type(error).__name__}: {error} ({frame.name}, line {frame.lineno})"
        found = (CRASHED.finding(Fault(name, evidence)),)
    return tuple(printable(finding) for finding in found)


def printable(finding: Finding) -> Finding:
    """Escape what a wheel could use to fake output: control and formatting characters in names."""
    return replace(finding, place=escaped(finding.place), evidence=escaped(finding.evidence))


def escaped(text: str) -> str:
    """Escape control, formatting and undecodable characters."""
    if text.isprintable():
        return text
    return "".join(
        char.encode("unicode_escape").decode() if unicodedata.category(char) in _INVISIBLE else char
        for char in text
    )
